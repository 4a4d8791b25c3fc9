// SPDX-License-Identifier: Apache-2.0
// Which resources there are: names, verbs, subresources, schema and the traits that the API server's generic
// code asks for. Built-in resources are a table in the program; custom ones are made from their CRD.
//
// A Registry is a value: copy it (about a hundred pointers), change the copy, publish it. Resources are
// shared and immutable, a pointer to one stays good as long as any Registry or shared_ptr holds it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/api/object.hpp"
#include "core/api/schema/schema.hpp"

namespace flotilla::api {

using GroupVersionKind = Gvk;

class ObjectRules;  // core/api/validation/rules.hpp
class RuleLanguage;

enum class Origin : std::uint8_t { Kubernetes, Karmada, KarmadaAggregated, Custom };

// What makes metadata.generation move.
enum class GenerationRule : std::uint8_t {
  None,         // the kind has no generation
  Constant,     // 1 for ever (PriorityClass)
  OnSpec,       // spec differs
  OnContent,    // anything outside apiVersion, kind, metadata and status differs
  OnAllContent  // as OnContent, status too (custom resources without status subresource), labels where said
};

// Free: the kind's own rules look at the name.
enum class NameRule : std::uint8_t { Subdomain, Label, Dns1035Label, PathSegment, Free };

// How generic code treats a kind; one line per kind in config/schema/kinds.txt.
struct Traits {
  GenerationRule generation = GenerationRule::None;
  NameRule name_rule = NameRule::Subdomain;
  int max_name = 253;
  bool status = false;  // has a status subresource: main writes keep status, /status keeps the rest
  bool generation_annotations = false;  // Deployment: annotations move the generation too
  bool generation_labels = false;       // EndpointSlice: labels and annotations do
  bool generation_late = false;         // CSIDriver: unset until the first change
  bool unconditional_update = true;     // PUT without resourceVersion is allowed
  bool create_on_update = false;        // PUT to a missing object makes it
  bool returns_deleted = false;         // DELETE answers with the object instead of a Status
  bool graceful_delete = false;         // pods
  std::string_view error_group;         // in the text of Invalid errors, where it differs from the group
  bool typed = true;  // stored as Go's types are: canonical quantities, no nulls, no empty fields
};

struct Subresource {
  std::string name;      // "status", "scale"
  GroupVersionKind gvk;  // of the body
  std::vector<std::string> verbs;
};

// JSONPaths of a scale subresource; built-ins have .spec.replicas, .status.replicas and their own selector.
struct ScalePaths {
  std::string spec_replicas, status_replicas, label_selector;
};

struct PrinterColumn {
  std::string name, type, format = {}, description = {};
  int priority = 0;
  std::string cell = {};  // a cell rule (core/api/table), for custom resources a JSONPath
};

struct Resource {
  std::string group, version, resource;  // "apps", "v1", "deployments"
  std::string kind, list_kind, singular;
  std::vector<std::string> short_names, categories, verbs;
  std::vector<Subresource> subresources;
  bool namespaced = false;
  bool storage = true;  // objects are stored in this version
  std::string storage_version;
  Origin origin = Origin::Kubernetes;
  Traits traits;
  const Schema* schema = &Schema::any();
  std::vector<PrinterColumn> columns;  // custom resources; built-in columns: table.hpp
  std::optional<ScalePaths> scale;     // custom resources
  std::vector<std::string> selectable_fields;
  std::string deprecation_warning;           // empty unless the version is deprecated
  std::shared_ptr<const TypeSet> types;      // keeps schema alive; null for built-ins
  std::shared_ptr<const ObjectRules> rules;  // x-kubernetes-validations; null where there are none

  GroupVersionKind gvk() const { return {group, version, kind}; }
  std::string group_version() const { return group.empty() ? version : group + "/" + version; }
  std::string group_resource() const { return group.empty() ? resource : resource + "." + group; }
  const Subresource* subresource(std::string_view name) const;
  bool has_verb(std::string_view verb) const;
};

using ResourcePtr = std::shared_ptr<const Resource>;

class Registry {
 public:
  // Every built-in resource, those of Karmada included; in discovery order.
  static const Registry& builtin();
  // Kubernetes' alone: what a simulated member cluster serves.
  static const Registry& kubernetes();

  // Replaces what has the same group, version and resource.
  void add(ResourcePtr resource);
  // All versions; false when there was none.
  bool remove(std::string_view group, std::string_view resource);

  std::span<const ResourcePtr> resources() const { return resources_; }
  ResourcePtr find_resource(std::string_view group, std::string_view version,
                            std::string_view resource) const;
  ResourcePtr find_kind(const GroupVersionKind& gvk) const;
  // The type of an object or body: a resource's, else a built-in type of that kind (Scale, Eviction,
  // DeleteOptions, Status). Null when nobody knows it.
  const Schema* type_of(const GroupVersionKind& gvk) const;
  // Groups in the order of their first resource; versions in order of preference.
  std::vector<std::string> groups() const;
  std::vector<std::string> versions(std::string_view group) const;

 private:
  std::vector<ResourcePtr> resources_;
  std::unordered_map<std::string, ResourcePtr> by_resource_;
  std::unordered_map<std::string, ResourcePtr> by_kind_;
};

// One Resource for each served version of a CustomResourceDefinition (apiextensions.k8s.io/v1), names from
// status.acceptedNames where present, else spec.names. Errors: Invalid.
Result<std::vector<ResourcePtr>> resources_of_crd(const Json& crd, const RuleLanguage* rules = nullptr);

}  // namespace flotilla::api
