// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/openapi_document.hpp"

#include <algorithm>
#include <deque>
#include <set>

namespace flotilla::apiserver {
namespace {

using api::Json;
using api::Resource;
using api::ResourcePtr;
using api::Schema;
using api::SchemaKind;

// Turns schemas into JSON and notes the named types on the way.
class SchemaWriter {
 public:
  Json reference(const Schema& schema) {
    if (schema.name().empty()) return inline_schema(schema);
    wanted_.push_back(&schema);
    return Json::object({{"$ref", "#/components/schemas/" + std::string(schema.name())}});
  }

  Json inline_schema(const Schema& schema) {
    Json out = typed(schema);
    if (schema.nullable()) out.set("nullable", true);
    if (schema.preserve_unknown()) out.set("x-kubernetes-preserve-unknown-fields", true);
    if (schema.embedded_resource()) out.set("x-kubernetes-embedded-resource", true);
    if (schema.atomic_map()) out.set("x-kubernetes-map-type", "atomic");
    for (const std::string_view value : schema.enumeration()) {
      if (auto parsed = Json::parse(value)) out["enum"].push_back(*std::move(parsed));
    }
    return out;
  }

  // Every named type that was referred to, those of their own fields too.
  void finish(Json& components) {
    std::set<std::string_view> done;
    while (!wanted_.empty()) {
      const Schema* schema = wanted_.front();
      wanted_.pop_front();
      if (!done.insert(schema->name()).second || components.contains(schema->name())) continue;
      components.set(schema->name(), inline_schema(*schema));
    }
  }

 private:
  Json typed(const Schema& schema) {
    switch (schema.kind()) {
      case SchemaKind::Any:
        return Json::object({{"x-kubernetes-preserve-unknown-fields", true}});
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
        return Json::object({{"x-kubernetes-int-or-string", true},
                             {"oneOf", Json::array({Json::object({{"type", "integer"}}),
                                                    Json::object({{"type", "string"}})})}});
      case SchemaKind::Quantity:
        return Json::object({{"oneOf", Json::array({Json::object({{"type", "string"}}),
                                                    Json::object({{"type", "number"}})})}});
      case SchemaKind::Time:
      case SchemaKind::MicroTime:
        return Json::object({{"type", "string"}, {"format", "date-time"}});
      case SchemaKind::String:
        break;
    }
    return with_format(Json::object({{"type", "string"}}), schema);
  }

  static Json with_format(Json out, const Schema& schema) {
    if (!schema.format().empty()) out.set("format", schema.format());
    return out;
  }

  Json list_schema(const Schema& schema) {
    Json out = Json::object({{"type", "array"}, {"items", reference(schema.items())}});
    out.set("x-kubernetes-list-type", schema.list_type() == api::ListType::Map   ? "map"
                                      : schema.list_type() == api::ListType::Set ? "set"
                                                                                 : "atomic");
    for (const std::string_view key : schema.list_keys()) out["x-kubernetes-list-map-keys"].push_back(key);
    return out;
  }

  Json struct_schema(const Schema& schema) {
    Json out = Json::object({{"type", "object"}});
    for (const api::Field& field : schema.fields()) {
      Json member = field.schema == nullptr ? Json::object() : reference(*field.schema);
      if (member.contains("$ref")) member = Json::object({{"allOf", Json::array({std::move(member)})}});
      if (field.has_default()) {
        if (auto value = Json::parse(field.default_text)) member.set("default", *std::move(value));
      }
      std::string strategy;
      if (field.patch.merge) strategy = "merge";
      if (field.patch.retain_keys) strategy += strategy.empty() ? "retainKeys" : ",retainKeys";
      if (!strategy.empty()) member.set("x-kubernetes-patch-strategy", strategy);
      if (!field.patch.merge_key.empty()) member.set("x-kubernetes-patch-merge-key", field.patch.merge_key);
      if (field.required) out["required"].push_back(field.name);
      out["properties"].set(field.name, std::move(member));
    }
    return out;
  }

  std::deque<const Schema*> wanted_;
};

Json kind_json(const Resource& resource) {
  return Json::object({{"group", resource.group}, {"version", resource.version}, {"kind", resource.kind}});
}

// "io.example.v1.Widget" of a custom resource without a named type.
std::string component_name(const Resource& resource) {
  if (!resource.schema->name().empty()) return std::string(resource.schema->name());
  std::string reversed;
  std::string_view rest = resource.group;
  for (;;) {
    const auto dot = rest.rfind('.');
    reversed += std::string(dot == std::string_view::npos ? rest : rest.substr(dot + 1)) + ".";
    if (dot == std::string_view::npos) break;
    rest = rest.substr(0, dot);
  }
  return reversed + resource.version + "." + resource.kind;
}

Json query_parameter(std::string_view name) {
  return Json::object({{"name", name},
                       {"in", "query"},
                       {"schema", Json::object({{"type", "string"}, {"uniqueItems", true}})}});
}

Json write_parameters(bool patch) {
  Json parameters = Json::array(
      {query_parameter("dryRun"), query_parameter("fieldManager"), query_parameter("fieldValidation")});
  if (patch) parameters.push_back(query_parameter("force"));
  return parameters;
}

Json answer(const std::string& component) {
  Json schema = Json::object({{"$ref", "#/components/schemas/" + component}});
  Json content = Json::object({{"application/json", Json::object({{"schema", std::move(schema)}})}});
  return Json::object({{"200", Json::object({{"description", "OK"}, {"content", std::move(content)}})}});
}

Json operation(const Resource& resource, std::string_view action, const std::string& component) {
  Json out = Json::object({{"x-kubernetes-action", action},
                           {"x-kubernetes-group-version-kind", kind_json(resource)},
                           {"responses", answer(component)}});
  if (action == "post" || action == "put" || action == "patch")
    out.set("parameters", write_parameters(action == "patch"));
  const Json body_schema =
      Json::object({{"schema", Json::object({{"$ref", "#/components/schemas/" + component}})}});
  Json content = Json::object();
  if (action == "post" || action == "put") {
    content.set("*/*", body_schema);
  } else if (action == "patch") {
    content.set("application/json-patch+json", Json::object());
    content.set("application/merge-patch+json", Json::object());
    content.set("application/apply-patch+yaml", Json::object());
    if (resource.origin == api::Origin::Kubernetes)
      content.set("application/strategic-merge-patch+json", Json::object());
  }
  if (!content.empty())
    out.set("requestBody", Json::object({{"content", std::move(content)}, {"required", true}}));
  return out;
}

void add_paths(const Resource& resource, const std::string& component, Json& paths) {
  std::string base = resource.group.empty() ? "/api/" + resource.version
                                            : "/apis/" + resource.group + "/" + resource.version;
  const std::string everywhere = base + "/" + resource.resource;
  if (resource.namespaced) base += "/namespaces/{namespace}";
  const std::string collection = base + "/" + resource.resource;
  const std::string item = collection + "/{name}";
  const auto add = [&](const std::string& path, std::string_view method, std::string_view action,
                       std::string_view verb) {
    if (resource.has_verb(verb))
      paths[std::string_view(path)].set(method, operation(resource, action, component));
  };
  add(collection, "get", "list", "list");
  add(collection, "post", "post", "create");
  add(collection, "delete", "deletecollection", "deletecollection");
  add(item, "get", "get", "get");
  add(item, "put", "put", "update");
  add(item, "patch", "patch", "patch");
  add(item, "delete", "delete", "delete");
  if (resource.namespaced) add(everywhere, "get", "list", "list");
  for (const api::Subresource& sub : resource.subresources) {
    if (sub.name != "status" && sub.name != "scale") continue;
    const std::string path = item + "/" + sub.name;
    Resource shown;
    shown.group = sub.gvk.group;
    shown.version = sub.gvk.version;
    shown.kind = sub.gvk.kind;
    shown.origin = resource.origin;
    for (const auto& [method, action] :
         {std::pair("get", "get"), std::pair("put", "put"), std::pair("patch", "patch")}) {
      paths[std::string_view(path)].set(
          method,
          operation(shown, action, sub.name == "scale" ? "io.k8s.api.autoscaling.v1.Scale" : component));
    }
  }
}

}  // namespace

Json openapi_document(const api::Registry& registry, std::string_view group, std::string_view version,
                      std::string_view server_version) {
  Json paths = Json::object();
  Json components = Json::object();
  SchemaWriter writer;
  for (const ResourcePtr& resource : registry.resources()) {
    if (resource->group != group || resource->version != version) continue;
    const std::string component = component_name(*resource);
    add_paths(*resource, component, paths);
    Json schema = writer.inline_schema(*resource->schema);
    schema.set("x-kubernetes-group-version-kind", Json::array({kind_json(*resource)}));
    components.set(component, std::move(schema));
    if (const api::Schema* scale = api::TypeSet::builtin().find("io.k8s.api.autoscaling.v1.Scale"))
      writer.reference(*scale);
  }
  writer.finish(components);
  return Json::object({{"openapi", "3.0.0"},
                       {"info", Json::object({{"title", "Kubernetes"}, {"version", server_version}})},
                       {"paths", std::move(paths)},
                       {"components", Json::object({{"schemas", std::move(components)}})}});
}

}  // namespace flotilla::apiserver
