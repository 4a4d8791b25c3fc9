// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/propagation/build_binding.hpp"

#include "core/api/karmada.hpp"
#include "core/api/names.hpp"
#include "core/api/object.hpp"
#include "core/controllers/propagation/claim.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using interpreter::Operation;

void copy_member(const Json& from, std::string_view key, Json& to) {
  const Json& value = from[key];
  if (!value.is_null()) to.set(key, value);
}

// Only what is set: text that is empty is absent.
void set_text(Json& to, std::string_view key, std::string_view value) {
  if (!value.empty()) to.set(key, value);
}

Json reference_of(const Json& object) {
  const Json& metadata = object["metadata"];
  Json reference = Json::object({{"apiVersion", object["apiVersion"]}, {"kind", object["kind"]}});
  set_text(reference, "namespace", metadata["namespace"].as_string());
  set_text(reference, "name", metadata["name"].as_string());
  set_text(reference, "uid", metadata["uid"].as_string());
  set_text(reference, "resourceVersion", metadata["resourceVersion"].as_string());
  return reference;
}

Json owner_of(const Json& object) {
  return Json::object({{"apiVersion", object["apiVersion"]},
                       {"kind", object["kind"]},
                       {"name", api::name_of(object)},
                       {"uid", api::uid_of(object)},
                       {"controller", true},
                       {"blockOwnerDeletion", true}});
}

Status set_priority(const Json& wanted, const FindPriorityClass& find, Json& spec) {
  if (wanted.is_null()) return {};
  const std::string source(wanted["priorityClassSource"].as_string());
  if (source != "KubePriorityClass") {
    return invalid("priority class source is " + source + ", but " + source + " is not supported yet");
  }
  auto value = find(std::string(wanted["priorityClassName"].as_string()));
  if (!value) return std::move(value).error();
  spec.make({"schedulePriority", "priority"}) = *value;
  return {};
}

// Templates that agree on the label's value belong to one group.
void set_affinity_groups(const Json& object, const Json& wanted, Json& spec) {
  static constexpr std::pair<std::string_view, std::string_view> kGroups[] = {
      {"affinity", "affinityGroup"}, {"antiAffinity", "antiAffinityGroup"}};
  for (const auto& [term, group] : kGroups) {
    const std::string_view key = wanted.at({term, "groupByLabelKey"}).as_string();
    const std::string_view value = api::label_of(object, key);
    if (key.empty() || value.empty()) continue;
    spec.make({"workloadAffinityGroups", group}) = std::string(key) + "=" + std::string(value);
  }
}

void merge_map(const Json& from, std::string_view map, Json& into) {
  for (const auto [key, value] : from.at({"metadata", map}).members())
    into.make({"metadata", map, key}) = value;
}

// Replaces a member of spec by what is desired, or erases it.
void replace(const Json& desired, std::string_view key, Json& spec) {
  const Json& value = desired[key];
  if (value.is_null()) {
    spec.erase(key);
  } else {
    spec.set(key, value);
  }
}

// What the policy suspends is replaced, what others have put there stays.
void merge_suspension(const Json& desired, Json& spec) {
  const Json scheduling = std::as_const(spec).at({"suspension", "scheduling"});
  Json suspension = desired.is_null() ? Json::object() : desired;
  if (!scheduling.is_null()) suspension.set("scheduling", scheduling);
  if (suspension.empty() && desired.is_null()) {
    spec.erase("suspension");
  } else {
    spec.set("suspension", std::move(suspension));
  }
}

const Json* controller_of(const Json& object) {
  for (const Json& owner : object.at({"metadata", "ownerReferences"}).elements()) {
    if (owner["controller"].as_bool()) return &owner;
  }
  return nullptr;
}

}  // namespace

Result<Json> scale_of(const Json& object, const interpreter::Interpreter& interpreter,
                      const api::FeatureGates& gates) {
  Json scale = Json::object();
  if (gates.multiple_pod_templates_scheduling &&
      interpreter.supports(object, Operation::InterpretComponent)) {
    auto components = interpreter.interpret_components(object);
    if (!components) return std::move(components).error();
    if (!components->empty()) scale.set("components", std::move(*components));
    return scale;
  }
  if (!interpreter.supports(object, Operation::InterpretReplica)) return scale;
  auto replicas = interpreter.interpret_replicas(object);
  if (!replicas) return std::move(replicas).error();
  if (replicas->count != 0) scale.set("replicas", replicas->count);
  if (replicas->requirements.is_null()) return scale;
  if (gates.resource_quota_estimate && replicas->requirements["namespace"].as_string().empty()) {
    replicas->requirements.set("namespace", api::namespace_of(object));
  }
  scale.set("replicaRequirements", std::move(replicas->requirements));
  return scale;
}

Result<Json> build_binding(const Json& object, const Json& policy,
                           const interpreter::Interpreter& interpreter,
                           const FindPriorityClass& find_priority_class, const api::FeatureGates& gates) {
  const auto scale = scale_of(object, interpreter, gates);
  if (!scale) return scale.error();
  return build_binding(object, policy, *scale, find_priority_class, gates);
}

Result<Json> build_binding(const Json& object, const Json& policy, const Json& scale,
                           const FindPriorityClass& find_priority_class, const api::FeatureGates& gates) {
  const std::string_view ns = api::namespace_of(object);
  const bool namespaced = !ns.empty();
  const Json& wanted = policy["spec"];

  Json metadata = Json::object(
      {{"name", api::binding_name(object["kind"].as_string(), api::name_of(object))},
       {"ownerReferences", Json::array({owner_of(object)})},
       {"finalizers",
        Json::array({namespaced ? api::finalizers::kBinding : api::finalizers::kClusterBinding})}});
  set_text(metadata, "namespace", ns);

  Json spec = Json::object({{"resource", reference_of(object)}});
  for (const auto [key, value] : scale.members()) spec.set(key, value);
  if (wanted["propagateDeps"].as_bool()) spec.set("propagateDeps", true);
  spec.set("placement", wanted["placement"].is_null() ? Json::object() : wanted["placement"]);
  for (const std::string_view key :
       {"schedulerName", "failover", "conflictResolution", "preserveResourcesOnDeletion", "suspension"}) {
    copy_member(wanted, key, spec);
  }
  if (namespaced && gates.priority_based_scheduling) {
    Status set = set_priority(wanted["schedulePriority"], find_priority_class, spec);
    if (!set) return std::move(set).error();
  }
  if (namespaced && gates.workload_affinity) {
    set_affinity_groups(object, wanted.at({"placement", "workloadAffinity"}), spec);
  }

  Json binding =
      Json::object({{"apiVersion", api::versions::kBinding},
                    {"kind", namespaced ? std::string_view("ResourceBinding") : "ClusterResourceBinding"},
                    {"metadata", std::move(metadata)},
                    {"spec", std::move(spec)}});
  set_claim(binding, claim_by(policy));
  return binding;
}

Result<Json> update_binding(const Json& existing, const Json& desired) {
  const Json* before = controller_of(existing);
  const Json* after = controller_of(desired);
  if (before != nullptr && after != nullptr && (*before)["uid"] != (*after)["uid"]) {
    return Error(
        Code::Conflict,
        "the binding still belongs to an earlier template of this name (other uid): waiting for it to be "
        "garbage collected");
  }
  Json binding = existing;
  merge_map(desired, "labels", binding);
  merge_map(desired, "annotations", binding);
  for (const Json& finalizer : desired.at({"metadata", "finalizers"}).elements()) {
    api::add_finalizer(binding, finalizer.as_string());
  }
  binding.make({"metadata", "ownerReferences"}) = desired.at({"metadata", "ownerReferences"});
  if (claim_by_policy_on(desired)) remove_cluster_policy_claim(binding);

  const Json& wanted = desired["spec"];
  Json& spec = binding["spec"];
  for (const std::string_view key :
       {"resource", "replicaRequirements", "replicas", "components", "schedulerName", "placement", "failover",
        "conflictResolution", "preserveResourcesOnDeletion"}) {
    replace(wanted, key, spec);
  }
  if (desired["kind"].as_string() == "ResourceBinding") {
    for (const std::string_view key : {"propagateDeps", "schedulePriority", "workloadAffinityGroups"}) {
      replace(wanted, key, spec);
    }
  }
  merge_suspension(wanted["suspension"], spec);
  return binding;
}

}  // namespace flotilla::controllers
