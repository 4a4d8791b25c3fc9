// SPDX-License-Identifier: Apache-2.0
#include "core/api/admission/admission.hpp"

#include <array>
#include <utility>

#include "core/api/admission/rules.hpp"
#include "core/api/karmada.hpp"

namespace flotilla::api {

namespace {

struct AdmittedKind {
  std::string_view group;
  std::string_view kind;
  Completion complete = nullptr;
  Review review = nullptr;
};

constexpr std::array kKinds = {
    AdmittedKind{groups::kPolicy, "PropagationPolicy", complete_propagation_policy,
                 review_propagation_policy},
    AdmittedKind{groups::kPolicy, "ClusterPropagationPolicy", complete_cluster_propagation_policy,
                 review_cluster_propagation_policy},
    AdmittedKind{groups::kPolicy, "OverridePolicy", complete_override_policy, review_override_policy},
    AdmittedKind{groups::kPolicy, "ClusterOverridePolicy", nullptr, review_cluster_override_policy},
    AdmittedKind{groups::kPolicy, "FederatedResourceQuota", nullptr, review_resource_quota},
    AdmittedKind{groups::kPolicy, "ClusterTaintPolicy", nullptr, review_taint_policy},
    AdmittedKind{groups::kWork, "ResourceBinding", complete_resource_binding, review_resource_binding},
    AdmittedKind{groups::kWork, "ClusterResourceBinding", complete_cluster_resource_binding, nullptr},
    AdmittedKind{groups::kWork, "Work", complete_work, nullptr},
    AdmittedKind{groups::kCluster, "Cluster", complete_cluster, review_cluster},
    AdmittedKind{groups::kAutoscaling, "FederatedHPA", complete_autoscaler, review_autoscaler},
    AdmittedKind{groups::kAutoscaling, "CronFederatedHPA", nullptr, review_cron_autoscaler},
    AdmittedKind{groups::kNetworking, "MultiClusterService", complete_multi_cluster_service,
                 review_multi_cluster_service},
    AdmittedKind{groups::kNetworking, "MultiClusterIngress", nullptr, review_multi_cluster_ingress},
    AdmittedKind{groups::kConfig, "ResourceInterpreterCustomization", nullptr,
                 review_interpreter_customization},
    AdmittedKind{groups::kConfig, "ResourceInterpreterWebhookConfiguration", nullptr,
                 review_interpreter_webhooks},
};

const AdmittedKind* find_kind(std::string_view api_version, std::string_view kind) {
  std::string_view group = api_version.substr(0, api_version.find('/'));
  for (const AdmittedKind& known : kKinds) {
    if (known.kind == kind && known.group == group) return &known;
  }
  return nullptr;
}

const AdmittedKind* find_kind(const Json& object) {
  return find_kind(object["apiVersion"].as_string(), object["kind"].as_string());
}

Status review_deletion(const Json& object) {
  const Json& protection = object.at({"metadata", "labels"})[labels::kDeletionProtected];
  if (protection.as_string() != labels::kDeletionProtectedAlways) return {};
  return Error(Code::Forbidden, "This resource is protected, please make sure to remove the label: " +
                                    std::string(labels::kDeletionProtected));
}

}  // namespace

bool is_admitted_kind(std::string_view api_version, std::string_view kind) {
  return find_kind(api_version, kind) != nullptr;
}

Result<Json> complete(const AdmissionRequest& request, AdmissionWorld& world,
                      const AdmissionOptions& options) {
  Json object = request.object;
  const AdmittedKind* known = find_kind(object);
  if (known == nullptr || known->complete == nullptr) return object;
  Status completed = known->complete(object, {request, world, options});
  if (!completed) return std::move(completed).error();
  return object;
}

Status review(const AdmissionRequest& request, AdmissionWorld& world, const AdmissionOptions& options) {
  if (request.verb == AdmissionVerb::Delete) return review_deletion(request.old_object);
  const AdmittedKind* known = find_kind(request.object);
  if (known == nullptr || known->review == nullptr) return {};
  return known->review({request, world, options});
}

Result<Json> admit(const AdmissionRequest& request, AdmissionWorld& world, const AdmissionOptions& options) {
  if (request.verb == AdmissionVerb::Delete) {
    Status reviewed = review(request, world, options);
    if (!reviewed) return std::move(reviewed).error();
    return Json(request.old_object);
  }
  Result<Json> object = complete(request, world, options);
  if (!object) return object;
  Status reviewed = review({request.verb, request.name_space, *object, request.old_object}, world, options);
  if (!reviewed) return std::move(reviewed).error();
  return object;
}

}  // namespace flotilla::api
