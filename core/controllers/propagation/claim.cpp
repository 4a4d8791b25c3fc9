// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/propagation/claim.hpp"

#include "core/api/karmada.hpp"
#include "core/api/object.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
namespace labels = api::labels;
namespace annotations = api::annotations;

// Sets metadata.<map>[key]. False: it had that value.
bool put(Json& object, std::string_view map, std::string_view key, const std::string& value) {
  const Json* present = std::as_const(object).at({"metadata", map}).find(key);
  if (present != nullptr && present->as_string() == value) return false;
  object.make({"metadata", map, key}) = value;
  return true;
}

bool drop(Json& object, std::string_view map, std::string_view key) {
  if (!std::as_const(object).at({"metadata", map}).contains(key)) return false;
  Json& metadata = object["metadata"];
  const bool erased = metadata[map].erase(key);
  if (std::as_const(metadata)[map].empty()) metadata.erase(map);
  return erased;
}

bool belongs_to_other(const Json& object, std::string_view label, std::string_view id) {
  return !id.empty() && api::label_of(object, label) != id;
}

}  // namespace

Claim claim_by(const Json& policy) {
  const std::string_view ns = api::namespace_of(policy);
  const std::string_view label =
      ns.empty() ? labels::kClusterPropagationPolicyId : labels::kPropagationPolicyId;
  return {std::string(ns), std::string(api::name_of(policy)), std::string(api::label_of(policy, label))};
}

std::optional<Claim> claim_by_policy_on(const Json& object) {
  Claim claim{std::string(api::annotation_of(object, annotations::kPropagationPolicyNamespace)),
              std::string(api::annotation_of(object, annotations::kPropagationPolicyName)),
              std::string(api::label_of(object, labels::kPropagationPolicyId))};
  if (claim.name_space.empty() || claim.name.empty() || claim.id.empty()) return std::nullopt;
  return claim;
}

std::optional<Claim> claim_by_cluster_policy_on(const Json& object) {
  Claim claim{"", std::string(api::annotation_of(object, annotations::kClusterPropagationPolicyName)),
              std::string(api::label_of(object, labels::kClusterPropagationPolicyId))};
  if (claim.name.empty() || claim.id.empty()) return std::nullopt;
  return claim;
}

std::optional<Claim> claim_on(const Json& object) {
  if (auto claim = claim_by_policy_on(object)) return claim;
  return claim_by_cluster_policy_on(object);
}

bool set_claim(Json& object, const Claim& claim) {
  if (claim.by_cluster_policy()) {
    bool changed = put(object, "labels", labels::kClusterPropagationPolicyId, claim.id);
    changed |= put(object, "annotations", annotations::kClusterPropagationPolicyName, claim.name);
    return changed;
  }
  bool changed = remove_cluster_policy_claim(object);
  changed |= put(object, "labels", labels::kPropagationPolicyId, claim.id);
  changed |= put(object, "annotations", annotations::kPropagationPolicyNamespace, claim.name_space);
  changed |= put(object, "annotations", annotations::kPropagationPolicyName, claim.name);
  return changed;
}

bool remove_policy_claim(Json& object, std::string_view id) {
  if (belongs_to_other(object, labels::kPropagationPolicyId, id)) return false;
  bool changed = drop(object, "labels", labels::kPropagationPolicyId);
  changed |= drop(object, "annotations", annotations::kPropagationPolicyNamespace);
  changed |= drop(object, "annotations", annotations::kPropagationPolicyName);
  return changed;
}

bool remove_cluster_policy_claim(Json& object, std::string_view id) {
  if (belongs_to_other(object, labels::kClusterPropagationPolicyId, id)) return false;
  bool changed = drop(object, "labels", labels::kClusterPropagationPolicyId);
  changed |= drop(object, "annotations", annotations::kClusterPropagationPolicyName);
  return changed;
}

}  // namespace flotilla::controllers
