// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include "core/api/admission/rules.hpp"
#include "core/api/karmada.hpp"
#include "core/api/object.hpp"

namespace flotilla::api {

namespace {

constexpr int kDefaultGracePeriodSeconds = 600;

void complete_selector_namespaces(Json& object, std::string_view name_space) {
  Json* selectors = object.find_pointer("/spec/resourceSelectors");
  if (selectors == nullptr) return;
  for (Json& selector : selectors->elements()) {
    if (std::as_const(selector)["namespace"].as_string().empty()) selector.set("namespace", name_space);
  }
}

// Groups of clusters, at least one, unless a constraint says otherwise.
void complete_spread_constraints(Json& placement) {
  Json* constraints = placement.find("spreadConstraints");
  if (constraints == nullptr) return;
  for (Json& constraint : constraints->elements()) {
    const Json& written = constraint;
    if (written["spreadByField"].as_string().empty() && written["spreadByLabel"].as_string().empty()) {
      constraint.set("spreadByField", "cluster");
    }
    if (written["minGroups"].as_int() == 0) constraint.set("minGroups", 1);
  }
}

void complete_replica_scheduling(Json& placement) {
  Json* scheduling = placement.find("replicaScheduling");
  if (scheduling == nullptr) return;
  const Json& written = *scheduling;
  if (written["replicaSchedulingType"].as_string() == "Divided" &&
      written["replicaDivisionPreference"].as_string().empty()) {
    scheduling->set("replicaDivisionPreference", "Weighted");
  }
}

void complete_failover(Json& spec) {
  Json* failover = spec.find("failover");
  Json* application = failover == nullptr ? nullptr : failover->find("application");
  if (application == nullptr) return;
  const Json& written = *application;
  if (written["purgeMode"].as_string() == "Gracefully" && written["gracePeriodSeconds"].is_null()) {
    application->set("gracePeriodSeconds", kDefaultGracePeriodSeconds);
  }
}

// A ServiceImport is of no use without the derived Service and its EndpointSlices.
bool selects_service_imports(const Json& spec) {
  for (const Json& selector : spec["resourceSelectors"].elements()) {
    if (selector["apiVersion"].as_string() == "multicluster.x-k8s.io/v1alpha1" &&
        selector["kind"].as_string() == "ServiceImport") {
      return true;
    }
  }
  return false;
}

void complete_policy(Json& object, const Admission& admission, std::string_view id_label,
                     std::string_view finalizer) {
  Json& spec = object["spec"];
  if (Json* placement = spec.find("placement")) {
    complete_spread_constraints(*placement);
    complete_replica_scheduling(*placement);
  }
  complete_failover(spec);
  if (selects_service_imports(spec)) spec.set("propagateDeps", true);
  if (std::as_const(spec)["schedulerName"].as_string().empty()) spec.erase("schedulerName");
  if (!admission.is_create()) return;
  object.make({"metadata", "labels"}).set(id_label, admission.world.new_id());
  add_finalizer(object, finalizer);
}

}  // namespace

Status complete_propagation_policy(Json& object, const Admission& admission) {
  complete_selector_namespaces(object, admission.request.name_space);
  complete_policy(object, admission, labels::kPropagationPolicyId, finalizers::kPropagationPolicy);
  return {};
}

Status complete_cluster_propagation_policy(Json& object, const Admission& admission) {
  complete_policy(object, admission, labels::kClusterPropagationPolicyId,
                  finalizers::kClusterPropagationPolicy);
  return {};
}

Status complete_override_policy(Json& object, const Admission& admission) {
  complete_selector_namespaces(object, admission.request.name_space);
  return {};
}

}  // namespace flotilla::api
