// SPDX-License-Identifier: Apache-2.0
#include "core/api/binding_conversion.hpp"

#include <initializer_list>
#include <string>
#include <utility>

namespace flotilla::api {

namespace {

constexpr std::string_view kGroup = "work.karmada.io/";
constexpr std::string_view kOld = "v1alpha1";
constexpr std::string_view kNew = "v1alpha2";

void copy(const Json& from, Json& to, std::initializer_list<std::string_view> members) {
  for (std::string_view member : members) {
    const Json& value = from[member];
    if (!value.is_null()) to.set(member, value);
  }
}

// Counts are left out where they are zero.
void copy_count(const Json& from, std::string_view name, Json& to) {
  if (from[name].as_int() != 0) to.set(name, from[name]);
}

Json convert_clusters(const Json& clusters) {
  Json list = Json::array();
  for (const Json& cluster : clusters.elements()) {
    Json target = Json::object({{"name", cluster["name"]}});
    copy_count(cluster, "replicas", target);
    list.push_back(std::move(target));
  }
  return list;
}

Json spec_of_old(const Json& spec) {
  const Json& old = spec["resource"];
  Json resource = Json::object();
  copy(old, resource, {"apiVersion", "kind", "namespace", "name", "resourceVersion"});
  Json result = Json::object({{"resource", std::move(resource)}});
  copy_count(old, "replicas", result);
  if (!old["resourcePerReplicas"].empty()) {
    result.make({"replicaRequirements"}).set("resourceRequest", old["resourcePerReplicas"]);
  }
  return result;
}

Json spec_of_new(const Json& spec) {
  Json resource = Json::object();
  copy(spec["resource"], resource, {"apiVersion", "kind", "namespace", "name", "resourceVersion"});
  copy_count(spec, "replicas", resource);
  const Json& request = spec.at({"replicaRequirements", "resourceRequest"});
  if (!request.empty()) resource.set("resourcePerReplicas", request);
  return Json::object({{"resource", std::move(resource)}});
}

Json convert_status(const Json& status) {
  Json result = Json::object();
  copy(status, result, {"conditions"});
  for (const Json& item : status["aggregatedStatus"].elements()) {
    Json converted = Json::object();
    copy(item, converted, {"clusterName", "status"});
    if (item["applied"].as_bool()) converted.set("applied", true);
    if (!item["appliedMessage"].as_string().empty()) converted.set("appliedMessage", item["appliedMessage"]);
    result["aggregatedStatus"].push_back(std::move(converted));
  }
  return result;
}

}  // namespace

Result<Json> convert_binding(const Json& binding, std::string_view to_version) {
  std::string_view from = binding["apiVersion"].as_string();
  std::string to = std::string(kGroup) + std::string(to_version);
  if (from == to) return binding;
  bool to_new = from == std::string(kGroup) + std::string(kOld) && to_version == kNew;
  bool to_old = from == std::string(kGroup) + std::string(kNew) && to_version == kOld;
  if (!to_new && !to_old) {
    return bad_request("conversion from " + std::string(from) + " to " + to + " is not supported");
  }
  Json result = Json::object({{"apiVersion", to}});
  copy(binding, result, {"kind", "metadata"});
  Json spec = to_new ? spec_of_old(binding["spec"]) : spec_of_new(binding["spec"]);
  if (!binding["spec"]["clusters"].empty())
    spec.set("clusters", convert_clusters(binding["spec"]["clusters"]));
  result.set("spec", std::move(spec));
  result.set("status", convert_status(binding["status"]));
  return result;
}

}  // namespace flotilla::api
