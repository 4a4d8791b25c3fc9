// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <string>

#include "core/api/karmada.hpp"
#include "core/interpreter/native_kinds.hpp"

namespace flotilla::interpreter {

namespace {

constexpr std::string_view kServiceAccountToken = "kubernetes.io/service-account-token";

// Takes over what the member has at this path; what the member lacks stays as desired.
void take_present(api::Json& desired, const api::Json& observed,
                  std::initializer_list<std::string_view> path) {
  const api::Json& value = observed.at(path);
  if (!value.is_null()) desired.make(path) = value;
}

// The member alone decides: what it lacks, the desired object lacks too.
void take(api::Json& desired_spec, const api::Json& observed_spec, std::string_view field) {
  const api::Json& value = observed_spec[field];
  if (value.is_null()) {
    desired_spec.erase(field);
  } else {
    desired_spec.set(field, value);
  }
}

void take_volume_mounts(api::Json& desired_spec, const api::Json& observed_spec, std::string_view list) {
  api::Json* containers = desired_spec.find(list);
  if (containers == nullptr) return;
  for (api::Json& container : containers->elements()) {
    std::string_view name = std::as_const(container)["name"].as_string();
    for (const api::Json& running : observed_spec[list].elements()) {
      if (running["name"].as_string() != name) continue;
      take(container, running, "volumeMounts");
      break;
    }
  }
}

// In a pod an empty list says the same as none; the member keeps none.
void drop_empty_lists(api::Json& value) {
  for (const std::string& key : value.keys()) {
    api::Json& member = *value.find(key);
    if (member.is_array() && member.empty()) {
      value.erase(key);
    } else {
      drop_empty_lists(member);
    }
  }
  for (api::Json& element : value.elements()) drop_empty_lists(element);
}

// Adds the observed entries whose names are not desired, in the observed order.
void merge_by_name(api::Json& desired, const api::Json& observed, std::string_view list) {
  const api::Json& running = observed[list];
  if (running.empty()) return;
  api::Json& wanted = desired[list];
  std::set<std::string, std::less<>> names;
  for (const api::Json& entry : std::as_const(wanted).elements()) names.emplace(entry["name"].as_string());
  for (const api::Json& entry : running.elements()) {
    if (names.emplace(entry["name"].as_string()).second) wanted.push_back(entry);
  }
}

}  // namespace

Status retain_deployment(api::Json& desired, const api::Json& observed) {
  const api::Json& labels = std::as_const(desired).at({"metadata", "labels"});
  if (labels[api::labels::kRetainReplicas].as_string() != api::kTrue) return {};
  const api::Json& replicas = observed.at({"spec", "replicas"});
  if (!replicas.is_int()) {
    const api::Json& metadata = observed["metadata"];
    return invalid("failed to get spec.replicas from Deployment " +
                   std::string(metadata["namespace"].as_string()) + "/" +
                   std::string(metadata["name"].as_string()));
  }
  desired.make({"spec", "replicas"}) = replicas;
  return {};
}

Status retain_pod(api::Json& desired, const api::Json& observed) {
  api::Json& spec = desired["spec"];
  const api::Json& running = observed["spec"];
  for (std::string_view field : {"nodeName", "serviceAccountName", "volumes"}) take(spec, running, field);
  for (std::string_view list : {"containers", "initContainers"}) take_volume_mounts(spec, running, list);
  drop_empty_lists(spec);
  return {};
}

Status retain_service(api::Json& desired, const api::Json& observed) {
  const api::Json& spec = observed["spec"];
  if (spec["healthCheckNodePort"].as_int() > 0) {
    take_present(desired, observed, {"spec", "healthCheckNodePort"});
  }
  if (!spec["clusterIP"].as_string().empty()) take_present(desired, observed, {"spec", "clusterIP"});
  return {};
}

Status retain_service_account(api::Json& desired, const api::Json& observed) {
  merge_by_name(desired, observed, "secrets");
  merge_by_name(desired, observed, "imagePullSecrets");
  return {};
}

Status retain_claim(api::Json& desired, const api::Json& observed) {
  if (!observed.at({"spec", "volumeName"}).as_string().empty()) {
    take_present(desired, observed, {"spec", "volumeName"});
  }
  return {};
}

Status retain_volume(api::Json& desired, const api::Json& observed) {
  take_present(desired, observed, {"spec", "claimRef"});
  return {};
}

Status retain_job(api::Json& desired, const api::Json& observed) {
  take_present(desired, observed, {"spec", "selector", "matchLabels"});
  take_present(desired, observed, {"spec", "template", "metadata", "labels"});
  return {};
}

Status retain_secret(api::Json& desired, const api::Json& observed) {
  if (std::as_const(desired)["type"].as_string() == kServiceAccountToken) {
    take_present(desired, observed, {"data"});
  }
  return {};
}

}  // namespace flotilla::interpreter
