// SPDX-License-Identifier: Apache-2.0
#include "core/api/json.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/api/json_node.hpp"

namespace flotilla::api {
namespace {

const Json kNull;

ObjectNode* object_of(const Json& value) {
  return value.is_object() ? JsonNodes::node<ObjectNode>(value) : nullptr;
}

ArrayNode* array_of(const Json& value) {
  return value.is_array() ? JsonNodes::node<ArrayNode>(value) : nullptr;
}

}  // namespace

Json::Json(Tag tag, std::int64_t value) noexcept {
  JsonNodes::put(*this, tag == Tag::Bool ? Kind::Bool : Kind::Int, value);
}
Json::Json(double value) noexcept {
  JsonNodes::put(*this, Kind::Float, value);
}
Json::Json(const char* value) : Json(std::string_view(value)) {}
Json::Json(std::string_view value) {
  JsonNodes::put_string(*this, value);
}
Json::Json(std::string value) : Json(std::string_view(value)) {}

Json::Json(const Json& other) {
  if (other.kind() >= Kind::Array && JsonNodes::node<ContainerNode>(other)->handed_out) {
    JsonNodes::put(*this, other.kind(), JsonNodes::copy_of(other));
    return;
  }
  if (other.is_node()) JsonNodes::hold(JsonNodes::node<JsonNode>(other));
  std::memcpy(data_, other.data_, sizeof data_);
}

Json& Json::operator=(const Json& other) {
  if (this == &other) return *this;
  Json copy(other);
  swap(copy);
  return *this;
}

void Json::release() noexcept {
  JsonNodes::drop(kind(), JsonNodes::node<JsonNode>(*this));
}

void Json::freeze() noexcept {
  JsonNodes::freeze(*this);
}

bool Json::equals(const Json& other) const noexcept {
  return JsonNodes::equal(*this, other);
}

Json Json::object(std::initializer_list<std::pair<std::string_view, Json>> members) {
  Json made;
  ObjectNode* node = JsonNodes::make_object(members.size());
  JsonNodes::put(made, Kind::Object, node);
  for (const auto& [key, value] : members) {
    JsonNodes::member(node, key) = value;
    JsonNodes::note_insertion(node, value);
  }
  return made;
}

Json Json::array(std::initializer_list<Json> elements) {
  Json made;
  JsonNodes::put(made, Kind::Array, JsonNodes::make_array(elements.size()));
  for (const Json& element : elements) made.push_back(element);
  return made;
}

Json Json::strings(std::span<const std::string> elements) {
  Json made;
  JsonNodes::put(made, Kind::Array, JsonNodes::make_array(elements.size()));
  for (const std::string& element : elements) made.push_back(std::string_view(element));
  return made;
}

bool Json::as_bool(bool otherwise) const noexcept {
  return is_bool() ? JsonNodes::payload<std::int64_t>(*this) != 0 : otherwise;
}

std::int64_t Json::as_int(std::int64_t otherwise) const noexcept {
  if (is_int()) return JsonNodes::payload<std::int64_t>(*this);
  if (type() == Type::Float) {
    const auto number = JsonNodes::payload<double>(*this);
    if (std::trunc(number) == number && std::abs(number) < 9.2e18) return static_cast<std::int64_t>(number);
  }
  return otherwise;
}

double Json::as_double(double otherwise) const noexcept {
  if (is_int()) return static_cast<double>(JsonNodes::payload<std::int64_t>(*this));
  return type() == Type::Float ? JsonNodes::payload<double>(*this) : otherwise;
}

std::string_view Json::long_string() const noexcept {
  auto* node = JsonNodes::node<StringNode>(*this);
  return {node->text(), node->size};
}

std::size_t Json::size() const noexcept {
  return kind() >= Kind::Array ? JsonNodes::node<ContainerNode>(*this)->size : 0;
}

const Json& Json::operator[](std::string_view key) const noexcept {
  const Json* found = find(key);
  return found ? *found : kNull;
}

Json& Json::operator[](std::string_view key) {
  if (!is_object()) *this = object();
  ObjectNode* node = JsonNodes::own_object(*this);
  node->handed_out = true;
  return JsonNodes::member(node, key);
}

const Json* Json::find(std::string_view key) const noexcept {
  const ObjectNode* node = object_of(*this);
  const JsonSlot* slot = node ? JsonNodes::find(node, key) : nullptr;
  return slot ? &slot->value : nullptr;
}

Json* Json::find(std::string_view key) noexcept {
  if (std::as_const(*this).find(key) == nullptr) return nullptr;
  ObjectNode* node = JsonNodes::own_object(*this);
  node->handed_out = true;
  return &JsonNodes::find(node, key)->value;
}

void Json::set(std::string_view key, Json value) {
  if (!is_object()) *this = object();
  ObjectNode* node = JsonNodes::own_object(*this);
  JsonNodes::note_insertion(node, value);
  JsonNodes::member(node, key) = std::move(value);
}

bool Json::erase(std::string_view key) {
  if (std::as_const(*this).find(key) == nullptr) return false;
  ObjectNode* node = JsonNodes::own_object(*this);
  JsonNodes::erase(node, JsonNodes::lower_bound(node, key).first);
  return true;
}

Json::Members Json::members() const noexcept {
  const ObjectNode* node = object_of(*this);
  if (node == nullptr) return {MemberIterator(), MemberIterator()};
  return {MemberIterator(node->order), MemberIterator(node->order + node->size)};
}

Json::Member Json::MemberIterator::operator*() const noexcept {
  const JsonSlot* slot = *static_cast<JsonSlot* const*>(at_);
  return {slot->key.as_string(), slot->value};
}

Json::MemberIterator& Json::MemberIterator::operator++() noexcept {
  at_ = static_cast<JsonSlot* const*>(at_) + 1;
  return *this;
}

std::vector<std::string> Json::keys() const {
  std::vector<std::string> names;
  names.reserve(size());
  for (const Member member : members()) names.emplace_back(member.key);
  return names;
}

const Json& Json::at(std::initializer_list<std::string_view> path) const noexcept {
  const Json* here = this;
  for (const std::string_view step : path) here = &(*here)[step];
  return *here;
}

Json& Json::make(std::initializer_list<std::string_view> path) {
  Json* here = this;
  for (const std::string_view step : path) here = &(*here)[step];
  return *here;
}

std::span<const Json> Json::elements() const noexcept {
  ArrayNode* node = array_of(*this);
  return node ? std::span<const Json>(node->elements(), node->size) : std::span<const Json>();
}

std::span<Json> Json::elements() noexcept {
  if (array_of(*this) == nullptr || empty()) return {};
  ArrayNode* node = JsonNodes::own_array(*this);
  node->handed_out = true;
  return {node->elements(), node->size};
}

const Json& Json::element(std::size_t index) const noexcept {
  const auto all = elements();
  return index < all.size() ? all[index] : kNull;
}

void Json::push_back(Json value) {
  insert_at(size(), std::move(value));
}

namespace {

// Elements do not know where they are.
void shift(Json* from, std::size_t count, Json* to) {
  // NOLINTNEXTLINE(bugprone-undefined-memory-manipulation)
  std::memmove(static_cast<void*>(to), static_cast<const void*>(from), count * sizeof(Json));
}

}  // namespace

void Json::insert_at(std::size_t index, Json value) {
  if (!is_array()) {
    *this = array();
    index = 0;
  }
  ArrayNode* node = JsonNodes::room_for_one(*this);
  JsonNodes::note_insertion(node, value);
  index = std::min<std::size_t>(index, node->size);
  Json* elements = node->elements();
  shift(elements + index, node->size - index, elements + index + 1);
  new (elements + index) Json(std::move(value));
  ++node->size;
}

void Json::erase_at(std::size_t index) {
  if (!is_array() || index >= size()) return;
  ArrayNode* node = JsonNodes::own_array(*this);
  Json* elements = node->elements();
  elements[index].~Json();
  --node->size;
  shift(elements + index + 1, node->size - index, elements + index);
}

}  // namespace flotilla::api
