// SPDX-License-Identifier: Apache-2.0
#include "core/planning/effects.hpp"

#include <algorithm>

#include "core/api/binding.hpp"
#include "core/api/conditions.hpp"
#include "core/api/names.hpp"
#include "core/api/removal_cause.hpp"
#include "core/controllers/propagation/claim.hpp"
#include "core/planning/fields.hpp"

namespace flotilla::planning {
namespace {

namespace c = controllers;
namespace k = controllers::kinds;

const Json& manifest_of(const Json& work) {
  return work["spec"]["workload"]["manifests"].element(0);
}

Placement placement_of(const Json& binding) {
  Placement placement;
  for (const api::TargetCluster& target : api::targets_of(binding))
    placement.replicas[target.name] = target.replicas;
  return placement;
}

class Sorter {
 public:
  explicit Sorter(Rehearsal& rehearsal) : rehearsal_(rehearsal) {}

  std::map<ObjectKey, TemplateEffect> sort() {
    for (const Written& entry : rehearsal_.written()) {
      const Collection& collection = entry.key.collection;
      if (collection == k::kWork.collection()) {
        add_work(entry);
      } else if (collection == k::kResourceBinding.collection() ||
                 collection == k::kClusterResourceBinding.collection()) {
        add_binding(entry);
      }
    }
    return std::move(effects_);
  }

 private:
  // The effect on what this binding places; as the world has it until something is said of it.
  TemplateEffect& effect_of(const Collection& collection, const ObjectKey& key) {
    const auto [it, fresh] = effects_.try_emplace(key);
    if (!fresh) return it->second;
    TemplateEffect& effect = it->second;
    effect.binding = key;
    const ObjectPtr binding = rehearsal_.look(collection, key);
    if (!binding) return effect;
    const auto content = binding->content();
    effect.reference = (*content)["spec"]["resource"];
    effect.policy_before = effect.policy_after = policy_of(*content);
    effect.before = effect.after = placement_of(*content);
    return effect;
  }

  void add_binding(const Written& entry) {
    TemplateEffect& effect = effect_of(entry.key.collection, entry.key.object);
    const auto before = entry.before ? entry.before->content() : nullptr;
    const auto after = entry.after ? entry.after->content() : nullptr;
    const bool gone = !entry.after || entry.after->deleting();
    effect.binding_created = !entry.before;
    effect.binding_deleted = gone && entry.before && !entry.before->deleting();
    effect.before = before ? placement_of(*before) : Placement();
    effect.policy_before = before ? policy_of(*before) : std::string();
    effect.after = gone ? Placement() : placement_of(*after);
    effect.policy_after = gone ? std::string() : policy_of(*after);
    effect.reference = (after ? *after : *before)["spec"]["resource"];
    if (gone) return;
    const Json* now = api::find_condition((*after)["status"]["conditions"], api::conditions::kScheduled);
    const Json* was =
        before ? api::find_condition((*before)["status"]["conditions"], api::conditions::kScheduled)
               : nullptr;
    if (now == nullptr) return;
    const bool same = was != nullptr && (*was)["status"] == (*now)["status"] &&
                      (*was)["reason"] == (*now)["reason"] && (*was)["message"] == (*now)["message"];
    if (!same) effect.condition = *now;
  }

  void add_work(const Written& entry) {
    const auto cluster = api::cluster_of_execution_namespace(entry.key.object.ns);
    if (!cluster) return;
    const auto before = entry.before ? entry.before->content() : nullptr;
    const auto after = entry.after ? entry.after->content() : nullptr;
    const Json& known = after ? *after : *before;
    const auto binding = c::binding_of_work(known);
    if (!binding) return;
    ClusterEffect effect;
    effect.work = entry.key.object.text();
    const bool was = before && !entry.before->deleting();
    // What the guard holds goes in the end.
    const auto removal = after ? api::removal_cause_of_work(*after) : std::nullopt;
    const auto before_removal = before ? api::removal_cause_of_work(*before) : std::nullopt;
    const bool held = removal && !removal->held.empty();
    const bool held_before = before_removal && !before_removal->held.empty();
    const bool is = after && !entry.after->deleting() && !(held && !held_before);
    if (!was && !is) return;
    effect.kind = !was  ? ClusterEffect::Kind::Create
                  : !is ? ClusterEffect::Kind::Delete
                        : ClusterEffect::Kind::Update;
    if (!is && removal) effect.cause = removal->text();
    if (!is && held) effect.held = removal->held;
    if (was) effect.before = comparable(manifest_of(*before));
    if (is) effect.after = comparable(manifest_of(*after));
    effect.suspended = known["spec"]["suspendDispatching"].as_bool();
    effect.preserved = !is && known["spec"]["preserveResourcesOnDeletion"].as_bool();
    const bool sends = !was || !is || !(effect.before == effect.after) ||
                       (*before)["spec"]["suspendDispatching"] != (*after)["spec"]["suspendDispatching"];
    if (!sends) return;  // nothing but bookkeeping
    effect_of(binding->scope->kind.collection(), binding->key).clusters[*cluster] = std::move(effect);
  }

  Rehearsal& rehearsal_;
  std::map<ObjectKey, TemplateEffect> effects_;
};

}  // namespace

std::size_t TemplateEffect::count(ClusterEffect::Kind kind) const {
  return static_cast<std::size_t>(std::count_if(
      clusters.begin(), clusters.end(), [&](const auto& entry) { return entry.second.kind == kind; }));
}

bool TemplateEffect::moves() const {
  return before.replicas != after.replicas;
}

int TemplateEffect::gravity() const {
  if (count(ClusterEffect::Kind::Delete) > 0) return 4;
  if (!condition.is_null() && condition["status"].as_string() != "True") return 3;
  if (moves()) return 2;
  return clusters.empty() ? 0 : 1;
}

std::map<ObjectKey, TemplateEffect> effects_of(Rehearsal& rehearsal) {
  return Sorter(rehearsal).sort();
}

std::string policy_of(const Json& claimed) {
  const auto claim = c::claim_on(claimed);
  if (!claim) return {};
  return claim->by_cluster_policy() ? "ClusterPropagationPolicy " + claim->name
                                    : "PropagationPolicy " + claim->name_space + "/" + claim->name;
}

}  // namespace flotilla::planning
