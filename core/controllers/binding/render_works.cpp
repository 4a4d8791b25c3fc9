// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/binding/render_works.hpp"

#include <algorithm>
#include <map>

#include "core/api/binding.hpp"
#include "core/api/karmada.hpp"
#include "core/api/manifest.hpp"
#include "core/api/names.hpp"
#include "core/api/object.hpp"
#include "core/overrides/applied_text.hpp"
#include "core/scheduler/trigger.hpp"
#include "core/scheduler/webster.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
namespace a = api::annotations;
namespace l = api::labels;

using Target = api::TargetCluster;

bool is_cluster_scoped(const Json& binding) {
  return binding["kind"].as_string() == "ClusterResourceBinding";
}

bool is_divided(const Json& spec) {
  return spec["placement"]["replicaScheduling"]["replicaSchedulingType"].as_string() == "Divided";
}

// Completions of a divided Job per cluster, weighted by replicas.
std::map<std::string, std::int64_t> divide_completions(const RenderInput& input,
                                                       const std::vector<Target>& targets) {
  const Json& spec = input.binding["spec"];
  const Json& completions = input.template_["spec"]["completions"];
  std::map<std::string, std::int64_t> divided;
  if (input.template_["kind"].as_string() != "Job" || spec["replicas"].as_int() <= 0 || !is_divided(spec) ||
      !completions.is_int()) {
    return divided;
  }
  std::map<std::string, std::int64_t> votes;
  for (const Target& target : targets) votes[target.name] = target.replicas;
  std::vector<scheduler::Party> parties;
  for (const auto& [name, replicas] : votes) parties.push_back({replicas, 0});
  const std::string_view uid = spec["resource"]["uid"].as_string();
  scheduler::apportion(parties, completions.as_int(), scheduler::prefers_last(uid));
  std::size_t i = 0;
  for (const auto& [name, replicas] : votes) divided[name] = parties[i++].seats;
  return divided;
}

std::string conflict_resolution(const RenderInput& input) {
  const std::string_view wish = api::annotation_of(input.template_, a::kConflictResolution);
  if (wish == a::kOverwrite || wish == a::kAbort) return std::string(wish);
  const bool overwrite = input.binding["spec"]["conflictResolution"].as_string() == "Overwrite";
  return std::string(overwrite ? a::kOverwrite : a::kAbort);
}

bool is_suspended(const Json& spec, const std::string& cluster) {
  const Json& suspension = spec["suspension"];
  if (suspension["dispatching"].as_bool()) return true;
  const auto names = suspension["dispatchingOnClusters"]["clusterNames"].elements();
  return std::any_of(names.begin(), names.end(),
                     [&](const Json& name) { return name.as_string() == cluster; });
}

// Marks that say where it comes from: on the manifest and on the Work.
void point_to_binding(Json& object, const Json& binding) {
  Json& annotations = object.make({"metadata", "annotations"});
  if (is_cluster_scoped(binding)) {
    annotations.set(a::kClusterResourceBindingName, api::name_of(binding));
    object.make({"metadata", "labels", l::kClusterResourceBindingId}) =
        api::label_of(binding, l::kClusterResourceBindingId);
  } else {
    annotations.set(a::kResourceBindingName, api::name_of(binding));
    annotations.set(a::kResourceBindingNamespace, api::namespace_of(binding));
    object.make({"metadata", "labels", l::kResourceBindingId}) =
        api::label_of(binding, l::kResourceBindingId);
  }
}

// The state that the last failed copy left behind, where it was purged before this one is made.
void inject_preserved_state(const RenderInput& input, const std::string& cluster, Json& manifest) {
  const auto tasks = input.binding["spec"]["gracefulEvictionTasks"].elements();
  if (!input.inject_preserved_state || tasks.empty() || api::targets_of(input.binding).size() > 1) return;
  const Json& task = tasks.back();
  if (!api::purges_directly(task)) return;
  for (const Json& before : task["clustersBeforeFailover"].elements()) {
    if (before.as_string() == cluster) return;
  }
  for (const auto& [key, value] : task["preservedLabelState"].members())
    manifest.make({"metadata", "labels", key}) = value;
}

Json make_work(const RenderInput& input, const std::string& cluster, Json manifest,
               const overrides::Outcome& outcome) {
  const Json& binding = input.binding;
  const Json& spec = binding["spec"];
  const std::string ns = api::execution_namespace(cluster);
  const std::string name =
      api::work_name(manifest["kind"].as_string(), api::name_of(manifest), api::namespace_of(manifest));
  const std::string resolution = conflict_resolution(input);

  Json work = Json::object(
      {{"apiVersion", api::versions::kWork},
       {"kind", "Work"},
       {"metadata", Json::object({{"name", name},
                                  {"namespace", ns},
                                  {"finalizers", Json::array({api::finalizers::kExecution})}})}});
  point_to_binding(work, binding);
  Json& work_annotations = work["metadata"]["annotations"];
  work_annotations.set(a::kConflictResolution, resolution);
  if (!outcome.applied_cluster_overrides.is_null()) {
    work_annotations.set(a::kAppliedClusterOverrides,
                         overrides::applied_text(outcome.applied_cluster_overrides));
  }
  if (!outcome.applied_overrides.is_null())
    work_annotations.set(a::kAppliedOverrides, overrides::applied_text(outcome.applied_overrides));

  const std::string uid(api::uid_of(input.template_));
  const std::int64_t generation = input.template_["metadata"]["generation"].as_int();
  point_to_binding(manifest, binding);
  inject_preserved_state(input, cluster, manifest);
  Json& annotations = manifest["metadata"]["annotations"];
  if (generation > 0) annotations.set(a::kTemplateGeneration, std::to_string(generation));
  annotations.set(a::kTemplateUid, uid);
  annotations.set(a::kWorkName, name);
  annotations.set(a::kWorkNamespace, ns);
  annotations.set(a::kConflictResolution, resolution);
  manifest.make({"metadata", "labels", l::kManaged}) = api::kTrue;
  api::prune_manifest(manifest, api::JobTtl::Remove);
  api::record_managed_keys(manifest, {});
  work.set("spec",
           Json::object({{"workload", Json::object({{"manifests", Json::array({std::move(manifest)})}})},
                         {"suspendDispatching", is_suspended(spec, cluster)},
                         {"preserveResourcesOnDeletion", spec["preserveResourcesOnDeletion"].as_bool()}}));
  return work;
}

// The template as this target gets it before overrides.
Result<Json> revise(const RenderInput& input, const Target& target,
                    const std::map<std::string, std::int64_t>& completions) {
  Json manifest = input.template_;
  if (scheduler::is_workload(input.binding["spec"]) &&
      input.interpreter.supports(manifest, interpreter::Operation::ReviseReplica)) {
    auto revised = input.interpreter.revise_replica(manifest, target.replicas);
    if (!revised) return std::move(revised).context("revise replica");
    manifest = *std::move(revised);
  }
  if (const auto it = completions.find(target.name); it != completions.end()) {
    manifest["spec"].set("completions", it->second);
  }
  return manifest;
}

void note_policies(const overrides::Outcome& outcome, std::string_view ns, std::set<std::string>& titles) {
  for (const Json& entry : outcome.applied_cluster_overrides.elements()) {
    titles.insert("cluster override policy(" + std::string(entry["policyName"].as_string()) + ")");
  }
  for (const Json& entry : outcome.applied_overrides.elements()) {
    titles.insert("override policy(" + std::string(ns) + "/" + std::string(entry["policyName"].as_string()) +
                  ")");
  }
}

}  // namespace

// Targets that get the same revised template are overridden together.
Rendered render_works(const RenderInput& input) {
  Rendered rendered;
  const std::vector<Target> targets = api::targets_of(input.binding);
  const auto completions = divide_completions(input, targets);
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<const Target*>> alike;
  for (const Target& target : targets) {
    const auto it = completions.find(target.name);
    alike[{target.replicas, it == completions.end() ? -1 : it->second}].push_back(&target);
  }
  for (const auto& [what, group] : alike) {
    auto manifest = revise(input, *group.front(), completions);
    std::vector<overrides::Target> asked;
    std::vector<const Target*> present;
    for (const Target* target : group) {
      const Json* cluster = input.cluster(target->name);
      if (!manifest) {
        rendered.failures.push_back({target->name, manifest.error()});
      } else if (cluster == nullptr) {
        rendered.failures.push_back({target->name, not_found("cluster " + target->name + " not found")});
      } else {
        asked.push_back({cluster, target->replicas});
        present.push_back(target);
      }
    }
    if (present.empty()) continue;
    overrides::StepWitness witness;
    if (input.witness) {
      witness = [&](const overrides::AppliedStep& step) {
        for (const std::uint32_t index : step.targets) input.witness(present[index]->name, step);
      };
    }
    const overrides::Overridden overridden = overrides::apply_overrides(
        *manifest, asked, input.cluster_override_policies, input.override_policies, witness);
    for (const overrides::Outcome& outcome : overridden.outcomes) {
      note_policies(outcome, api::namespace_of(outcome.manifest), rendered.overridden_by);
      for (const std::uint32_t index : outcome.targets) {
        const std::string& cluster = present[index]->name;
        rendered.works.push_back({cluster, make_work(input, cluster, outcome.manifest, outcome)});
      }
    }
    for (const overrides::Failed& failed : overridden.failures) {
      for (const std::uint32_t index : failed.targets)
        rendered.failures.push_back({present[index]->name, failed.error, true});
    }
  }
  return rendered;
}

}  // namespace flotilla::controllers
