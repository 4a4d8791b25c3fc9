// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/multi_cluster_service/mcs_plan.hpp"

#include <algorithm>

#include "core/api/karmada.hpp"
#include "core/api/names.hpp"
#include "core/api/object.hpp"
#include "core/api/wrap_manifest.hpp"

namespace flotilla::controllers {

using api::Json;
namespace l = api::labels;
namespace a = api::annotations;

namespace {

std::set<std::string> named_or_all(const Json& list, const std::set<std::string>& all) {
  std::set<std::string> names;
  for (const Json& cluster : list.elements()) names.emplace(cluster["name"].as_string());
  return names.empty() ? all : names;
}

bool erase_keys(Json& object, const char* part, std::initializer_list<std::string_view> keys) {
  if (!std::as_const(object)["metadata"][part].is_object()) return false;
  bool erased = false;
  for (const std::string_view key : keys) {
    if (!std::as_const(object)["metadata"][part].contains(key)) continue;
    object["metadata"][part].erase(key);
    erased = true;
  }
  return erased;
}

Json id_of(const Json& mcs) {
  return api::label_of(mcs, l::kMultiClusterServiceId);
}

}  // namespace

bool is_cross_cluster(const Json& mcs) {
  const auto types = mcs["spec"]["types"].elements();
  return std::any_of(types.begin(), types.end(),
                     [](const Json& type) { return type.as_string() == "CrossCluster"; });
}

std::set<std::string> provider_clusters(const Json& mcs, const std::set<std::string>& all) {
  return named_or_all(mcs["spec"]["providerClusters"], all);
}

std::set<std::string> consumer_clusters(const Json& mcs, const std::set<std::string>& all) {
  return named_or_all(mcs["spec"]["consumerClusters"], all);
}

std::string marker_work_name(std::string_view ns, std::string_view service) {
  return api::work_name(kMultiClusterServiceKind, service, ns);
}

Json marker_work(const Json& mcs, const std::string& cluster) {
  Json manifest = mcs;
  manifest.erase("status");
  api::WorkFrame frame;
  frame.cluster = cluster;
  frame.labels = Json::object({{l::kMultiClusterServiceId, id_of(mcs)},
                               {l::kMultiClusterServiceNamespace, api::namespace_of(mcs)},
                               {l::kMultiClusterServiceName, api::name_of(mcs)}});
  frame.suspended = true;
  return api::wrap_manifest(std::move(manifest), frame);
}

bool claim_service(Json& service, const Json& mcs) {
  const Json before = service;
  erase_keys(service, "labels", {l::kPropagationPolicyId, l::kClusterPropagationPolicyId});
  erase_keys(service, "annotations",
             {a::kPropagationPolicyName, a::kPropagationPolicyNamespace, a::kClusterPropagationPolicyName});
  Json& labels = service.make({"metadata", "labels"});
  labels.set(l::kClaimedBy, kMultiClusterServiceKind);
  labels.set(l::kMultiClusterServiceId, id_of(mcs));
  Json& annotations = service.make({"metadata", "annotations"});
  annotations.set(l::kMultiClusterServiceName, api::name_of(mcs));
  annotations.set(l::kMultiClusterServiceNamespace, api::namespace_of(mcs));
  return !(service == before);
}

bool release_service(Json& service) {
  if (api::label_of(service, l::kClaimedBy) != kMultiClusterServiceKind) return false;
  erase_keys(service, "labels", {l::kClaimedBy, l::kMultiClusterServiceId});
  erase_keys(service, "annotations", {l::kMultiClusterServiceName, l::kMultiClusterServiceNamespace});
  return true;
}

Json service_binding(const Json& service, const Json& mcs, const std::set<std::string>& clusters) {
  Json names = Json::array();
  for (const std::string& cluster : clusters) names.push_back(cluster);
  const Json& metadata = service["metadata"];
  Json owner = Json::object({{"apiVersion", "v1"},
                             {"kind", "Service"},
                             {"name", metadata["name"]},
                             {"uid", metadata["uid"]},
                             {"controller", true},
                             {"blockOwnerDeletion", true}});
  Json annotations = Json::object({{l::kMultiClusterServiceName, api::name_of(mcs)},
                                   {l::kMultiClusterServiceNamespace, api::namespace_of(mcs)}});
  Json labels = Json::object(
      {{l::kBindingManagedBy, kMultiClusterServiceKind}, {l::kMultiClusterServiceId, id_of(mcs)}});
  Json resource = Json::object({{"apiVersion", "v1"},
                                {"kind", "Service"},
                                {"namespace", metadata["namespace"]},
                                {"name", metadata["name"]},
                                {"uid", metadata["uid"]},
                                {"resourceVersion", metadata["resourceVersion"]}});
  Json affinity = Json::object({{"clusterNames", std::move(names)}});
  return Json::object(
      {{"apiVersion", api::versions::kBinding},
       {"kind", "ResourceBinding"},
       {"metadata", Json::object({{"name", api::binding_name("Service", api::name_of(service))},
                                  {"namespace", metadata["namespace"]},
                                  {"ownerReferences", Json::array({std::move(owner)})},
                                  {"annotations", std::move(annotations)},
                                  {"labels", std::move(labels)},
                                  {"finalizers", Json::array({api::finalizers::kBinding})}})},
       {"spec", Json::object({{"placement", Json::object({{"clusterAffinity", std::move(affinity)}})},
                              {"conflictResolution", "Overwrite"},
                              {"resource", std::move(resource)}})}});
}

bool renew_service_binding(Json& binding, const Json& wanted) {
  const Json before = binding;
  erase_keys(binding, "labels", {l::kPropagationPolicyId, l::kClusterPropagationPolicyId});
  erase_keys(binding, "annotations",
             {a::kPropagationPolicyName, a::kPropagationPolicyNamespace, a::kClusterPropagationPolicyName});
  for (const char* part : {"labels", "annotations"}) {
    for (const auto& [key, value] : wanted["metadata"][part].members())
      binding.make({"metadata", part, key}) = value;
  }
  binding["metadata"].set("ownerReferences", wanted["metadata"]["ownerReferences"]);
  api::add_finalizer(binding, api::finalizers::kBinding);
  for (const char* part : {"placement", "conflictResolution", "resource"})
    binding["spec"].set(part, wanted["spec"][part]);
  return !(binding == before);
}

bool release_service_binding(Json& binding) {
  const bool labels = erase_keys(binding, "labels", {l::kBindingManagedBy, l::kMultiClusterServiceId});
  const bool annotations =
      erase_keys(binding, "annotations", {l::kMultiClusterServiceName, l::kMultiClusterServiceNamespace});
  return labels || annotations;
}

Json dispatched_work(const Json& collected, const Json& mcs, const std::string& provider,
                     const std::string& consumer) {
  Json slice = collected["spec"]["workload"]["manifests"].element(0);
  const std::string name = provider + "-" + std::string(api::name_of(slice));
  slice.set("metadata",
            Json::object({{"name", name},
                          {"namespace", api::namespace_of(slice)},
                          {"labels", Json::object({{"kubernetes.io/service-name", api::name_of(mcs)},
                                                   {"endpointslice.kubernetes.io/managed-by",
                                                    "endpointslice-dispatch-controller.karmada.io"}})},
                          {"annotations", Json::object({{a::kProvisionCluster, provider}})}}));
  api::WorkFrame frame;
  frame.cluster = consumer;
  frame.name = api::name_of(collected);
  frame.labels = Json::object({{l::kMultiClusterServiceNamespace, api::namespace_of(mcs)},
                               {l::kMultiClusterServiceName, api::name_of(mcs)}});
  frame.annotations = Json::object({{a::kProvisionCluster, provider}});
  frame.finalizers = {std::string(api::finalizers::kExecution)};
  return api::wrap_manifest(std::move(slice), frame);
}

}  // namespace flotilla::controllers
