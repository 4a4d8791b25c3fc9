// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "core/interpreter/fields.hpp"
#include "core/interpreter/native_kinds.hpp"

namespace flotilla::interpreter {

namespace {

// The first error of any reader, or the verdict.
template <typename... Readers>
Result<bool> verdict(bool healthy, const Readers&... readers) {
  Status failed;
  (void)((failed = readers.ok(), failed.ok()) && ...);
  if (!failed) return std::move(failed).error();
  return healthy;
}

bool is_observed(FieldReader& metadata, FieldReader& status) {
  return status.count("observedGeneration") == metadata.count("generation");
}

// A load balancer is there when someone can be sent to it.
Result<bool> has_address(const api::Json& object) {
  Result<const api::Json*> status = status_of(object);
  if (!status) return std::move(status).error();
  FieldReader reader(**status, "status");
  const api::Json& balancer = reader.object("loadBalancer");
  for (const api::Json& ingress : balancer["ingress"].elements()) {
    if (!ingress["hostname"].as_string().empty() || !ingress["ip"].as_string().empty()) {
      return verdict(true, reader);
    }
  }
  return verdict(false, reader);
}

}  // namespace

// Deployments and StatefulSets.
Result<bool> healthy_deployment(const api::Json& object) {
  FieldReader metadata(object["metadata"], "metadata");
  FieldReader spec(object["spec"], "spec");
  FieldReader status(object["status"], "status");
  std::int64_t updated = status.count("updatedReplicas");
  bool healthy = is_observed(metadata, status) && updated >= spec.count("replicas") &&
                 status.count("availableReplicas") >= updated;
  return verdict(healthy, metadata, spec, status);
}

Result<bool> healthy_replica_set(const api::Json& object) {
  FieldReader metadata(object["metadata"], "metadata");
  FieldReader spec(object["spec"], "spec");
  FieldReader status(object["status"], "status");
  bool healthy = is_observed(metadata, status) && status.count("availableReplicas") >= spec.count("replicas");
  return verdict(healthy, metadata, spec, status);
}

Result<bool> healthy_daemon_set(const api::Json& object) {
  FieldReader metadata(object["metadata"], "metadata");
  FieldReader status(object["status"], "status");
  std::int64_t updated = status.count("updatedNumberScheduled");
  bool healthy = is_observed(metadata, status) && updated >= status.count("desiredNumberScheduled") &&
                 status.count("numberAvailable") >= updated;
  return verdict(healthy, metadata, status);
}

Result<bool> healthy_service(const api::Json& object) {
  if (object.at({"spec", "type"}).as_string() != "LoadBalancer") return true;
  return has_address(object);
}

Result<bool> healthy_ingress(const api::Json& object) {
  return has_address(object);
}

Result<bool> healthy_claim(const api::Json& object) {
  FieldReader status(object["status"], "status");
  return verdict(status.text("phase") == "Bound", status);
}

Result<bool> healthy_pod(const api::Json& object) {
  FieldReader status(object["status"], "status");
  std::string_view phase = status.text("phase");
  if (phase == "Succeeded") return verdict(true, status);
  for (const api::Json& condition : status.list("conditions")) {
    if (condition["type"].as_string() != "Ready") continue;
    return verdict(phase == "Running" && condition["status"].as_string() == "True", status);
  }
  return verdict(false, status);
}

Result<bool> healthy_disruption_budget(const api::Json& object) {
  FieldReader status(object["status"], "status");
  return verdict(status.count("currentHealthy") >= status.count("desiredHealthy"), status);
}

}  // namespace flotilla::interpreter
