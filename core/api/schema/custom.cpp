// SPDX-License-Identifier: Apache-2.0
// Custom resources: openAPIV3Schema -> Schema, CustomResourceDefinition -> Resources.
#include <algorithm>

#include "core/api/schema/registry.hpp"
#include "core/api/schema/schema.hpp"
#include "core/api/validation/rules.hpp"

namespace flotilla::api {

class CrdReader {
 public:
  explicit CrdReader(TypeSet& set) : set_(set) {}

  Result<const Schema*> read_root(const Json& source) {
    Schema& root = set_.nodes_.emplace_back();
    if (source.is_null()) {
      root.preserve_unknown_ = true;
    } else if (Status read = fill(root, source, 0); !read) {
      return std::move(read).error();
    }
    root.kind_ = SchemaKind::Struct;
    add_type_fields(root);
    return &root;
  }

  // A node that may say nothing about its type.
  const Schema* read_junctor(const Json& source, int depth) {
    Schema& node = set_.nodes_.emplace_back();
    if (!fill(node, source, depth)) node.preserve_unknown_ = true;
    return &node;
  }

  void read_junctors(const Json& source, Facets& facets, int depth) {
    for (const auto& [name, into] : {std::pair("allOf", &facets.all_of), std::pair("anyOf", &facets.any_of),
                                     std::pair("oneOf", &facets.one_of)}) {
      for (const Json& one : source[name].elements()) into->push_back(read_junctor(one, depth + 1));
    }
    if (source["not"].is_object()) facets.none_of = read_junctor(source["not"], depth + 1);
  }

 private:
  static constexpr int kMaxDepth = 1000;

  Status fill(Schema& node, const Json& source, int depth) {
    if (depth > kMaxDepth) return invalid("the schema is nested too deeply");
    const std::string_view type = source["type"].as_string();
    node.nullable_ = source["nullable"].as_bool();
    node.preserve_unknown_ = source["x-kubernetes-preserve-unknown-fields"].as_bool();
    node.embedded_resource_ = source["x-kubernetes-embedded-resource"].as_bool();
    node.atomic_map_ = source["x-kubernetes-map-type"].as_string() == "atomic";
    node.format_ = text(source["format"].as_string());
    for (const Json& one : source["enum"].elements()) node.enum_.push_back(text(one.dump()));
    read_facets(node, source, depth);
    node.states_type_ = !type.empty();
    if (source["x-kubernetes-int-or-string"].as_bool()) {
      node.kind_ = SchemaKind::IntOrString;
    } else if (type == "object" || (type.empty() && describes_members(source))) {
      return fill_object(node, source, depth);
    } else if (type == "array" || (type.empty() && source["items"].is_object())) {
      return fill_list(node, source, depth);
    } else {
      node.kind_ = type == "string"    ? SchemaKind::String
                   : type == "integer" ? SchemaKind::Integer
                   : type == "number"  ? SchemaKind::Number
                   : type == "boolean" ? SchemaKind::Boolean
                                       : SchemaKind::Any;
    }
    return {};
  }

  static bool describes_members(const Json& source) {
    return !source["properties"].empty() || source["additionalProperties"].is_object();
  }

  Status fill_object(Schema& node, const Json& source, int depth) {
    const Json& properties = source["properties"];
    const Json& additional = source["additionalProperties"];
    if (properties.empty() && (additional.is_object() || additional.as_bool())) {
      node.kind_ = SchemaKind::Map;
      Schema& items = set_.nodes_.emplace_back();
      node.items_ = &items;
      if (additional.is_object()) return fill(items, additional, depth + 1);
      items.preserve_unknown_ = true;
      return {};
    }
    node.kind_ = SchemaKind::Struct;
    for (const auto& [name, value] : properties.members()) {
      Schema& child = set_.nodes_.emplace_back();
      if (Status read = fill(child, value, depth + 1); !read) return read;
      Field field;
      field.name = text(name);
      field.schema = &child;
      if (const Json* preset = value.find("default")) field.default_text = text(preset->dump());
      for (const Json& needed : source["required"].elements()) {
        if (needed.as_string() == name) field.required = true;
      }
      node.fields_.push_back(field);
    }
    if (node.embedded_resource_) add_type_fields(node);
    return {};
  }

  Status fill_list(Schema& node, const Json& source, int depth) {
    node.kind_ = SchemaKind::List;
    const std::string_view type = source["x-kubernetes-list-type"].as_string();
    node.list_type_ = type == "map" ? ListType::Map : type == "set" ? ListType::Set : ListType::Atomic;
    for (const Json& key : source["x-kubernetes-list-map-keys"].elements()) {
      node.list_keys_.push_back(text(key.as_string()));
    }
    Schema& items = set_.nodes_.emplace_back();
    node.items_ = &items;
    return fill(items, source["items"], depth + 1);
  }

  void read_facets(Schema& node, const Json& source, int depth) {
    Facets facets;
    bool some = false;
    const auto number = [&](std::string_view name, std::optional<double>& into) {
      if (const Json* value = source.find(name)) some = true, into = value->as_double();
    };
    const auto count = [&](std::string_view name, std::optional<std::int64_t>& into) {
      if (const Json* value = source.find(name)) some = true, into = value->as_int();
    };
    number("minimum", facets.minimum);
    number("maximum", facets.maximum);
    number("multipleOf", facets.multiple_of);
    count("minLength", facets.min_length);
    count("maxLength", facets.max_length);
    count("minItems", facets.min_items);
    count("maxItems", facets.max_items);
    count("minProperties", facets.min_properties);
    count("maxProperties", facets.max_properties);
    facets.exclusive_minimum = source["exclusiveMinimum"].as_bool();
    facets.exclusive_maximum = source["exclusiveMaximum"].as_bool();
    facets.unique_items = source["uniqueItems"].as_bool();
    if (const Json* pattern = source.find("pattern"))
      some = true, facets.pattern = text(pattern->as_string());
    for (const Json& key : source["required"].elements()) {
      some = true;
      facets.required.push_back(text(key.as_string()));
    }
    if (const Json* rules = source.find("x-kubernetes-validations"))
      some = true, facets.rules = text(rules->dump());
    Json junctors = Json::object();
    for (const char* name : {"allOf", "anyOf", "oneOf", "not"}) {
      if (const Json* value = source.find(name)) junctors.set(name, *value);
    }
    if (!junctors.empty()) {
      some = true;
      facets.junctors = text(junctors.dump());
      read_junctors(junctors, facets, depth);
    }
    if (some || facets.unique_items) node.facets_ = std::make_unique<const Facets>(std::move(facets));
  }

  // apiVersion, kind and metadata, whatever the schema says of them.
  void add_type_fields(Schema& node) {
    static const Schema* const string =
        TypeSet::builtin().find("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")->field("name")->schema;
    static const Schema* const metadata =
        TypeSet::builtin().find("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
    const std::pair<std::string_view, const Schema*> all[] = {
        {"apiVersion", string}, {"kind", string}, {"metadata", metadata}};
    for (const auto& [name, schema] : all) {
      const auto at = std::lower_bound(node.fields_.begin(), node.fields_.end(), name,
                                       [](const Field& f, std::string_view n) { return f.name < n; });
      if (at != node.fields_.end() && at->name == name) {
        at->schema = schema;
      } else {
        Field field;
        field.name = name;
        field.schema = schema;
        node.fields_.insert(at, field);
      }
    }
  }

  std::string_view text(std::string_view value) {
    if (value.empty()) return {};
    return set_.texts_.emplace_back(value);
  }

  TypeSet& set_;
};

void read_junctors(TypeSet& set, const Json& junctors, Facets& into) {
  CrdReader(set).read_junctors(junctors, into, 0);
}

Result<CustomSchema> read_custom_schema(const Json& open_api_v3_schema) {
  auto types = std::make_shared<TypeSet>();
  auto root = CrdReader(*types).read_root(open_api_v3_schema);
  if (!root) return std::move(root).context("read the custom resource's schema");
  return CustomSchema{std::move(types), *root};
}

namespace {

std::vector<std::string> strings(const Json& list) {
  std::vector<std::string> out;
  for (const Json& one : list.elements()) out.emplace_back(one.as_string());
  return out;
}

void add_columns(Resource& resource, const Json& version) {
  const Json& columns = version["additionalPrinterColumns"];
  resource.columns.push_back({.name = "Name", .type = "string", .format = "name", .cell = ".metadata.name"});
  for (const Json& one : columns.elements()) {
    resource.columns.push_back({.name = std::string(one["name"].as_string()),
                                .type = std::string(one["type"].as_string()),
                                .format = std::string(one["format"].as_string()),
                                .description = std::string(one["description"].as_string()),
                                .priority = static_cast<int>(one["priority"].as_int()),
                                .cell = std::string(one["jsonPath"].as_string())});
  }
  if (columns.empty()) {
    resource.columns.push_back({.name = "Age", .type = "date", .cell = ".metadata.creationTimestamp"});
  }
}

void add_subresources(Resource& resource, const Json& version) {
  const std::vector<std::string> verbs = {"get", "patch", "update"};
  const Json& subresources = version["subresources"];
  if (subresources["status"].is_object()) {
    resource.subresources.push_back({"status", resource.gvk(), verbs});
    resource.traits.status = true;
  }
  if (const Json& scale = subresources["scale"]; scale.is_object()) {
    resource.subresources.push_back({"scale", {"autoscaling", "v1", "Scale"}, verbs});
    resource.scale = ScalePaths{std::string(scale["specReplicasPath"].as_string()),
                                std::string(scale["statusReplicasPath"].as_string()),
                                std::string(scale["labelSelectorPath"].as_string())};
  }
}

Result<ResourcePtr> read_version(const Json& crd, const Json& names, const Json& version,
                                 std::string_view storage_version, const RuleLanguage* rules) {
  const Json& spec = crd["spec"];
  Resource made;
  made.origin = Origin::Custom;
  made.group = spec["group"].as_string();
  made.version = version["name"].as_string();
  made.resource = names["plural"].as_string();
  made.kind = names["kind"].as_string();
  made.list_kind = names["listKind"].as_string(made.kind + "List");
  made.singular = names["singular"].as_string();
  made.short_names = strings(names["shortNames"]);
  made.categories = strings(names["categories"]);
  made.namespaced = spec["scope"].as_string() == "Namespaced";
  made.verbs = {"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"};
  made.storage_version = storage_version;
  made.storage = made.version == storage_version;
  made.traits.typed = false;
  made.traits.unconditional_update = false;
  auto schema = read_custom_schema(version["schema"]["openAPIV3Schema"]);
  if (!schema) return std::move(schema).context(made.resource + "." + made.group);
  made.schema = schema->root;
  made.types = schema->types;
  if (rules) made.rules = rules->compile(version["schema"]["openAPIV3Schema"]);
  add_subresources(made, version);
  made.traits.generation = made.traits.status ? GenerationRule::OnContent : GenerationRule::OnAllContent;
  add_columns(made, version);
  for (const Json& field : version["selectableFields"].elements()) {
    made.selectable_fields.emplace_back(field["jsonPath"].as_string());
  }
  if (version["deprecated"].as_bool()) {
    made.deprecation_warning =
        version["deprecationWarning"].as_string(made.group_version() + " " + made.kind + " is deprecated");
  }
  return std::make_shared<const Resource>(std::move(made));
}

}  // namespace

Result<std::vector<ResourcePtr>> resources_of_crd(const Json& crd, const RuleLanguage* rules) {
  const Json& accepted = crd.at({"status", "acceptedNames"});
  const Json& names = accepted["plural"].as_string().empty() ? crd.at({"spec", "names"}) : accepted;
  std::string_view storage_version;
  for (const Json& version : crd.at({"spec", "versions"}).elements()) {
    if (version["storage"].as_bool()) storage_version = version["name"].as_string();
  }
  std::vector<ResourcePtr> made;
  for (const Json& version : crd.at({"spec", "versions"}).elements()) {
    if (!version["served"].as_bool()) continue;
    auto resource = read_version(crd, names, version, storage_version, rules);
    if (!resource) return std::move(resource).error();
    made.push_back(*std::move(resource));
  }
  return made;
}

}  // namespace flotilla::api
