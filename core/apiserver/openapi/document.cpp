// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/openapi/document.hpp"

#include <algorithm>

#include "core/apiserver/aggregation/remote_openapi.hpp"
#include "core/apiserver/openapi/protobuf.hpp"
#include "core/apiserver/openapi/schema.hpp"

namespace flotilla::apiserver {
namespace {

using api::Json;
using api::Resource;
using api::ResourcePtr;

constexpr std::string_view kScale = "io.k8s.api.autoscaling.v1.Scale",
                           kStatus = "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
                           kListMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta",
                           kDeleteOptions = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
                           kPatch = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";

// Where the pieces go: all paths first, then the types.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void path(const std::string& name, const Json& item) = 0;
  virtual void type(const std::string& name, const Json& schema) = 0;
};

class TextSink : public Sink {
 public:
  TextSink(OpenApi version, std::string_view server_version) : version_(version) {
    const Json info = Json::object({{"title", "Kubernetes"}, {"version", server_version}});
    out_ = version == OpenApi::V2 ? R"({"swagger":"2.0","info":)" : R"({"openapi":"3.0.0","info":)";
    out_ += info.dump() + ",\"paths\":{";
  }
  void path(const std::string& name, const Json& item) override { member(name, item); }
  void type(const std::string& name, const Json& schema) override {
    begin_types();
    member(name, schema);
  }
  std::string take() {
    begin_types();
    out_ += version_ == OpenApi::V2 ? "}}" : "}}}";
    return std::move(out_);
  }

 private:
  void begin_types() {
    if (std::exchange(types_, true)) return;
    out_ += version_ == OpenApi::V2 ? "},\"definitions\":{" : "},\"components\":{\"schemas\":{";
    first_ = true;
  }
  void member(const std::string& name, const Json& value) {
    if (!std::exchange(first_, false)) out_ += ',';
    out_ += Json(name).dump() + ":" + value.dump();
  }

  OpenApi version_;
  std::string out_;
  bool first_ = true, types_ = false;
};

class ProtobufSink : public Sink {
 public:
  explicit ProtobufSink(std::string_view server_version) : document_(server_version) {}
  void path(const std::string& name, const Json& item) override { document_.path(name, item); }
  void type(const std::string& name, const Json& schema) override { document_.definition(name, schema); }
  std::string take() { return document_.take(); }

 private:
  ProtobufDocument document_;
};

Json kind_json(std::string_view group, std::string_view version, std::string_view kind) {
  return Json::object({{"group", group}, {"version", version}, {"kind", kind}});
}

Json kind_of(const Resource& resource) {
  return kind_json(resource.group, resource.version, resource.kind);
}

// "com.example.v1.Widget" of a custom resource without a named type.
std::string component_name(const Resource& resource) {
  if (resource.origin != api::Origin::Custom && !resource.schema->name().empty())
    return std::string(resource.schema->name());
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

class DocumentWriter {
 public:
  DocumentWriter(const DocumentSource& source, OpenApi version, Sink& sink)
      : source_(source), version_(version), schemas_(version), sink_(sink) {}

  void paths(const Resource& resource) {
    const std::string component = component_name(resource), list = component + "List";
    const std::string root = resource.group.empty() ? "/api/" + resource.version
                                                    : "/apis/" + resource.group + "/" + resource.version;
    const std::string base =
        root + (resource.namespaced ? "/namespaces/{namespace}/" : "/") + resource.resource;
    const std::string item = base + "/{name}";
    Json collection = path_item(resource.namespaced, false), one = path_item(resource.namespaced, true);
    const auto add = [&](Json& into, std::string_view method, std::string_view action, std::string_view verb,
                         std::string_view answer) {
      if (resource.has_verb(verb))
        into.set(method, operation(resource, kind_of(resource), action, component, answer));
    };
    add(collection, "get", "list", "list", list);
    add(collection, "post", "post", "create", component);
    add(collection, "delete", "deletecollection", "deletecollection", kStatus);
    if (collection.size() > 1 || resource.has_verb("create")) sink_.path(base, collection);
    add(one, "get", "get", "get", component);
    add(one, "put", "put", "update", component);
    add(one, "patch", "patch", "patch", component);
    add(one, "delete", "delete", "delete", kStatus);
    if (resource.has_verb("get")) sink_.path(item, one);
    if (resource.namespaced && resource.has_verb("list")) {
      Json everywhere = path_item(false, false);
      add(everywhere, "get", "list", "list", list);
      sink_.path(root + "/" + resource.resource, everywhere);
    }
    for (const api::Subresource& sub : resource.subresources) subresource(resource, item, component, sub);
  }

  void type(const Resource& resource) {
    const std::string component = component_name(resource);
    schemas_.written(component);
    Json schema = resource.origin == api::Origin::Custom && source_.custom_schema
                      ? published_schema(source_.custom_schema(resource), version_, schemas_)
                      : schemas_.inline_schema(*resource.schema);
    schema.set("x-kubernetes-group-version-kind", Json::array({kind_of(resource)}));
    sink_.type(component, schema);
    if (!resource.has_verb("list")) return;
    schemas_.written(component + "List");
    sink_.type(component + "List", list_type(resource, component));
  }

  void foreign_type(const std::string& name, const Json& schema) {
    schemas_.written(name);
    sink_.type(name, schema);
  }

  // What others refer to.
  void need(const Json& value) {
    if (value.is_array()) {
      for (const Json& element : value.elements()) need(element);
    }
    for (const auto& [key, member] : value.members()) {
      constexpr std::string_view kReference = "#/definitions/";
      const std::string_view text = key == "$ref" ? member.as_string() : std::string_view();
      const api::Schema* schema = text.starts_with(kReference)
                                      ? api::TypeSet::builtin().find(text.substr(kReference.size()))
                                      : nullptr;
      if (schema != nullptr) (void)schemas_.reference(*schema);
      need(member);
    }
  }

  // What everything above refers to.
  void finish() {
    for (const std::string_view name : {kScale, kStatus, kListMeta, kDeleteOptions}) {
      if (const api::Schema* schema = api::TypeSet::builtin().find(name)) (void)schemas_.reference(*schema);
    }
    while (const api::Schema* schema = schemas_.next())
      sink_.type(std::string(schema->name()), with_kind(*schema));
    schemas_.each_scalar([&](const std::string& name, const Json& schema) { sink_.type(name, schema); });
    sink_.type(std::string(kPatch), Json::object({{"type", "object"}}));
  }

 private:
  Json with_kind(const api::Schema& schema) {
    Json out = schemas_.inline_schema(schema);
    if (schema.name() == kScale)
      out.set("x-kubernetes-group-version-kind", Json::array({kind_json("autoscaling", "v1", "Scale")}));
    if (schema.name() == kDeleteOptions || schema.name() == kStatus) {
      const std::string_view kind = schema.name().substr(schema.name().rfind('.') + 1);
      out.set("x-kubernetes-group-version-kind", Json::array({kind_json("", "v1", kind)}));
    }
    return out;
  }

  Json list_type(const Resource& resource, const std::string& component) {
    Json metadata = schemas_.reference_to(kListMeta);
    const Json string = Json::object({{"type", "string"}});
    Json items = Json::object({{"type", "array"}, {"items", schemas_.reference_to(component)}});
    Json out = Json::object({{"type", "object"},
                             {"required", Json::array({"items"})},
                             {"properties", Json::object({{"apiVersion", string},
                                                          {"items", std::move(items)},
                                                          {"kind", string},
                                                          {"metadata", std::move(metadata)}})}});
    out.set("x-kubernetes-group-version-kind",
            Json::array({kind_json(resource.group, resource.version, resource.list_kind)}));
    return out;
  }

  void subresource(const Resource& resource, const std::string& item, const std::string& component,
                   const api::Subresource& sub) {
    const bool scale = sub.name == "scale", same = sub.gvk == resource.gvk();
    if (!scale && !same) return;
    const std::string_view body = scale ? kScale : std::string_view(component);
    Json path = path_item(resource.namespaced, true);
    for (const auto& [verb, method] :
         {std::pair("get", "get"), std::pair("update", "put"), std::pair("patch", "patch")}) {
      if (std::find(sub.verbs.begin(), sub.verbs.end(), verb) == sub.verbs.end()) continue;
      path.set(method, operation(resource, kind_json(sub.gvk.group, sub.gvk.version, sub.gvk.kind), method,
                                 body, body));
    }
    if (path.size() > 1) sink_.path(item + "/" + sub.name, path);
  }

  Json parameter(std::string_view name, std::string_view in) const {
    Json out = Json::object({{"name", name}, {"in", in}});
    if (in == "path") out.set("required", true);
    if (version_ == OpenApi::V3) {
      out.set("schema", Json::object({{"type", "string"}, {"uniqueItems", true}}));
    } else {
      out.set("type", "string");
      out.set("uniqueItems", true);
    }
    return out;
  }

  Json path_item(bool namespaced, bool named) const {
    Json parameters = Json::array();
    if (named) parameters.push_back(parameter("name", "path"));
    if (namespaced) parameters.push_back(parameter("namespace", "path"));
    parameters.push_back(parameter("pretty", "query"));
    return Json::object({{"parameters", std::move(parameters)}});
  }

  static std::vector<std::string_view> body_types(const Resource& resource, std::string_view action) {
    if (action == "post" || action == "put") return {"*/*"};
    if (action != "patch") return {};
    std::vector<std::string_view> types = {"application/apply-patch+yaml", "application/json-patch+json",
                                           "application/merge-patch+json"};
    if (resource.origin == api::Origin::Kubernetes) types.push_back("application/strategic-merge-patch+json");
    return types;
  }

  Json operation(const Resource& resource, Json kind, std::string_view action, std::string_view body,
                 std::string_view answer) const {
    const bool writes = action == "post" || action == "put" || action == "patch";
    Json out =
        Json::object({{"x-kubernetes-action", action}, {"x-kubernetes-group-version-kind", std::move(kind)}});
    Json parameters = Json::array();
    if (writes) {
      for (const std::string_view name : {"dryRun", "fieldManager", "fieldValidation"})
        parameters.push_back(parameter(name, "query"));
    }
    if (action == "patch") parameters.push_back(parameter("force", "query"));
    const std::string_view sent = action == "patch" ? kPatch : body;
    const auto types = body_types(resource, action);
    if (version_ == OpenApi::V2) {
      Json consumes = Json::array();
      for (const std::string_view type : types) consumes.push_back(type);
      if (!types.empty()) {
        out.set("consumes", std::move(consumes));
        parameters.push_back(Json::object(
            {{"name", "body"}, {"in", "body"}, {"required", true}, {"schema", schemas_.reference_to(sent)}}));
      }
      out.set("produces", Json::array({"application/json", "application/yaml"}));
      const Json ok = Json::object({{"description", "OK"}, {"schema", schemas_.reference_to(answer)}});
      out.set("responses", Json::object({{"200", ok}}));
    } else {
      const auto content = [&](std::string_view component) {
        return Json::object({{"schema", schemas_.reference_to(component)}});
      };
      Json contents = Json::object();
      for (const std::string_view type : types) contents.set(type, content(sent));
      if (!types.empty())
        out.set("requestBody", Json::object({{"content", std::move(contents)}, {"required", true}}));
      const Json ok = Json::object(
          {{"description", "OK"}, {"content", Json::object({{"application/json", content(answer)}})}});
      out.set("responses", Json::object({{"200", ok}}));
    }
    if (!parameters.empty()) out.set("parameters", std::move(parameters));
    return out;
  }

  const DocumentSource& source_;
  OpenApi version_;
  SchemaWriter schemas_;
  Sink& sink_;
};

std::vector<ForeignDocument> foreign_documents(const DocumentSource& source, OpenApi version) {
  if (version != OpenApi::V2 || source.foreign.empty()) return {};
  std::set<std::string, std::less<>> taken;
  for (const ResourcePtr& resource : source.registry.resources()) {
    const std::string name = component_name(*resource);
    taken.insert(name + "List");
    taken.insert(name);
  }
  std::vector<ForeignDocument> out = source.foreign;
  settle_names(out, std::move(taken));
  return out;
}

void write_document(const DocumentSource& source, OpenApi version,
                    const std::function<bool(const Resource&)>& wanted, Sink& sink) {
  DocumentWriter writer(source, version, sink);
  const auto is_written = [&](const Resource& resource) {
    return !resource.resource.empty() && wanted(resource);
  };
  for (const ResourcePtr& resource : source.registry.resources()) {
    if (is_written(*resource)) writer.paths(*resource);
  }
  const auto foreign = foreign_documents(source, version);
  for (const ForeignDocument& document : foreign) {
    for (const auto& [path, item] : document.paths) sink.path(path, item);
  }
  std::set<std::string> kinds;  // some kinds are served as several resources
  for (const ResourcePtr& resource : source.registry.resources()) {
    if (is_written(*resource) && kinds.insert(component_name(*resource)).second) writer.type(*resource);
  }
  for (const ForeignDocument& document : foreign) {
    for (const auto& [name, schema] : document.definitions) writer.foreign_type(name, schema);
    for (const auto& [name, schema] : document.definitions) writer.need(schema);
    for (const auto& [path, item] : document.paths) writer.need(item);
  }
  writer.finish();
}

}  // namespace

std::string openapi_v3_document(const DocumentSource& source, std::string_view group,
                                std::string_view version) {
  TextSink sink(OpenApi::V3, source.server_version);
  write_document(
      source, OpenApi::V3,
      [&](const Resource& resource) { return resource.group == group && resource.version == version; }, sink);
  return sink.take();
}

std::string openapi_v2_document(const DocumentSource& source) {
  TextSink sink(OpenApi::V2, source.server_version);
  write_document(
      source, OpenApi::V2, [](const Resource&) { return true; }, sink);
  return sink.take();
}

std::string openapi_v2_protobuf(const DocumentSource& source) {
  ProtobufSink sink(source.server_version);
  write_document(
      source, OpenApi::V2, [](const Resource&) { return true; }, sink);
  return sink.take();
}

}  // namespace flotilla::apiserver
