// SPDX-License-Identifier: Apache-2.0
// What is known about types: fields, lists, maps, defaults and merge keys, in one node type for built-in
// kinds, Karmada's kinds and custom resources alike. Patches, apply, decoding, defaulting, validation and
// OpenAPI are all driven by it.
//
// A Schema is owned by its TypeSet and lives as long; fields may lead back to their own type
// (JSONSchemaProps). Built-in types come from config/schema/types.txt, which lies in the program's read-only
// data and is read on first use. Everything here is immutable once built: any thread may read it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::api {

enum class SchemaKind : std::uint8_t {
  Any,     // no statement: arbitrary JSON
  Struct,  // an object with declared fields
  Map,     // an object with arbitrary keys, items() is the value's type
  List,    // items() is the element's type
  String,
  Integer,
  Number,
  Boolean,
  IntOrString,
  Quantity,   // a string or number, kept in canonical form by typed kinds
  Time,       // RFC 3339, whole seconds
  MicroTime,  // RFC 3339, six digits
};

enum class ListType : std::uint8_t { Atomic, Set, Map };

// Strategic merge patch: what x-kubernetes-patch-strategy says of a field.
struct PatchStrategy {
  bool merge = false;
  bool retain_keys = false;
  bool replace = false;
  std::string_view merge_key;  // empty for lists of primitives
};

class Schema;

struct Field {
  std::string_view name;
  const Schema* schema = nullptr;
  PatchStrategy patch;
  std::string_view default_text;  // JSON; empty when there is none
  bool required = false;
  // Go's *T: an optional scalar that keeps 0, "" and false. Only typed kinds.
  bool pointer = false;
  bool always_written = false;  // as null when it is unset

  bool has_default() const { return !default_text.empty(); }
  // A struct that Go writes even when it is empty ("resources": {}).
  bool always_present() const { return default_text == "{}"; }
};

// Value checks beyond the type; absent for most nodes.
struct Facets {
  std::string_view pattern;
  std::optional<double> minimum, maximum, multiple_of;
  bool exclusive_minimum = false, exclusive_maximum = false;
  std::optional<std::int64_t> min_length, max_length, min_items, max_items, min_properties, max_properties;
  bool unique_items = false;
  std::vector<std::string_view> required;  // of objects, also of those without declared fields
  std::string_view rules;                  // x-kubernetes-validations, JSON text
  std::string_view junctors;               // {"allOf", "anyOf", "oneOf", "not"}, JSON text
  // The same as nodes.
  std::vector<const Schema*> all_of, any_of, one_of;
  const Schema* none_of = nullptr;
};

class Schema {
 public:
  SchemaKind kind() const { return kind_; }
  bool is(SchemaKind kind) const { return kind_ == kind; }
  bool is_scalar() const { return kind_ >= SchemaKind::String; }
  // "io.k8s.api.apps.v1.DeploymentSpec" for named types, else empty.
  std::string_view name() const { return name_; }
  std::string_view format() const { return format_; }  // int32, int64, byte, date-time, ...
  // False below allOf, anyOf, oneOf and not where only values are restricted.
  bool states_type() const { return states_type_; }

  // Ascending by name. Struct only.
  std::span<const Field> fields() const { return fields_; }
  const Field* field(std::string_view name) const;
  // Of List and Map; a node of kind Any where nothing is said.
  const Schema& items() const;
  // The type of a member: the field's, a map's value type, or null for what is not declared.
  const Schema* member(std::string_view key) const;

  ListType list_type() const { return list_type_; }
  std::span<const std::string_view> list_keys() const { return list_keys_; }
  bool atomic_map() const { return atomic_map_; }  // x-kubernetes-map-type: atomic, maps and structs
  bool preserve_unknown() const { return preserve_unknown_; }
  bool embedded_resource() const { return embedded_resource_; }
  bool nullable() const { return nullable_; }
  // JSON values as text, in order: "\"TCP\"".
  std::span<const std::string_view> enumeration() const { return enum_; }
  const Facets* facets() const { return facets_.get(); }

  // Knows nothing: maps are granular, lists atomic.
  static const Schema& any();

 private:
  friend class TypeReader;
  friend class CrdReader;

  SchemaKind kind_ = SchemaKind::Any;
  ListType list_type_ = ListType::Atomic;
  bool atomic_map_ = false;
  bool preserve_unknown_ = false;
  bool embedded_resource_ = false;
  bool nullable_ = false;
  bool states_type_ = true;
  std::string_view name_;
  std::string_view format_;
  const Schema* items_ = nullptr;
  std::vector<Field> fields_;
  std::vector<std::string_view> list_keys_;
  std::vector<std::string_view> enum_;
  std::unique_ptr<const Facets> facets_;
};

// A closed set of types and the text they point into.
class TypeSet {
 public:
  TypeSet() = default;
  TypeSet(const TypeSet&) = delete;
  TypeSet& operator=(const TypeSet&) = delete;

  // Kubernetes' and Karmada's types.
  static const TypeSet& builtin();
  // "io.k8s.api.apps.v1.Deployment"; null when unknown.
  const Schema* find(std::string_view name) const;
  // In order of the file.
  std::span<const Schema* const> named() const { return named_; }

 private:
  friend class TypeReader;
  friend class CrdReader;

  std::deque<Schema> nodes_;
  std::deque<std::string> texts_;
  std::vector<const Schema*> named_;
  std::unordered_map<std::string_view, const Schema*> by_name_;
};

// The schema of one version of a custom resource: spec.versions[].schema.openAPIV3Schema. The root gets
// apiVersion, kind and metadata (ObjectMeta's built-in type) beside what it declares; null gives a schema
// that preserves everything. Errors: Invalid when it is not a structural schema that can be read at all;
// whether it obeys every structural rule is validation's business.
struct CustomSchema {
  std::shared_ptr<const TypeSet> types;
  const Schema* root = nullptr;
};
Result<CustomSchema> read_custom_schema(const Json& open_api_v3_schema);
// {"allOf": [...], "not": {...}, ...} as nodes of `set`.
void read_junctors(TypeSet& set, const Json& junctors, Facets& into);

}  // namespace flotilla::api
