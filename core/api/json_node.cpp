// SPDX-License-Identifier: Apache-2.0
#include "core/api/json_node.hpp"

#include <algorithm>
#include <array>
#include <new>

namespace flotilla::api {
namespace {

constexpr std::size_t kShortString = 14;
constexpr std::size_t kRecentKeys = 256;
constexpr std::size_t kLongestRecentKey = 128;
constexpr std::uint8_t kMaxAncestors = 8;
constexpr std::size_t kRoom = 2;  // a clone is made to be changed

bool exclusive(const JsonNode* node) {
  return node->holders.load(std::memory_order_acquire) == 1;
}

ArrayNode* clone_array(ArrayNode* old, std::size_t room) {
  ArrayNode* clone = JsonNodes::make_array(old->size + room);
  for (std::uint32_t i = 0; i < old->size; ++i) new (clone->elements() + i) Json(old->elements()[i]);
  clone->size = old->size;
  return clone;
}

ObjectNode* clone_object(ObjectNode* old, std::size_t room) {
  ObjectNode* clone = JsonNodes::make_object(old->size + room);
  for (std::uint32_t i = 0; i < old->size; ++i) {
    clone->order[i]->key = old->order[i]->key;
    clone->order[i]->value = old->order[i]->value;
  }
  clone->size = old->size;
  return clone;
}

// `value` gives up `old` for `clone`, which keeps it; a line of clones that is never frozen ends somewhere,
// or it would hold all its past.
template <typename Node>
Node* replace(Json& value, Node* old, Node* clone) {
  const JsonNodes::Kind kind = JsonNodes::kind(value);
  if (old->ancestors < kMaxAncestors) {
    clone->origin = old;
    clone->ancestors = static_cast<std::uint8_t>(old->ancestors + 1);
  } else {
    JsonNodes::drop(kind, old);
  }
  JsonNodes::put(value, kind, clone);
  return clone;
}

void destroy_object(ObjectNode* node) noexcept {
  for (std::uint32_t i = 0; i < node->size; ++i) node->order[i]->~JsonSlot();
  if (node->order != node->first_order()) ::operator delete(node->order);
  for (SlotBlock* block = node->more; block != nullptr;) {
    SlotBlock* next = block->next;
    ::operator delete(block);
    block = next;
  }
}

void grow(ObjectNode* node) {
  const std::uint32_t added = std::max<std::uint32_t>(node->capacity, 4);
  auto* block =
      new (::operator new(sizeof(SlotBlock) + added * sizeof(JsonSlot))) SlotBlock{node->more, added};
  node->more = block;
  auto** order = static_cast<JsonSlot**>(::operator new((node->capacity + added) * sizeof(JsonSlot*)));
  std::copy_n(node->order, node->size, order);
  for (std::uint32_t i = 0; i < added; ++i) order[node->capacity + i] = new (block->slots() + i) JsonSlot();
  if (node->order != node->first_order()) ::operator delete(node->order);
  node->order = order;
  node->capacity += added;
}

}  // namespace

void JsonNodes::put_string(Json& value, std::string_view text) {
  if (text.size() <= kShortString) {
    value.data_[0] = static_cast<char>(Kind::ShortString);
    value.data_[1] = static_cast<char>(text.size());
    if (!text.empty()) std::memcpy(value.data_ + 2, text.data(), text.size());
    return;
  }
  auto* node = new (::operator new(sizeof(StringNode) + text.size())) StringNode();
  node->size = static_cast<std::uint32_t>(text.size());
  std::memcpy(node->text(), text.data(), text.size());
  put(value, Kind::String, node);
}

Json JsonNodes::key(std::string_view text) {
  Json made;
  if (text.size() <= kShortString || text.size() > kLongestRecentKey) {
    put_string(made, text);
    return made;
  }
  thread_local std::array<Json, kRecentKeys> recent;
  Json& known = recent[std::hash<std::string_view>()(text) % kRecentKeys];
  if (known.as_string() != text) {
    put_string(made, text);
    known = std::move(made);
  }
  return known;
}

ArrayNode* JsonNodes::make_array(std::size_t capacity) {
  auto* node = new (::operator new(sizeof(ArrayNode) + capacity * sizeof(Json))) ArrayNode();
  node->capacity = static_cast<std::uint32_t>(capacity);
  return node;
}

ObjectNode* JsonNodes::make_object(std::size_t capacity) {
  auto* node = new (::operator new(sizeof(ObjectNode) + capacity * (sizeof(JsonSlot) + sizeof(JsonSlot*))))
      ObjectNode();
  node->capacity = node->first_count = static_cast<std::uint32_t>(capacity);
  node->order = node->first_order();
  for (std::size_t i = 0; i < capacity; ++i) node->order[i] = new (node->first_slots() + i) JsonSlot();
  return node;
}

ArrayNode* JsonNodes::own_array(Json& value) {
  auto* held = node<ArrayNode>(value);
  return exclusive(held) ? held : replace(value, held, clone_array(held, kRoom));
}

ObjectNode* JsonNodes::own_object(Json& value) {
  auto* held = node<ObjectNode>(value);
  return exclusive(held) ? held : replace(value, held, clone_object(held, kRoom));
}

ArrayNode* JsonNodes::room_for_one(Json& value) {
  ArrayNode* held = own_array(value);
  if (held->size < held->capacity) return held;
  ArrayNode* larger = make_array(std::max<std::size_t>(4, 2 * static_cast<std::size_t>(held->capacity)));
  // Elements do not know where they are. NOLINTNEXTLINE(bugprone-undefined-memory-manipulation)
  std::memcpy(static_cast<void*>(larger->elements()), held->elements(), held->size * sizeof(Json));
  larger->size = held->size;
  larger->handed_out = held->handed_out;
  larger->origin = held->origin;
  larger->ancestors = held->ancestors;
  ::operator delete(held);
  put(value, Kind::Array, larger);
  return larger;
}

std::pair<std::size_t, bool> JsonNodes::lower_bound(const ObjectNode* node, std::string_view key) {
  std::size_t low = 0;
  std::size_t high = node->size;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const int order = node->order[middle]->key.as_string().compare(key);
    if (order == 0) return {middle, true};
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return {low, false};
}

JsonSlot* JsonNodes::find(const ObjectNode* node, std::string_view key) {
  constexpr std::uint32_t kFew = 8;
  if (node->size > kFew) {
    const auto [index, found] = lower_bound(node, key);
    return found ? node->order[index] : nullptr;
  }
  for (std::uint32_t i = 0; i < node->size; ++i)
    if (node->order[i]->key.as_string() == key) return node->order[i];
  return nullptr;
}

JsonSlot* JsonNodes::insert(ObjectNode* node, std::size_t index) {
  if (node->size == node->capacity) grow(node);
  JsonSlot* slot = node->order[node->size];
  std::move_backward(node->order + index, node->order + node->size, node->order + node->size + 1);
  node->order[index] = slot;
  ++node->size;
  return slot;
}

void JsonNodes::erase(ObjectNode* node, std::size_t index) {
  JsonSlot* slot = node->order[index];
  slot->key = Json();
  slot->value = Json();
  std::move(node->order + index + 1, node->order + node->size, node->order + index);
  --node->size;
  node->order[node->size] = slot;
}

Json& JsonNodes::member(ObjectNode* node, std::string_view key) {
  const auto [index, found] = lower_bound(node, key);
  if (found) return node->order[index]->value;
  JsonSlot* slot = insert(node, index);
  slot->key = JsonNodes::key(key);
  return slot->value;
}

void JsonNodes::note_insertion(ContainerNode* into, const Json& value) {
  if (kind(value) < Kind::Array) return;
  const auto* inner = node<ContainerNode>(value);
  if (inner->handed_out || inner->origin != nullptr) into->handed_out = true;
}

void JsonNodes::hold(JsonNode* node) noexcept {
  node->holders.fetch_add(1, std::memory_order_relaxed);
}

void JsonNodes::drop(Kind kind, JsonNode* node) noexcept {
  if (node->holders.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (kind != Kind::String) {
    auto* container = static_cast<ContainerNode*>(node);
    if (kind == Kind::Object) {
      destroy_object(static_cast<ObjectNode*>(node));
    } else {
      Json* elements = static_cast<ArrayNode*>(node)->elements();
      for (std::uint32_t i = 0; i < container->size; ++i) elements[i].~Json();
    }
    if (container->origin != nullptr) drop(kind, container->origin);
  }
  ::operator delete(node);
}

ContainerNode* JsonNodes::copy_of(const Json& value) {
  if (kind(value) == Kind::Object) return clone_object(node<ObjectNode>(value), 0);
  return clone_array(node<ArrayNode>(value), 0);
}

void JsonNodes::freeze(Json& value) noexcept {
  if (kind(value) < Kind::Array) return;
  auto* held = node<ContainerNode>(value);
  if ((!held->handed_out && held->origin == nullptr) || !exclusive(held)) return;
  if (kind(value) == Kind::Object) {
    auto* object = static_cast<ObjectNode*>(held);
    for (std::uint32_t i = 0; i < held->size; ++i) freeze(object->order[i]->value);
  } else {
    Json* elements = static_cast<ArrayNode*>(held)->elements();
    for (std::uint32_t i = 0; i < held->size; ++i) freeze(elements[i]);
  }
  held->handed_out = false;
  if (held->origin != nullptr) drop(kind(value), held->origin);
  held->origin = nullptr;
  held->ancestors = 0;
}

bool JsonNodes::equal(const Json& a, const Json& b) noexcept {
  if (a.type() != b.type()) return a.is_number() && b.is_number() && a.as_double() == b.as_double();
  switch (kind(a)) {
    case Kind::Null:
      return true;
    case Kind::Bool:
    case Kind::Int:
      return payload<std::int64_t>(a) == payload<std::int64_t>(b);
    case Kind::Float:
      return payload<double>(a) == payload<double>(b);
    case Kind::ShortString:
    case Kind::String:
      return a.as_string() == b.as_string();
    case Kind::Array: {
      if (node<ArrayNode>(a) == node<ArrayNode>(b)) return true;
      const auto left = a.elements();
      const auto right = b.elements();
      return std::equal(left.begin(), left.end(), right.begin(), right.end());
    }
    case Kind::Object: {
      const auto* left = node<ObjectNode>(a);
      const auto* right = node<ObjectNode>(b);
      if (left == right) return true;
      if (left->size != right->size) return false;
      for (std::uint32_t i = 0; i < left->size; ++i) {
        if (left->order[i]->key.as_string() != right->order[i]->key.as_string() ||
            !equal(left->order[i]->value, right->order[i]->value))
          return false;
      }
      return true;
    }
  }
  return false;
}

}  // namespace flotilla::api
