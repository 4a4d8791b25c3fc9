// SPDX-License-Identifier: Apache-2.0
// What an expression may stand for. Types are immutable trees shared by pointer; the simple ones exist once.
//
// A type also says how a JSON document is read: a string of type Timestamp is an instant, a list of the set
// kind is compared without regard to order, a member that the type does not declare is not there.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"

namespace flotilla::cel {

class Type;
using TypePtr = std::shared_ptr<const Type>;

enum class TypeKind : std::uint8_t {
  Dyn,  // no statement: checked at run time
  Null,
  Bool,
  Int,
  Uint,
  Double,
  String,
  Bytes,
  Timestamp,
  Duration,
  List,      // element()
  Map,       // key(), element()
  Object,    // fields()
  Optional,  // element()
  TypeType,  // of the values `int`, `string`, ...; element() where it is known
  Opaque,    // of a library: kubernetes.Quantity, net.IP, ...; name()
  Param,     // of a function's signature: name(); not for callers
};

enum class ListKind : std::uint8_t { Atomic, Set, Map };

struct ObjectField {
  std::string name;  // as expressions write it: "foo__dash__bar"
  std::string key;   // as the document has it: "foo-bar"
  TypePtr type;
};

class Type {
 public:
  // No bound: what fits into a request of 3 MiB.
  static constexpr std::uint64_t kUnbounded = ~std::uint64_t{0};

  static const TypePtr& dyn();
  static const TypePtr& null();
  static const TypePtr& boolean();
  static const TypePtr& integer();
  static const TypePtr& unsigned_integer();
  static const TypePtr& number();
  static const TypePtr& string();
  static const TypePtr& bytes();
  static const TypePtr& timestamp();
  static const TypePtr& duration();
  // kubernetes.authorization.Authorizer, see authorization.hpp.
  static const TypePtr& authorizer();

  static TypePtr list(TypePtr element);
  static TypePtr map(TypePtr key, TypePtr value);
  // Two object types are the same type only when they are the same pointer.
  static TypePtr object(std::string name, std::vector<ObjectField> fields);
  static TypePtr optional(TypePtr of);
  static TypePtr type_of(TypePtr of);
  static TypePtr opaque(std::string name, std::vector<TypePtr> parameters = {});
  static TypePtr param(std::string name);
  static TypePtr simple(TypeKind kind);
  // Copies with one more statement.
  static TypePtr bounded(const Type& type, std::uint64_t max_elements);
  static TypePtr listed(const Type& list, ListKind kind, std::vector<std::string> keys);

  TypeKind kind() const { return kind_; }
  bool is(TypeKind kind) const { return kind_ == kind; }
  const std::string& name() const { return name_; }
  const TypePtr& key() const { return key_; }
  const TypePtr& element() const { return element_; }
  const std::vector<TypePtr>& parameters() const { return parameters_; }
  const std::vector<ObjectField>& fields() const { return fields_; }  // ascending by name
  const ObjectField* field(std::string_view name) const;
  const ObjectField* field_of_key(std::string_view key) const;

  ListKind list_kind() const { return list_kind_; }
  const std::vector<std::string>& list_keys() const { return list_keys_; }
  // The most elements of a list or map, characters of a string.
  std::uint64_t max_elements() const { return max_elements_; }

  // As errors print it: "list(int)", "map(string, dyn)".
  std::string text() const;

 private:
  explicit Type(TypeKind kind) : kind_(kind) {}
  static std::shared_ptr<Type> make(TypeKind kind);

  TypeKind kind_;
  ListKind list_kind_ = ListKind::Atomic;
  std::string name_;
  TypePtr key_;
  TypePtr element_;
  std::vector<TypePtr> parameters_;
  std::vector<ObjectField> fields_;
  std::vector<std::string> list_keys_;
  std::uint64_t max_elements_ = kUnbounded;
};

// The type that a node of an openAPIV3Schema declares; null where Kubernetes declares none (no type, or a
// list or map whose elements have none): expressions cannot see such members. `is_resource`: the root of a
// custom resource, where apiVersion, kind, metadata.name and metadata.generateName are always declared;
// embedded resources below it are recognised. int-or-string is Dyn.
TypePtr type_of_schema(const api::Json& schema, bool is_resource);

// The name by which expressions reach a property: "a-b" is "a__dash__b", "in" is "__in__". Nothing for what
// cannot be reached.
std::optional<std::string> escape_property(std::string_view property);
// The property that an escaped name means; nothing where the escape is malformed.
std::optional<std::string> unescape_property(std::string_view name);

}  // namespace flotilla::cel
