// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/read/selection.hpp"

#include <algorithm>
#include <span>

namespace flotilla::apiserver {
namespace {

struct KindFields {
  std::string_view group, resource;
  std::span<const std::string_view> fields;
};

constexpr std::string_view kPodFields[] = {"spec.nodeName",
                                           "spec.restartPolicy",
                                           "spec.schedulerName",
                                           "spec.serviceAccountName",
                                           "spec.hostNetwork",
                                           "status.phase",
                                           "status.podIP",
                                           "status.podIPs",
                                           "status.nominatedNodeName",
                                           "spec.host"};
constexpr std::string_view kNodeFields[] = {"spec.unschedulable"};
constexpr std::string_view kEventFields[] = {"involvedObject.kind",
                                             "involvedObject.namespace",
                                             "involvedObject.name",
                                             "involvedObject.uid",
                                             "involvedObject.apiVersion",
                                             "involvedObject.resourceVersion",
                                             "involvedObject.fieldPath",
                                             "reason",
                                             "reportingComponent",
                                             "source",
                                             "type"};
constexpr std::string_view kNewEventFields[] = {"regarding.kind",
                                                "regarding.namespace",
                                                "regarding.name",
                                                "regarding.uid",
                                                "regarding.apiVersion",
                                                "regarding.resourceVersion",
                                                "regarding.fieldPath",
                                                "reason",
                                                "reportingController",
                                                "type",
                                                "source",
                                                "involvedObject.kind",
                                                "involvedObject.name",
                                                "involvedObject.namespace",
                                                "involvedObject.uid"};
constexpr std::string_view kNamespaceFields[] = {"status.phase"};
constexpr std::string_view kSecretFields[] = {"type"};
constexpr std::string_view kServiceFields[] = {"spec.clusterIP", "spec.type"};
constexpr std::string_view kReplicaFields[] = {"status.replicas"};
constexpr std::string_view kJobFields[] = {"status.successful"};
constexpr std::string_view kSigningFields[] = {"spec.signerName"};

constexpr KindFields kKinds[] = {
    {"", "pods", kPodFields},
    {"", "nodes", kNodeFields},
    {"", "events", kEventFields},
    {"events.k8s.io", "events", kNewEventFields},
    {"", "namespaces", kNamespaceFields},
    {"", "secrets", kSecretFields},
    {"", "services", kServiceFields},
    {"", "replicationcontrollers", kReplicaFields},
    {"apps", "replicasets", kReplicaFields},
    {"batch", "jobs", kJobFields},
    {"certificates.k8s.io", "certificatesigningrequests", kSigningFields},
};

Status check_field(const Resource& resource, std::string_view path) {
  if (path == "metadata.name" || (path == "metadata.namespace")) return {};
  const KindFields* own = nullptr;
  for (const KindFields& kind : kKinds) {
    if (kind.group == resource.group && kind.resource == resource.resource) own = &kind;
  }
  if (own != nullptr && std::find(own->fields.begin(), own->fields.end(), path) != own->fields.end())
    return {};
  for (const std::string& selectable : resource.selectable_fields) {
    if (path == (selectable.starts_with('.') ? selectable.substr(1) : selectable)) return {};
  }
  if (own != nullptr || resource.origin == api::Origin::Custom) {
    return Error(Code::BadRequest, "field label not supported: " + std::string(path));
  }
  return Error(
      Code::BadRequest,
      quoted(path) + " is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
}

std::string as_text(const Json& value) {
  if (value.is_string()) return std::string(value.as_string());
  return value.is_null() ? "" : value.dump();
}

// The stored form of an event is core v1's.
std::string stored_path(std::string_view path) {
  if (path.starts_with("regarding.")) return "involvedObject." + std::string(path.substr(10));
  if (path == "reportingController") return "reportingComponent";
  if (path == "spec.host") return "spec.nodeName";
  return std::string(path);
}

std::string field_of(const Json& content, std::string_view path) {
  const std::string stored = stored_path(path);
  if (stored == "status.podIPs") return as_text(content["status"]["podIPs"].element(0)["ip"]);
  if (stored == "source" && content["kind"].as_string() == "Event") {
    const std::string component = as_text(content["source"]["component"]);
    return component.empty() ? as_text(content["reportingComponent"]) : component;
  }
  if (stored == "status.successful")
    return as_text(content["status"]["succeeded"]).empty() ? "0" : as_text(content["status"]["succeeded"]);
  const Json* value = &content;
  std::string_view rest = stored;
  for (;;) {
    const auto dot = rest.find('.');
    value = &(*value)[rest.substr(0, dot)];
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  const bool flag = stored == "spec.unschedulable" || stored == "spec.hostNetwork";
  if (value->is_null() && flag) return "false";
  if (value->is_null() && stored == "status.replicas") return "0";
  return as_text(*value);
}

}  // namespace

Result<Selection> Selection::read(const Resource& resource, const Query& query, std::string only_name) {
  Selection selection;
  auto labels = api::LabelSelector::parse(query.get("labelSelector"));
  if (!labels) return std::move(labels).error();
  auto fields = api::FieldSelector::parse(query.get("fieldSelector"));
  if (!fields) return std::move(fields).error();
  for (const auto& term : fields->terms()) {
    if (auto known = check_field(resource, term.path); !known) return std::move(known).error();
    if (term.path != "metadata.name" && term.path != "metadata.namespace") selection.reads_content_ = true;
  }
  selection.only_name_ = std::move(only_name);
  if (const auto name = fields->demanded("metadata.name"); name && selection.only_name_.empty()) {
    selection.only_name_ = *name;
  }
  selection.labels_ = *std::move(labels);
  selection.fields_ = *std::move(fields);
  return selection;
}

bool Selection::matches(const api::Object& object, const Json* shown) const {
  if (!only_name_.empty() && object.name() != only_name_) return false;
  if (!labels_.selects_everything()) {
    const bool matched = labels_.matches([&](std::string_view key) -> std::optional<std::string_view> {
      const std::string* value = object.labels().find(key);
      if (value == nullptr) return std::nullopt;
      return *value;
    });
    if (!matched) return false;
  }
  if (fields_.selects_everything()) return true;
  std::shared_ptr<const Json> content;
  if (reads_content_ && shown == nullptr) {
    content = object.content();
    shown = content.get();
  }
  std::vector<std::string> kept;  // texts that the lookup points into
  kept.reserve(fields_.terms().size());
  return fields_.matches([&](std::string_view path) -> std::string_view {
    if (path == "metadata.name") return object.name();
    if (path == "metadata.namespace") return object.ns();
    kept.push_back(field_of(*shown, path));
    return kept.back();
  });
}

}  // namespace flotilla::apiserver
