// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/retain_replicas/replicas_sync_plan.hpp"

#include "core/api/karmada.hpp"
#include "core/api/object.hpp"

namespace flotilla::controllers {

using api::Json;

namespace {

bool is_collected(const Json& deployment, const Json& binding) {
  const Json& spec = binding["spec"];
  const Json& status = binding["status"];
  if (!deployment["spec"]["replicas"].is_int() ||
      deployment["spec"]["replicas"].as_int() != spec["replicas"].as_int() ||
      binding["metadata"]["generation"].as_int() != status["schedulerObservedGeneration"].as_int() ||
      status["aggregatedStatus"].size() != spec["clusters"].size()) {
    return false;
  }
  std::int64_t sum = 0;
  for (const Json& item : status["aggregatedStatus"].elements()) {
    // An autoscaler keeps at least one: 0 means that nothing was heard yet.
    const std::int64_t replicas = item["status"]["replicas"].as_int();
    if (replicas <= 0) return false;
    sum += replicas;
  }
  return sum == deployment["status"]["replicas"].as_int();
}

}  // namespace

ReplicasSync plan_replicas_sync(const Json& deployment, const Json& binding) {
  using Step = ReplicasSync::Step;
  if (api::label_of(deployment, api::labels::kRetainReplicas) != api::kTrue) return {};
  const Json& division = binding["spec"]["placement"]["replicaScheduling"];
  if (division["replicaSchedulingType"].as_string() != "Divided") return {};
  const std::int64_t there = deployment["status"]["replicas"].as_int();
  if (deployment["spec"]["replicas"].is_int() && deployment["spec"]["replicas"].as_int() == there) return {};
  if (!is_collected(deployment, binding)) return {Step::Wait, 0};
  return {Step::Set, there};
}

bool is_propagated_autoscaler(const Json& autoscaler) {
  return !api::label_of(autoscaler, api::labels::kPropagationPolicyId).empty() ||
         !api::label_of(autoscaler, api::labels::kClusterPropagationPolicyId).empty();
}

bool scales(const Json& autoscaler, const Json& object) {
  const Json& target = autoscaler["spec"]["scaleTargetRef"];
  return target["kind"] == object["kind"] && target["name"] == object["metadata"]["name"] &&
         api::Gvk::of(target).group == api::Gvk::of(object).group;
}

}  // namespace flotilla::controllers
