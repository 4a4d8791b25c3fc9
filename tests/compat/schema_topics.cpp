// SPDX-License-Identifier: Apache-2.0
// schema: what is served under a group and kind, written as a CustomResourceDefinition would.
#include <algorithm>
#include <array>

#include "core/api/schema/registry.hpp"
#include "tests/compat/topic.hpp"

namespace flotilla::compat {
namespace {

using api::Json;
using api::Schema;
using api::SchemaKind;

constexpr std::string_view kQuantityPattern =
    R"(^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$)";

Json value_of(std::string_view text) {
  auto value = Json::parse(text);
  return value ? std::move(*value) : Json();
}

Json written(const Schema& schema);

void write_struct(const Schema& schema, Json& out) {
  Json needed = Json::array();
  for (const api::Field& field : schema.fields()) {
    Json member = written(*field.schema);
    if (field.has_default()) member["default"] = value_of(field.default_text);
    if (field.required) needed.push_back(field.name);
    out["properties"][field.name] = std::move(member);
  }
  if (!needed.empty()) out["required"] = std::move(needed);
}

void write_list(const Schema& schema, Json& out) {
  out["items"] = written(schema.items());
  if (schema.list_type() == api::ListType::Set) out["x-kubernetes-list-type"] = "set";
  if (schema.list_type() != api::ListType::Map) return;
  out["x-kubernetes-list-type"] = "map";
  for (std::string_view key : schema.list_keys()) out["x-kubernetes-list-map-keys"].push_back(key);
}

void write_int_or_string(Json& out) {
  out["x-kubernetes-int-or-string"] = true;
  out["anyOf"] = Json::array({Json::object({{"type", "integer"}}), Json::object({{"type", "string"}})});
}

void write_kind(const Schema& schema, Json& out) {
  switch (schema.kind()) {
    case SchemaKind::Any:
      break;
    case SchemaKind::Struct:
      out["type"] = "object";
      return write_struct(schema, out);
    case SchemaKind::Map:
      out["type"] = "object";
      out["additionalProperties"] = written(schema.items());
      break;
    case SchemaKind::List:
      out["type"] = "array";
      return write_list(schema, out);
    case SchemaKind::String:
      out["type"] = "string";
      break;
    case SchemaKind::Integer:
      out["type"] = "integer";
      break;
    case SchemaKind::Number:
      out["type"] = "number";
      break;
    case SchemaKind::Boolean:
      out["type"] = "boolean";
      break;
    case SchemaKind::Quantity:
      out["pattern"] = kQuantityPattern;
      return write_int_or_string(out);
    case SchemaKind::IntOrString:
      return write_int_or_string(out);
    case SchemaKind::Time:
    case SchemaKind::MicroTime:
      out["type"] = "string";
      out["format"] = "date-time";
      break;
  }
}

void write_facets(const api::Facets& facets, Json& out) {
  if (!facets.pattern.empty()) out["pattern"] = facets.pattern;
  if (facets.minimum) out["minimum"] = *facets.minimum;
  if (facets.maximum) out["maximum"] = *facets.maximum;
  const std::array<std::pair<std::string_view, std::optional<std::int64_t>>, 6> counts = {
      {{"minLength", facets.min_length},
       {"maxLength", facets.max_length},
       {"minItems", facets.min_items},
       {"maxItems", facets.max_items},
       {"minProperties", facets.min_properties},
       {"maxProperties", facets.max_properties}}};
  for (const auto& [name, count] : counts) {
    if (count) out[name] = *count;
  }
  if (!facets.rules.empty()) out["x-kubernetes-validations"] = value_of(facets.rules);
  if (facets.junctors.empty()) return;
  Json junctors = value_of(facets.junctors);
  for (const auto& [name, value] : std::as_const(junctors).members()) out[name] = value;
}

Json written(const Schema& schema) {
  Json out = Json::object();
  write_kind(schema, out);
  if (!schema.format().empty()) out["format"] = schema.format();
  for (std::string_view value : schema.enumeration()) out["enum"].push_back(value_of(value));
  if (schema.atomic_map()) out["x-kubernetes-map-type"] = "atomic";
  if (schema.preserve_unknown()) out["x-kubernetes-preserve-unknown-fields"] = true;
  if (schema.nullable()) out["nullable"] = true;
  if (schema.facets() != nullptr) write_facets(*schema.facets(), out);
  return out;
}

Json version_of(const api::Resource& resource) {
  Json version = Json::object({{"name", resource.version},
                               {"served", true},
                               {"storage", resource.version == resource.storage_version},
                               {"deprecated", !resource.deprecation_warning.empty()},
                               {"selectableFields", Json::strings(resource.selectable_fields)}});
  version["printerColumns"] = Json::array();
  for (const api::PrinterColumn& column : resource.columns) {
    Json shown = Json::object({{"name", column.name}, {"type", column.type}});
    if (!column.format.empty()) shown["format"] = column.format;
    if (column.format != "name") shown["jsonPath"] = column.cell;  // the name needs no path
    if (column.priority != 0) shown["priority"] = column.priority;
    version["printerColumns"].push_back(std::move(shown));
  }
  version["subresources"] = Json::array();
  for (const api::Subresource& subresource : resource.subresources) {
    version["subresources"].push_back(subresource.name);
  }
  Json schema = written(*resource.schema);
  // Every kind has the same metadata; a definition only says that it is there.
  schema.make({"properties", "metadata"}) = Json::object({{"type", "object"}});
  version["schema"] = std::move(schema);
  return version;
}

Json schema(const Json& input) {
  const std::string_view group = input["group"].as_string();
  const std::string_view kind = input["kind"].as_string();
  Json answer = Json::object();
  for (const api::ResourcePtr& resource : api::Registry::builtin().resources()) {
    if (resource->group != group || resource->kind != kind) continue;
    if (answer.empty()) {
      bool aggregated = resource->origin == api::Origin::KarmadaAggregated;
      answer = Json::object({{"group", group},
                             {"kind", kind},
                             {"listKind", resource->list_kind},
                             {"plural", resource->resource},
                             {"singular", resource->singular},
                             {"shortNames", Json::strings(resource->short_names)},
                             {"categories", Json::strings(resource->categories)},
                             {"scope", resource->namespaced ? "Namespaced" : "Cluster"},
                             {"servedBy", aggregated ? "aggregated API server" : "CustomResourceDefinition"},
                             {"preserveUnknownFields", resource->schema->preserve_unknown()},
                             {"versions", Json::array()}});
    }
    answer["versions"].push_back(version_of(*resource));
  }
  if (answer.empty()) return Json::object({{"error", Json::object({{"message", "no such kind"}})}});
  // A kind with several versions is converted between them.
  answer["conversion"] = std::as_const(answer)["versions"].size() > 1 ? "Webhook" : "None";
  return answer;
}

constexpr std::array<Topic, 1> kTopics = {{{"schema", schema}}};

}  // namespace

std::span<const Topic> schema_topics() {
  return kTopics;
}

}  // namespace flotilla::compat
