// SPDX-License-Identifier: Apache-2.0
// What an expression yields. A value over a document is a view: the document and the type given with it must
// outlive the value and everything that was made of it. Made values (strings, lists) own what they hold.
//
// A member of an object that is null is absent, an element of a list or a map may be null.
// Absence is no value: it is an error ("no such key: x") or an Optional without content.
// Thread: immutable once made; as many readers as wanted.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/result.hpp"
#include "core/cel/type.hpp"

namespace flotilla::cel {

class Budget;
class Value;
using Entry = std::pair<Value, Value>;

// Of a library's own type: a quantity, an address, an authorizer.
class Opaque {
 public:
  virtual ~Opaque() = default;
  virtual std::string_view type_name() const = 0;
  virtual bool equals(const Opaque& other) const = 0;
  // What comparing it costs, in characters.
  virtual std::uint64_t size() const { return 1; }
  virtual std::string text() const { return std::string(type_name()); }
};

// An object whose members are made when they are first asked for (the `variables` of a policy).
// Thread: one evaluation at a time.
class LazyObject {
 public:
  virtual ~LazyObject() = default;
  virtual bool has(std::string_view name) const = 0;
  // What the member costs is charged to `budget`. Errors: those of its expression.
  virtual Result<Value> member(std::string_view name, Budget& budget) = 0;
};

class Value {
 public:
  enum class Kind : std::uint8_t {
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    List,
    Map,
    Optional,
    Type,
    Opaque,
    Lazy,
  };
  // Years 1 to 9999. The offset is how it was written; it tells nothing of when.
  struct Instant {
    std::int64_t seconds = 0;
    std::int32_t nanos = 0;
    std::int32_t offset_seconds = 0;
    std::strong_ordering operator<=>(const Instant& other) const {
      return seconds != other.seconds ? seconds <=> other.seconds : nanos <=> other.nanos;
    }
    bool operator==(const Instant& other) const { return seconds == other.seconds && nanos == other.nanos; }
  };

  Value() noexcept : int_(0) {}  // null
  // A document as its type reads it; the type of what a type does not know is Dyn. `json` and `type` must
  // outlive the value.
  static Value view(const api::Json& json, const cel::Type& type);
  static Value view(const api::Json& json) { return view(json, *cel::Type::dyn()); }
  static Value boolean(bool value);
  static Value integer(std::int64_t value);
  static Value unsigned_integer(std::uint64_t value);
  static Value number(double value);
  static Value string(std::string value);
  static Value string_view(std::string_view value);  // must outlive the value
  static Value bytes(std::string value);
  static Value timestamp(Instant value);
  static Value duration(std::int64_t nanoseconds);
  static Value list(std::vector<Value> elements);
  static Value map(std::vector<Entry> entries);  // no key twice
  static Value some(Value value);                // an Optional with content
  static Value none();                           // and without
  static Value type(TypePtr type);
  static Value opaque(std::shared_ptr<const Opaque> value);
  static Value lazy(std::shared_ptr<LazyObject> value);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_null() const { return kind_ == Kind::Null; }
  bool is_number() const { return kind_ == Kind::Int || kind_ == Kind::Uint || kind_ == Kind::Double; }

  // Each only for its kind; the default of the type for all else.
  bool as_bool() const { return kind_ == Kind::Bool && bool_; }
  std::int64_t as_int() const { return kind_ == Kind::Int ? int_ : 0; }
  std::uint64_t as_uint() const { return kind_ == Kind::Uint ? uint_ : 0; }
  double as_double() const { return kind_ == Kind::Double ? double_ : 0; }
  std::string_view as_string() const;  // String and Bytes
  Instant as_timestamp() const { return kind_ == Kind::Timestamp ? instant_ : Instant{}; }
  std::int64_t as_duration() const { return kind_ == Kind::Duration ? int_ : 0; }
  const Opaque* as_opaque() const;
  std::shared_ptr<const Opaque> share_opaque() const;
  const cel::Type* as_type() const;
  LazyObject* as_lazy() const;
  const Value* content() const;  // of an Optional; null when it is none

  // Lists and maps: elements, entries. 0 for all else.
  std::size_t size() const;
  Value element(std::size_t index) const;
  std::optional<Value> find(const Value& key) const;
  std::optional<Value> find(std::string_view key) const;
  // Elements of a list, keys of a map; false from the visitor ends the walk.
  void each(const std::function<bool(const Value&)>& visit) const;
  void each_entry(const std::function<bool(const Value&, const Value&)>& visit) const;
  // Of a list that is a view: how it is compared.
  const cel::Type* view_type() const {
    return kind_ == Kind::List && owner_ == nullptr ? view_.type : nullptr;
  }
  // What a list or map views; null for made ones.
  const api::Json* document() const {
    return (kind_ == Kind::List || kind_ == Kind::Map) && owner_ == nullptr ? view_.json : nullptr;
  }

  // CEL's ==: numbers compare across their types, other types never equal each other.
  friend bool operator==(const Value& a, const Value& b) { return a.equals(b); }
  // -1, 0, 1; nothing when the two have no order (NaN, different types).
  std::optional<int> compare(const Value& other) const;

  // "int", "list", "google.protobuf.Timestamp", ...
  std::string_view type_name() const;
  // Size as cost accounting sees it: characters, elements, else 1.
  std::uint64_t cost_size() const;
  // Timestamps and durations as strings, bytes as base64, an Optional as its content. Errors: Invalid for
  // opaque values and maps whose keys are no strings.
  Result<api::Json> to_json() const;

 private:
  struct View {
    const api::Json* json;
    const cel::Type* type;
  };
  explicit Value(Kind kind) : kind_(kind), int_(0) {}
  bool equals(const Value& other) const;
  bool equal_lists(const Value& other) const;
  bool equal_maps(const Value& other) const;
  bool equal_objects(const Value& other) const;

  Kind kind_ = Kind::Null;
  union {
    bool bool_;
    std::int64_t int_;
    std::uint64_t uint_;
    double double_;
    Instant instant_;
    View view_;              // List, Map without an owner
    std::string_view text_;  // String, Bytes
    const cel::Type* type_;
  };
  // The text, the elements, the entries, the opaque or lazy object; null for views.
  std::shared_ptr<const void> owner_;
};

}  // namespace flotilla::cel
