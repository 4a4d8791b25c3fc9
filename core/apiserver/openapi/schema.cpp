// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/openapi/schema.hpp"

#include <utility>

#include "core/api/schema/descriptions.hpp"

namespace flotilla::apiserver {
namespace {

using api::Json;
using api::Schema;
using api::SchemaKind;

constexpr std::string_view kIntOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
                           kQuantity = "io.k8s.apimachinery.pkg.api.resource.Quantity",
                           kTime = "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
                           kMicroTime = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
                           kObjectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

Json with_format(Json out, const Schema& schema) {
  if (!schema.format().empty()) out.set("format", schema.format());
  return out;
}

Json one_of_types(std::string_view a, std::string_view b) {
  return Json::array({Json::object({{"type", a}}), Json::object({{"type", b}})});
}

// Karmada's definitions have no named types: ours for their parts are called after where they stand.
bool is_anonymous(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return last.empty() || last.front() < 'A' || last.front() > 'Z' || last.find_first_of("[{") != last.npos;
}

void write_facets(const api::Facets& facets, Json& out) {
  const auto number = [&](std::string_view name, const auto& value) {
    if (value) out.set(name, *value);
  };
  number("minimum", facets.minimum);
  number("maximum", facets.maximum);
  number("multipleOf", facets.multiple_of);
  number("minLength", facets.min_length);
  number("maxLength", facets.max_length);
  number("minItems", facets.min_items);
  number("maxItems", facets.max_items);
  number("minProperties", facets.min_properties);
  number("maxProperties", facets.max_properties);
  if (facets.exclusive_minimum) out.set("exclusiveMinimum", true);
  if (facets.exclusive_maximum) out.set("exclusiveMaximum", true);
  if (!facets.pattern.empty()) out.set("pattern", facets.pattern);
}

// Version 2 knows no alternatives and no null.
void reduce(Json& schema) {
  if (!schema.is_object()) return;
  const bool nullable = std::as_const(schema)["nullable"].as_bool();
  const bool preserve = std::as_const(schema)["x-kubernetes-preserve-unknown-fields"].as_bool();
  for (const char* name : {"anyOf", "oneOf", "allOf", "not", "nullable", "default"}) schema.erase(name);
  if (std::as_const(schema)["x-kubernetes-int-or-string"].as_bool()) schema.erase("type");
  if (nullable) {
    for (const char* name : {"type", "items", "properties", "additionalProperties"}) schema.erase(name);
  }
  // Clients of version 2 would take the declared members for all that there are.
  if (preserve) {
    for (const char* name : {"items", "properties", "type"}) schema.erase(name);
  }
  if (Json* properties = schema.find("properties")) {
    for (const std::string& name : properties->keys()) reduce(*properties->find(name));
  }
  for (const char* name : {"items", "additionalProperties"}) {
    if (Json* inner = schema.find(name)) reduce(*inner);
  }
}

}  // namespace

Json SchemaWriter::reference_to(std::string_view component) const {
  return Json::object({{"$ref", (version_ == OpenApi::V2 ? "#/definitions/" : "#/components/schemas/") +
                                    std::string(component)}});
}

Json SchemaWriter::reference(const Schema& schema) {
  if (is_anonymous(schema.name())) return inline_schema(schema);
  wanted_.push_back(&schema);
  return reference_to(schema.name());
}

Json SchemaWriter::inline_schema(const Schema& schema) {
  Json out = typed(schema);
  const std::string_view last = schema.name().substr(schema.name().rfind('.') + 1);
  if (const std::string_view text = api::describe_type(last); !text.empty()) out.set("description", text);
  if (schema.nullable() && version_ == OpenApi::V3) out.set("nullable", true);
  if (schema.preserve_unknown()) out.set("x-kubernetes-preserve-unknown-fields", true);
  if (schema.embedded_resource()) out.set("x-kubernetes-embedded-resource", true);
  if (schema.atomic_map()) out.set("x-kubernetes-map-type", "atomic");
  for (const std::string_view value : schema.enumeration()) {
    if (auto parsed = Json::parse(value)) out["enum"].push_back(*std::move(parsed));
  }
  if (schema.facets()) write_facets(*schema.facets(), out);
  return out;
}

const Schema* SchemaWriter::next() {
  while (!wanted_.empty()) {
    const Schema* schema = wanted_.front();
    wanted_.pop_front();
    if (done_.emplace(schema->name()).second) return schema;
  }
  return nullptr;
}

Json SchemaWriter::scalar(std::string_view component) {
  scalars_.insert(component);
  return reference_to(component);
}

Json SchemaWriter::scalar_component(std::string_view component) const {
  const bool old = version_ == OpenApi::V2;
  if (component == kIntOrString) {
    return old ? Json::object({{"type", "string"}, {"format", "int-or-string"}})
               : Json::object({{"format", "int-or-string"}, {"oneOf", one_of_types("integer", "string")}});
  }
  if (component == kQuantity)
    return old ? Json::object({{"type", "string"}})
               : Json::object({{"oneOf", one_of_types("string", "number")}});
  return Json::object({{"type", "string"}, {"format", "date-time"}});
}

Json SchemaWriter::typed(const Schema& schema) {
  switch (schema.kind()) {
    case SchemaKind::Any:
      return version_ == OpenApi::V2 ? Json::object({{"type", "object"}}) : Json::object();
    case SchemaKind::Struct:
      return struct_schema(schema);
    case SchemaKind::Map:
      return Json::object({{"type", "object"}, {"additionalProperties", reference(schema.items())}});
    case SchemaKind::List:
      return list_schema(schema);
    case SchemaKind::Integer:
      return with_format(Json::object({{"type", "integer"}}), schema);
    case SchemaKind::Number:
      return with_format(Json::object({{"type", "number"}}), schema);
    case SchemaKind::Boolean:
      return Json::object({{"type", "boolean"}});
    case SchemaKind::IntOrString:
      return scalar(kIntOrString);
    case SchemaKind::Quantity:
      return scalar(kQuantity);
    case SchemaKind::Time:
      return scalar(kTime);
    case SchemaKind::MicroTime:
      return scalar(kMicroTime);
    case SchemaKind::String:
      break;
  }
  return with_format(Json::object({{"type", "string"}}), schema);
}

Json SchemaWriter::list_schema(const Schema& schema) {
  Json out = Json::object({{"type", "array"}, {"items", reference(schema.items())}});
  out.set("x-kubernetes-list-type", schema.list_type() == api::ListType::Map   ? "map"
                                    : schema.list_type() == api::ListType::Set ? "set"
                                                                               : "atomic");
  for (const std::string_view key : schema.list_keys()) out["x-kubernetes-list-map-keys"].push_back(key);
  return out;
}

Json SchemaWriter::struct_schema(const Schema& schema) {
  Json out = Json::object({{"type", "object"}});
  for (const api::Field& field : schema.fields()) {
    Json member = field.schema == nullptr ? Json::object() : reference(*field.schema);
    if (version_ == OpenApi::V3) {
      if (member.contains("$ref")) member = Json::object({{"allOf", Json::array({std::move(member)})}});
      if (field.has_default()) {
        if (auto value = Json::parse(field.default_text)) member.set("default", *std::move(value));
      }
    }
    std::string strategy;
    if (field.patch.merge) strategy = "merge";
    if (field.patch.retain_keys) strategy += strategy.empty() ? "retainKeys" : ",retainKeys";
    if (!strategy.empty()) member.set("x-kubernetes-patch-strategy", strategy);
    if (!field.patch.merge_key.empty()) member.set("x-kubernetes-patch-merge-key", field.patch.merge_key);
    if (const std::string_view text = api::describe_field(field.name); !text.empty())
      member.set("description", text);
    if (field.required) out["required"].push_back(field.name);
    out["properties"].set(field.name, std::move(member));
  }
  return out;
}

Json published_schema(const Json& open_api_v3_schema, OpenApi version, SchemaWriter& writer) {
  Json schema = open_api_v3_schema;
  if (!schema.is_object())
    schema = Json::object({{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}});
  const bool open = std::as_const(schema)["x-kubernetes-preserve-unknown-fields"].as_bool();
  if (version == OpenApi::V2) reduce(schema);
  if (open && version == OpenApi::V2) return schema;
  Json& properties = schema["properties"];
  if (!properties.is_object()) properties = Json::object();
  const auto declare = [&](const char* name, const char* description, Json field) {
    field.set("description", description);
    properties.set(name, std::move(field));
  };
  const Json string = Json::object({{"type", "string"}});
  declare("apiVersion", "The group and version of the API that the object is written in.", string);
  declare("kind", "The kind of the object, in CamelCase.", string);
  if (const Schema* metadata = api::TypeSet::builtin().find(kObjectMeta)) {
    Json reference = writer.reference(*metadata);
    if (version == OpenApi::V3) reference = Json::object({{"allOf", Json::array({std::move(reference)})}});
    declare("metadata", "Name, namespace, labels, annotations and what the API server keeps.",
            std::move(reference));
  }
  return schema;
}

}  // namespace flotilla::apiserver
