// SPDX-License-Identifier: Apache-2.0
#include "core/cel/value.hpp"

#include <cmath>

#include "core/cel/text.hpp"
#include "core/cel/time.hpp"

namespace flotilla::cel {
namespace {

using api::Json;
using Elements = std::vector<Value>;
using Entries = std::vector<Entry>;

// What the type of a container says of a member.
const Type& element_type(const Type& type) {
  return type.element() && (type.is(TypeKind::List) || type.is(TypeKind::Map)) ? *type.element()
                                                                               : *Type::dyn();
}

template <typename T>
const T& held(const std::shared_ptr<const void>& owner) {
  return *static_cast<const T*>(owner.get());
}

std::optional<int> order(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::nullopt;
  return a < b ? -1 : a > b ? 1 : 0;
}

int order(std::int64_t a, std::int64_t b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

int order(std::int64_t a, std::uint64_t b) {
  if (a < 0) return -1;
  const auto positive = static_cast<std::uint64_t>(a);
  return positive < b ? -1 : positive > b ? 1 : 0;
}

// Exact: a double may lie between two integers, or beyond them all.
std::optional<int> order_int_double(std::int64_t a, double b) {
  if (std::isnan(b)) return std::nullopt;
  if (b >= 9223372036854775808.0) return -1;
  if (b < -9223372036854775808.0) return 1;
  const auto whole = static_cast<std::int64_t>(b);
  if (a != whole) return a < whole ? -1 : 1;
  const double rest = b - static_cast<double>(whole);
  return rest > 0 ? -1 : rest < 0 ? 1 : 0;
}

std::optional<int> order_uint_double(std::uint64_t a, double b) {
  if (std::isnan(b)) return std::nullopt;
  if (b >= 18446744073709551616.0) return -1;
  if (b < 0) return 1;
  const auto whole = static_cast<std::uint64_t>(b);
  if (a != whole) return a < whole ? -1 : 1;
  return b > static_cast<double>(whole) ? -1 : 0;
}

std::optional<int> order_numbers(const Value& a, const Value& b) {
  using Kind = Value::Kind;
  const auto flipped = [](std::optional<int> sign) { return sign ? std::optional<int>(-*sign) : sign; };
  switch (a.kind()) {
    case Kind::Int:
      if (b.is(Kind::Int)) return order(a.as_int(), b.as_int());
      if (b.is(Kind::Uint)) return order(a.as_int(), b.as_uint());
      return order_int_double(a.as_int(), b.as_double());
    case Kind::Uint:
      if (b.is(Kind::Int)) return -order(b.as_int(), a.as_uint());
      if (b.is(Kind::Uint)) return a.as_uint() < b.as_uint() ? -1 : a.as_uint() > b.as_uint() ? 1 : 0;
      return order_uint_double(a.as_uint(), b.as_double());
    default:
      if (b.is(Kind::Int)) return flipped(order_int_double(b.as_int(), a.as_double()));
      if (b.is(Kind::Uint)) return flipped(order_uint_double(b.as_uint(), a.as_double()));
      return order(a.as_double(), b.as_double());
  }
}

Value view_number(const Json& json, const Type& type) {
  if (type.is(TypeKind::Double)) return Value::number(json.as_double());
  if (json.is_int()) return Value::integer(json.as_int());
  const double number = json.as_double();
  if (type.is(TypeKind::Int) && std::trunc(number) == number && std::abs(number) < 9.2e18)
    return Value::integer(json.as_int());
  return Value::number(number);
}

Value view_string(const Json& json, const Type& type) {
  const std::string_view text = json.as_string();
  switch (type.kind()) {
    case TypeKind::Timestamp:
      if (const auto instant = parse_timestamp(text)) return Value::timestamp(*instant);
      if (const auto instant = parse_timestamp(std::string(text) + "T00:00:00Z"))
        return Value::timestamp(*instant);
      return Value::string_view(text);
    case TypeKind::Duration:
      if (const auto nanos = parse_nanos(text)) return Value::duration(*nanos);
      return Value::string_view(text);
    case TypeKind::Bytes:
      if (auto decoded = decode_base64(text)) return Value::bytes(*std::move(decoded));
      return Value::string_view(text);
    default:
      return Value::string_view(text);
  }
}

}  // namespace

Value Value::view(const Json& json, const cel::Type& type) {
  switch (json.type()) {
    case Json::Type::Null:
      return {};
    case Json::Type::Bool:
      return boolean(json.as_bool());
    case Json::Type::Int:
    case Json::Type::Float:
      return view_number(json, type);
    case Json::Type::String:
      return view_string(json, type);
    case Json::Type::Array:
    case Json::Type::Object: {
      Value made(json.is_array() ? Kind::List : Kind::Map);
      made.view_ = {&json, &type};
      return made;
    }
  }
  return {};
}

Value Value::boolean(bool value) {
  Value made(Kind::Bool);
  made.bool_ = value;
  return made;
}

Value Value::integer(std::int64_t value) {
  Value made(Kind::Int);
  made.int_ = value;
  return made;
}

Value Value::unsigned_integer(std::uint64_t value) {
  Value made(Kind::Uint);
  made.uint_ = value;
  return made;
}

Value Value::number(double value) {
  Value made(Kind::Double);
  made.double_ = value;
  return made;
}

Value Value::string_view(std::string_view value) {
  Value made(Kind::String);
  made.text_ = value;
  return made;
}

Value Value::string(std::string value) {
  auto owner = std::make_shared<const std::string>(std::move(value));
  Value made = string_view(*owner);
  made.owner_ = std::move(owner);
  return made;
}

Value Value::bytes(std::string value) {
  Value made = string(std::move(value));
  made.kind_ = Kind::Bytes;
  return made;
}

Value Value::timestamp(Instant value) {
  Value made(Kind::Timestamp);
  made.instant_ = value;
  return made;
}

Value Value::duration(std::int64_t nanoseconds) {
  Value made(Kind::Duration);
  made.int_ = nanoseconds;
  return made;
}

Value Value::list(std::vector<Value> elements) {
  Value made(Kind::List);
  made.owner_ = std::make_shared<const Elements>(std::move(elements));
  return made;
}

Value Value::map(std::vector<Entry> entries) {
  Value made(Kind::Map);
  made.owner_ = std::make_shared<const Entries>(std::move(entries));
  return made;
}

Value Value::some(Value value) {
  Value made(Kind::Optional);
  made.owner_ = std::make_shared<const Value>(std::move(value));
  return made;
}

Value Value::none() {
  return Value(Kind::Optional);
}

Value Value::type(TypePtr type) {
  Value made(Kind::Type);
  made.type_ = type.get();
  made.owner_ = std::move(type);
  return made;
}

Value Value::opaque(std::shared_ptr<const Opaque> value) {
  Value made(Kind::Opaque);
  made.owner_ = std::move(value);
  return made;
}

Value Value::lazy(std::shared_ptr<LazyObject> value) {
  Value made(Kind::Lazy);
  made.owner_ = std::move(value);
  return made;
}

std::string_view Value::as_string() const {
  return kind_ == Kind::String || kind_ == Kind::Bytes ? text_ : std::string_view();
}

const Opaque* Value::as_opaque() const {
  return kind_ == Kind::Opaque ? &held<Opaque>(owner_) : nullptr;
}

std::shared_ptr<const Opaque> Value::share_opaque() const {
  return kind_ == Kind::Opaque ? std::static_pointer_cast<const Opaque>(owner_) : nullptr;
}

const cel::Type* Value::as_type() const {
  return kind_ == Kind::Type ? type_ : nullptr;
}

LazyObject* Value::as_lazy() const {
  if (kind_ != Kind::Lazy) return nullptr;
  return std::const_pointer_cast<LazyObject>(std::static_pointer_cast<const LazyObject>(owner_)).get();
}

const Value* Value::content() const {
  return kind_ == Kind::Optional && owner_ ? &held<Value>(owner_) : nullptr;
}

std::size_t Value::size() const {
  if (kind_ == Kind::List) return owner_ ? held<Elements>(owner_).size() : view_.json->size();
  if (kind_ == Kind::Map) return owner_ ? held<Entries>(owner_).size() : view_.json->size();
  return 0;
}

Value Value::element(std::size_t index) const {
  if (kind_ != Kind::List || index >= size()) return {};
  if (owner_) return held<Elements>(owner_)[index];
  return view(view_.json->elements()[index], element_type(*view_.type));
}

std::optional<Value> Value::find(std::string_view key) const {
  if (kind_ != Kind::Map) return std::nullopt;
  if (owner_) return find(string_view(key));
  if (!view_.type->is(TypeKind::Object)) {
    const Json* member = view_.json->find(key);
    return member ? std::optional<Value>(view(*member, element_type(*view_.type))) : std::nullopt;
  }
  const ObjectField* field = view_.type->field(key);
  const Json* member = field ? view_.json->find(field->key) : nullptr;
  if (member == nullptr || member->is_null()) return std::nullopt;
  return view(*member, *field->type);
}

std::optional<Value> Value::find(const Value& key) const {
  if (kind_ != Kind::Map) return std::nullopt;
  if (!owner_) return key.is(Kind::String) ? find(key.as_string()) : std::nullopt;
  for (const auto& [own, value] : held<Entries>(owner_))
    if (own == key) return value;
  return std::nullopt;
}

void Value::each(const std::function<bool(const Value&)>& visit) const {
  if (kind_ == Kind::List) {
    for (std::size_t i = 0, count = size(); i < count; ++i)
      if (!visit(element(i))) return;
    return;
  }
  each_entry([&](const Value& key, const Value&) { return visit(key); });
}

void Value::each_entry(const std::function<bool(const Value&, const Value&)>& visit) const {
  if (kind_ != Kind::Map) return;
  if (owner_) {
    for (const auto& [key, value] : held<Entries>(owner_))
      if (!visit(key, value)) return;
    return;
  }
  for (const auto [key, member] : view_.json->members()) {
    if (!view_.type->is(TypeKind::Object)) {
      if (!visit(string_view(key), view(member, element_type(*view_.type)))) return;
    } else if (const ObjectField* field = view_.type->field_of_key(key)) {
      if (!visit(string_view(field->name), view(member, *field->type))) return;
    }
  }
}

bool Value::equals(const Value& other) const {
  note_work(1);
  if (is_number() && other.is_number()) return order_numbers(*this, other) == 0;
  if (kind_ != other.kind_) return false;
  switch (kind_) {
    case Kind::Null:
      return true;
    case Kind::Bool:
      return bool_ == other.bool_;
    case Kind::String:
    case Kind::Bytes:
      return text_ == other.text_;
    case Kind::Timestamp:
      return instant_ == other.instant_;
    case Kind::Duration:
      return int_ == other.int_;
    case Kind::List:
      return equal_lists(other);
    case Kind::Map:
      return equal_maps(other);
    case Kind::Optional:
      if (!owner_ || !other.owner_) return !owner_ && !other.owner_;
      return *content() == *other.content();
    case Kind::Type:
      return type_name_of(*type_) == type_name_of(*other.type_);
    case Kind::Opaque:
      return as_opaque()->type_name() == other.as_opaque()->type_name() &&
             as_opaque()->equals(*other.as_opaque());
    default:
      return owner_ == other.owner_;
  }
}

bool Value::equal_lists(const Value& other) const {
  const std::size_t count = size();
  if (count != other.size()) return false;
  // One side that knows better is enough: a set equals a literal of its elements.
  const cel::Type* type = view_type();
  if (!type || type->list_kind() == ListKind::Atomic) type = other.view_type();
  const ListKind kind = type ? type->list_kind() : ListKind::Atomic;
  if (kind == ListKind::Atomic) {
    for (std::size_t i = 0; i < count; ++i)
      if (!(element(i) == other.element(i))) return false;
    return true;
  }
  const auto matches = [&](const Value& mine, const Value& theirs) {
    return kind == ListKind::Set ? mine == theirs : same_list_keys(mine, theirs, type->list_keys());
  };
  for (std::size_t i = 0; i < count; ++i) {
    const Value mine = element(i);
    bool found = false;
    for (std::size_t j = 0; j < count && !found; ++j) {
      // Mostly the other stands at the same place.
      const Value theirs = other.element((i + j) % count);
      if (!matches(mine, theirs)) continue;
      if (!(mine == theirs)) return false;
      found = true;
    }
    if (!found) return false;
  }
  return true;
}

// What the type does not declare counts too: it is only that expressions cannot name it.
bool Value::equal_objects(const Value& other) const {
  if (view_.json->size() != other.view_.json->size()) return false;
  for (const auto [key, mine] : view_.json->members()) {
    const Json* theirs = other.view_.json->find(key);
    if (theirs == nullptr) return false;
    const ObjectField* field = view_.type->field_of_key(key);
    const cel::Type& type = field ? *field->type : *cel::Type::dyn();
    if (!(view(mine, type) == view(*theirs, type))) return false;
  }
  return true;
}

bool Value::equal_maps(const Value& other) const {
  const auto is_object = [](const Value& value) {
    return !value.owner_ && value.view_.type->is(TypeKind::Object);
  };
  if (is_object(*this) && is_object(other)) return equal_objects(other);
  std::size_t mine = 0;
  bool same = true;
  each_entry([&](const Value& key, const Value& value) {
    ++mine;
    const std::optional<Value> theirs = other.find(key);
    same = theirs && *theirs == value;
    return same;
  });
  if (!same) return false;
  return mine == other.size();
}

std::optional<int> Value::compare(const Value& other) const {
  if (is_number() && other.is_number()) return order_numbers(*this, other);
  if (kind_ != other.kind_) return std::nullopt;
  switch (kind_) {
    case Kind::Bool:
      return static_cast<int>(bool_) - static_cast<int>(other.bool_);
    case Kind::String:
    case Kind::Bytes: {
      const int sign = text_.compare(other.text_);
      return sign < 0 ? -1 : sign > 0 ? 1 : 0;
    }
    case Kind::Timestamp:
      return instant_ < other.instant_ ? -1 : other.instant_ < instant_ ? 1 : 0;
    case Kind::Duration:
      return order(int_, other.int_);
    default:
      return std::nullopt;
  }
}

std::string_view Value::type_name() const {
  switch (kind_) {
    case Kind::Null:
      return "null_type";
    case Kind::Bool:
      return "bool";
    case Kind::Int:
      return "int";
    case Kind::Uint:
      return "uint";
    case Kind::Double:
      return "double";
    case Kind::String:
      return "string";
    case Kind::Bytes:
      return "bytes";
    case Kind::Timestamp:
      return "google.protobuf.Timestamp";
    case Kind::Duration:
      return "google.protobuf.Duration";
    case Kind::List:
      return "list";
    case Kind::Map:
      return !owner_ && view_.type->is(TypeKind::Object) ? std::string_view(view_.type->name()) : "map";
    case Kind::Optional:
      return "optional_type";
    case Kind::Type:
      return "type";
    case Kind::Opaque:
      return as_opaque()->type_name();
    case Kind::Lazy:
      return "kubernetes.variables";
  }
  return "dyn";
}

std::uint64_t Value::cost_size() const {
  switch (kind_) {
    case Kind::String:
      return count_characters(text_);
    case Kind::Bytes:
      return text_.size();
    case Kind::List:
    case Kind::Map:
      return size();
    case Kind::Opaque:
      return as_opaque()->size();
    default:
      return 1;
  }
}

Result<Json> Value::to_json() const {
  switch (kind_) {
    case Kind::Null:
      return Json();
    case Kind::Bool:
      return Json(bool_);
    case Kind::Int:
      return Json(int_);
    case Kind::Uint:
      if (uint_ > static_cast<std::uint64_t>(INT64_MAX)) return Json(static_cast<double>(uint_));
      return Json(static_cast<std::int64_t>(uint_));
    case Kind::Double:
      return Json(double_);
    case Kind::String:
      return Json(text_);
    case Kind::Bytes:
      return Json(encode_base64(text_));
    case Kind::Timestamp:
      return Json(timestamp_text(instant_));
    case Kind::Duration:
      return Json(duration_text(int_));
    case Kind::Optional:
      return content() ? content()->to_json() : Result<Json>(Json());
    case Kind::List: {
      if (!owner_) return *view_.json;
      Json made = Json::array();
      for (const Value& element : held<Elements>(owner_)) {
        auto json = element.to_json();
        if (!json) return json;
        made.push_back(*std::move(json));
      }
      return made;
    }
    case Kind::Map: {
      if (!owner_) return *view_.json;
      Json made = Json::object();
      for (const auto& [key, value] : held<Entries>(owner_)) {
        if (!key.is(Kind::String))
          return invalid("a key of type " + std::string(key.type_name()) + " is no JSON key");
        auto json = value.to_json();
        if (!json) return json;
        made.set(key.as_string(), *std::move(json));
      }
      return made;
    }
    default:
      return invalid("a value of type " + std::string(type_name()) + " is no JSON value");
  }
}

}  // namespace flotilla::cel
