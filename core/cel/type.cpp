// SPDX-License-Identifier: Apache-2.0
#include "core/cel/type.hpp"

#include <algorithm>

namespace flotilla::cel {
namespace {

std::string joined(const std::vector<TypePtr>& types) {
  std::string out;
  for (const TypePtr& type : types) out += (out.empty() ? "" : ", ") + type->text();
  return out;
}

std::string_view simple_name(TypeKind kind) {
  switch (kind) {
    case TypeKind::Null:
      return "null";
    case TypeKind::Bool:
      return "bool";
    case TypeKind::Int:
      return "int";
    case TypeKind::Uint:
      return "uint";
    case TypeKind::Double:
      return "double";
    case TypeKind::String:
      return "string";
    case TypeKind::Bytes:
      return "bytes";
    case TypeKind::Timestamp:
      return "timestamp";
    case TypeKind::Duration:
      return "duration";
    default:
      return "dyn";
  }
}

}  // namespace

std::shared_ptr<Type> Type::make(TypeKind kind) {
  return std::shared_ptr<Type>(new Type(kind));
}

TypePtr Type::simple(TypeKind kind) {
  static const auto all = [] {
    std::vector<TypePtr> made;
    for (int i = 0; i <= static_cast<int>(TypeKind::Duration); ++i)
      made.push_back(make(static_cast<TypeKind>(i)));
    return made;
  }();
  return all[static_cast<std::size_t>(kind)];
}

const TypePtr& Type::dyn() {
  static const TypePtr type = simple(TypeKind::Dyn);
  return type;
}
const TypePtr& Type::null() {
  static const TypePtr type = simple(TypeKind::Null);
  return type;
}
const TypePtr& Type::boolean() {
  static const TypePtr type = simple(TypeKind::Bool);
  return type;
}
const TypePtr& Type::integer() {
  static const TypePtr type = simple(TypeKind::Int);
  return type;
}
const TypePtr& Type::unsigned_integer() {
  static const TypePtr type = simple(TypeKind::Uint);
  return type;
}
const TypePtr& Type::number() {
  static const TypePtr type = simple(TypeKind::Double);
  return type;
}
const TypePtr& Type::string() {
  static const TypePtr type = simple(TypeKind::String);
  return type;
}
const TypePtr& Type::bytes() {
  static const TypePtr type = simple(TypeKind::Bytes);
  return type;
}
const TypePtr& Type::timestamp() {
  static const TypePtr type = simple(TypeKind::Timestamp);
  return type;
}
const TypePtr& Type::duration() {
  static const TypePtr type = simple(TypeKind::Duration);
  return type;
}
const TypePtr& Type::authorizer() {
  static const TypePtr type = opaque("kubernetes.authorization.Authorizer");
  return type;
}

TypePtr Type::list(TypePtr element) {
  auto type = make(TypeKind::List);
  type->element_ = std::move(element);
  return type;
}

TypePtr Type::map(TypePtr key, TypePtr value) {
  auto type = make(TypeKind::Map);
  type->key_ = std::move(key);
  type->element_ = std::move(value);
  return type;
}

TypePtr Type::object(std::string name, std::vector<ObjectField> fields) {
  auto type = make(TypeKind::Object);
  type->name_ = std::move(name);
  type->fields_ = std::move(fields);
  std::sort(type->fields_.begin(), type->fields_.end(),
            [](const ObjectField& a, const ObjectField& b) { return a.name < b.name; });
  return type;
}

TypePtr Type::optional(TypePtr of) {
  auto type = make(TypeKind::Optional);
  type->element_ = std::move(of);
  return type;
}

TypePtr Type::type_of(TypePtr of) {
  auto type = make(TypeKind::TypeType);
  type->element_ = std::move(of);
  return type;
}

TypePtr Type::opaque(std::string name, std::vector<TypePtr> parameters) {
  auto type = make(TypeKind::Opaque);
  type->name_ = std::move(name);
  type->parameters_ = std::move(parameters);
  return type;
}

TypePtr Type::param(std::string name) {
  auto type = make(TypeKind::Param);
  type->name_ = std::move(name);
  return type;
}

TypePtr Type::bounded(const Type& type, std::uint64_t max_elements) {
  auto copy = std::shared_ptr<Type>(new Type(type));
  copy->max_elements_ = max_elements;
  return copy;
}

TypePtr Type::listed(const Type& list, ListKind kind, std::vector<std::string> keys) {
  auto copy = std::shared_ptr<Type>(new Type(list));
  copy->list_kind_ = kind;
  copy->list_keys_ = std::move(keys);
  return copy;
}

const ObjectField* Type::field(std::string_view name) const {
  const auto it =
      std::lower_bound(fields_.begin(), fields_.end(), name,
                       [](const ObjectField& field, std::string_view wanted) { return field.name < wanted; });
  return it != fields_.end() && it->name == name ? &*it : nullptr;
}

const ObjectField* Type::field_of_key(std::string_view key) const {
  if (const ObjectField* same = field(key); same != nullptr && same->key == key) return same;
  const auto it = std::find_if(fields_.begin(), fields_.end(),
                               [&](const ObjectField& field) { return field.key == key; });
  return it == fields_.end() ? nullptr : &*it;
}

std::string Type::text() const {
  switch (kind_) {
    case TypeKind::List:
      return "list(" + element_->text() + ")";
    case TypeKind::Map:
      return "map(" + key_->text() + ", " + element_->text() + ")";
    case TypeKind::Object:
    case TypeKind::Param:
      return name_;
    case TypeKind::Optional:
      return "optional_type(" + element_->text() + ")";
    case TypeKind::TypeType:
      return element_ ? "type(" + element_->text() + ")" : "type";
    case TypeKind::Opaque:
      return parameters_.empty() ? name_ : name_ + "(" + joined(parameters_) + ")";
    default:
      return std::string(simple_name(kind_));
  }
}

}  // namespace flotilla::cel
