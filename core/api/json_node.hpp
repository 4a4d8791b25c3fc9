// SPDX-License-Identifier: Apache-2.0
// What a Json points to; for core/api/json*.cpp alone. One block of memory each, counted by its holders. A
// node with one holder may be changed in place, any other is cloned first. An object's slots never move, so
// that references to members stay valid; `order` does: the first `size` entries are the members by key, the
// rest the slots that are free.
#pragma once

#include <atomic>

#include "core/api/json.hpp"

namespace flotilla::api {

struct JsonNode {
  std::atomic<std::uint32_t> holders{1};
};

struct StringNode : JsonNode {
  std::uint32_t size = 0;
  char* text() { return reinterpret_cast<char*>(this + 1); }
};

struct ContainerNode : JsonNode {
  bool handed_out = false;     // a changeable reference into it may exist: copies are made whole
  std::uint8_t ancestors = 0;  // length of the chain behind `origin`
  std::uint32_t size = 0;
  std::uint32_t capacity = 0;
  // What this node was cloned from: keeps constant references into it valid as long as this value lives.
  ContainerNode* origin = nullptr;
};

struct ArrayNode : ContainerNode {
  Json* elements() { return reinterpret_cast<Json*>(this + 1); }
};

struct JsonSlot {
  Json key;  // a string
  Json value;
};

// More slots of an object that has outgrown its first block.
struct SlotBlock {
  SlotBlock* next = nullptr;
  std::uint32_t count = 0;
  JsonSlot* slots() { return reinterpret_cast<JsonSlot*>(this + 1); }
};

struct ObjectNode : ContainerNode {
  JsonSlot** order = nullptr;
  SlotBlock* more = nullptr;
  std::uint32_t first_count = 0;  // slots in this block; `order` begins behind them unless it was outgrown
  JsonSlot* first_slots() { return reinterpret_cast<JsonSlot*>(this + 1); }
  JsonSlot** first_order() { return reinterpret_cast<JsonSlot**>(first_slots() + first_count); }
};

static_assert(sizeof(Json) == 16 && sizeof(JsonSlot) == 32 && sizeof(ArrayNode) % alignof(Json) == 0 &&
              sizeof(ObjectNode) % alignof(JsonSlot) == 0 && sizeof(SlotBlock) % alignof(JsonSlot) == 0);

struct JsonNodes {
  using Kind = Json::Kind;

  static Kind kind(const Json& value) { return value.kind(); }
  template <typename Node>
  static Node* node(const Json& value) {
    Node* address;
    std::memcpy(&address, value.data_ + 8, sizeof address);
    return address;
  }
  // `value` holds nothing before.
  template <typename Payload>
  static void put(Json& value, Kind kind, Payload payload) {
    static_assert(sizeof payload == 8);
    value.data_[0] = static_cast<char>(kind);
    std::memcpy(value.data_ + 8, &payload, sizeof payload);
  }
  static void put_string(Json& value, std::string_view text);
  template <typename Payload>
  static Payload payload(const Json& value) {
    Payload out;
    std::memcpy(&out, value.data_ + 8, sizeof out);
    return out;
  }

  // Member names recur: long ones are shared by the documents that one thread makes.
  static Json key(std::string_view text);

  static ArrayNode* make_array(std::size_t capacity);
  static ObjectNode* make_object(std::size_t capacity);
  static ContainerNode* copy_of(const Json& container);
  // The container of a value of that kind, its own.
  static ArrayNode* own_array(Json& value);
  static ObjectNode* own_object(Json& value);
  static ArrayNode* room_for_one(Json& value);

  // Index of the first member not less than `key`, and whether it is equal.
  static std::pair<std::size_t, bool> lower_bound(const ObjectNode* node, std::string_view key);
  static JsonSlot* find(const ObjectNode* node, std::string_view key);
  // A free slot put at `index`.
  static JsonSlot* insert(ObjectNode* node, std::size_t index);
  static void erase(ObjectNode* node, std::size_t index);
  // Made where it is missing.
  static Json& member(ObjectNode* node, std::string_view key);
  // What was handed out of `value` is handed out of its new container too.
  static void note_insertion(ContainerNode* into, const Json& value);

  static void hold(JsonNode* node) noexcept;
  static void drop(Kind kind, JsonNode* node) noexcept;
  static void freeze(Json& value) noexcept;
  static bool equal(const Json& a, const Json& b) noexcept;
};

}  // namespace flotilla::api
