// SPDX-License-Identifier: Apache-2.0
// The JSON value every room works with: 16 bytes, copied in constant time. Containers and long strings are
// counted nodes that copies share; who changes a shared node gets one of his own first (copy on write), so a
// document that differs from another in one field shares all else with it, and comparing the two looks at
// what is not shared alone. Text is nlohmann's business (adr 0006); only core/api/json*.cpp includes that
// library.
//
// Absent is not null: find() tells them apart; the convenient operator[] on a const value reads both as null.
// Object members are kept in ascending key order. Integers stay integers.
//
// References. A `Json&` or `Json*` to a member stays valid and its own until the member is erased or the
// value dies, whatever is added beside it; elements of arrays move when the array grows. Handing one out
// makes the nodes on its way unshareable, copies of them are made whole, until freeze() says that nobody
// holds such a reference any more. A `const Json&` into a value that is then changed shows what was there
// before or what is there now; take it anew after a change. Thread: as an int is; several threads may read
// and copy one const value. Access to the wrong type returns the default that the caller names, it never
// throws.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.hpp"

namespace flotilla::api {

// Bounds on text from outside.
struct ParseLimits {
  std::size_t max_bytes = 3u << 20;  // etcd's request limit is 1.5 MiB, Kubernetes reads up to 3 MiB
  int max_depth = 512;
};

class Json;

// Filled by Json::parse when the caller wants to know: paths like "spec.foo" of keys that occur twice.
using DuplicateKeys = std::vector<std::string>;

class Json {
 public:
  enum class Type : std::uint8_t { Null, Bool, Int, Float, String, Array, Object };

  struct Member;
  class MemberIterator;
  class Members;

  Json() noexcept = default;
  Json(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)
  template <std::same_as<bool> T>
  Json(T value) noexcept : Json(Tag::Bool, value) {}  // NOLINT(google-explicit-constructor)
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Json(T value) noexcept
      : Json(Tag::Int, static_cast<std::int64_t>(value)) {}  // NOLINT(google-explicit-constructor)
  Json(double value) noexcept;                               // NOLINT(google-explicit-constructor)
  Json(const char* value);                                   // NOLINT(google-explicit-constructor)
  Json(std::string_view value);                              // NOLINT(google-explicit-constructor)
  Json(std::string value);                                   // NOLINT(google-explicit-constructor)
  Json(const Json& other);
  Json(Json&& other) noexcept { take(other); }
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept {
    // `v = std::move(v["member"])` must work: the old tree dies last.
    Json taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Json() {
    if (is_node()) release();
  }

  // {"a": 1, "b": [2]} is object({{"a", 1}, {"b", array({2})}}).
  static Json object(std::initializer_list<std::pair<std::string_view, Json>> members = {});
  static Json array(std::initializer_list<Json> elements = {});
  static Json strings(std::span<const std::string> elements);

  // Errors: BadRequest with the position; TooLarge beyond the limits.
  static Result<Json> parse(std::string_view text, const ParseLimits& limits = {},
                            DuplicateKeys* duplicates = nullptr);
  std::string dump() const;
  std::string dump_pretty(int indent = 2) const;
  void append_to(std::string& out) const;                              // dump() without the temporary
  static void append_string(std::string& out, std::string_view text);  // text as a JSON string

  Type type() const noexcept { return kTypes[static_cast<std::size_t>(kind())]; }
  bool is_null() const noexcept { return type() == Type::Null; }
  bool is_bool() const noexcept { return type() == Type::Bool; }
  bool is_int() const noexcept { return type() == Type::Int; }
  bool is_number() const noexcept { return type() == Type::Int || type() == Type::Float; }
  bool is_string() const noexcept { return type() == Type::String; }
  bool is_array() const noexcept { return type() == Type::Array; }
  bool is_object() const noexcept { return type() == Type::Object; }

  bool as_bool(bool otherwise = false) const noexcept;
  std::int64_t as_int(std::int64_t otherwise = 0) const noexcept;  // floats with a whole value count
  double as_double(double otherwise = 0) const noexcept;
  std::string_view as_string(std::string_view otherwise = {}) const noexcept {
    if (kind() == Kind::ShortString) return {data_ + 2, static_cast<std::size_t>(data_[1])};
    return kind() == Kind::String ? long_string() : otherwise;
  }

  // Members of an object, elements of an array; 0 for all else.
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }

  // Objects. A const look-up of what is absent, or in a value that is no object, is the null value.
  const Json& operator[](std::string_view key) const noexcept;
  const Json& operator[](const char* key) const noexcept { return (*this)[std::string_view(key)]; }
  // Makes the object and the member where they are missing (a value of another type is replaced).
  Json& operator[](std::string_view key);
  Json& operator[](const char* key) { return (*this)[std::string_view(key)]; }
  const Json* find(std::string_view key) const noexcept;
  Json* find(std::string_view key) noexcept;
  bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }
  bool erase(std::string_view key);
  void set(std::string_view key, Json value);
  Members members() const noexcept;
  std::vector<std::string> keys() const;  // to change an object while walking it

  // at({"spec", "template", "metadata"}): null where any step is absent.
  const Json& at(std::initializer_list<std::string_view> path) const noexcept;
  // The same, made on the way.
  Json& make(std::initializer_list<std::string_view> path);

  // Arrays. The span is empty for all else and is invalidated by push_back and friends.
  std::span<const Json> elements() const noexcept;
  std::span<Json> elements() noexcept;
  const Json& element(std::size_t index) const noexcept;  // the null value beyond the end
  void push_back(Json value);                             // null becomes an array first
  void insert_at(std::size_t index, Json value);
  void erase_at(std::size_t index);

  // RFC 6901. Null pointer where there is nothing.
  const Json* find_pointer(std::string_view pointer) const;
  Json* find_pointer(std::string_view pointer);
  // RFC 6902. Errors: Invalid with the operation that failed. The value is unchanged on error.
  Status apply_json_patch(const Json& patch);
  // RFC 7386.
  void apply_merge_patch(const Json& patch);

  // Copies share from now on: no reference handed out by a changing call may be used for changes any more.
  void freeze() noexcept;

  friend bool operator==(const Json& a, const Json& b) noexcept { return a.equals(b); }
  void swap(Json& other) noexcept {
    char mine[sizeof data_];
    std::memcpy(mine, data_, sizeof data_);
    std::memcpy(data_, other.data_, sizeof data_);
    std::memcpy(other.data_, mine, sizeof data_);
  }

 private:
  friend struct JsonNodes;  // core/api/json_node.hpp
  enum class Tag { Bool, Int };
  // data_[0] is the Kind. ShortString: its size in data_[1], its text from data_ + 2 on. All others: eight
  // bytes of value or the node's address from data_ + 8 on.
  enum class Kind : char { Null, Bool, Int, Float, ShortString, String, Array, Object };
  static constexpr Type kTypes[] = {Type::Null,   Type::Bool,   Type::Int,   Type::Float,
                                    Type::String, Type::String, Type::Array, Type::Object};

  Json(Tag tag, std::int64_t value) noexcept;
  Kind kind() const noexcept { return static_cast<Kind>(data_[0]); }
  bool is_node() const noexcept { return kind() >= Kind::String; }
  void take(Json& other) noexcept {
    std::memcpy(data_, other.data_, sizeof data_);
    other.data_[0] = static_cast<char>(Kind::Null);
  }
  std::string_view long_string() const noexcept;
  void release() noexcept;
  bool equals(const Json& other) const noexcept;

  alignas(8) char data_[16] = {};
};

struct Json::Member {
  std::string_view key;
  const Json& value;
};

class Json::MemberIterator {
 public:
  using value_type = Member;
  using difference_type = std::ptrdiff_t;

  MemberIterator() = default;
  explicit MemberIterator(const void* at) : at_(at) {}
  Member operator*() const noexcept;
  MemberIterator& operator++() noexcept;
  MemberIterator operator++(int) noexcept {
    MemberIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const MemberIterator&) const = default;

 private:
  const void* at_ = nullptr;
};

class Json::Members {
 public:
  Members(MemberIterator first, MemberIterator last) : first_(first), last_(last) {}
  MemberIterator begin() const { return first_; }
  MemberIterator end() const { return last_; }

 private:
  MemberIterator first_;
  MemberIterator last_;
};

}  // namespace flotilla::api
