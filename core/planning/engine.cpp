// SPDX-License-Identifier: Apache-2.0
#include "core/planning/engine.hpp"

#include "core/controllers/facts.hpp"

namespace flotilla::planning {

Engine::Engine(const Sources& sources) : sources_(sources), policies_(&sources.policies) {
  options_.empty_workload_propagation = sources.options.enable_empty_workload_propagation;
  options_.multiple_pod_templates = sources.options.feature_gates.multiple_pod_templates_scheduling;
  for (const ObjectPtr& cluster : sources.store.list(controllers::kinds::kCluster.collection()).objects)
    put_cluster(*cluster->content());
  if (sources.options.feature_gates.workload_affinity) read_groups();
}

void Engine::read_groups() {
  for (const ObjectPtr& binding :
       sources_.store.list(controllers::kinds::kResourceBinding.collection()).objects) {
    if (!controllers::mentions(*binding, "\"workloadAffinityGroups\"")) continue;
    const scheduler::Binding parsed = scheduler::parse_binding((*binding->content())["spec"], Json());
    std::vector<std::string> clusters;
    for (const scheduler::TargetCluster& target : parsed.clusters) clusters.push_back(target.name);
    groups_.put(binding->key().text(), binding->ns(), parsed.affinity_group, parsed.anti_affinity_group,
                clusters);
  }
  options_.groups = &groups_;
}

scheduler::Policies& Engine::policies_for(const Json& binding) const {
  const std::string_view name = binding["spec"]["schedulerName"].as_string();
  for (const controllers::NamedPolicies& further : sources_.further_schedulers)
    if (further.name == name) return *further.policies;
  return sources_.policies;
}

void Engine::put_cluster(const Json& cluster) {
  builder_.update(cluster);
  clusters_.insert_or_assign(std::string(api::name_of(cluster)), cluster);
  table_ = nullptr;
}

void Engine::remove_cluster(const std::string& name) {
  builder_.remove(name);
  clusters_.erase(name);
  table_ = nullptr;
}

const Json* Engine::cluster(const std::string& name) const {
  const auto it = clusters_.find(name);
  return it == clusters_.end() ? nullptr : &it->second;
}

const scheduler::ClusterTable& Engine::table() {
  if (!table_) table_ = builder_.snapshot();
  return *table_;
}

scheduler::Attempt Engine::ask(const Json& binding, bool record) {
  options_.record = record;
  policies_ = &policies_for(binding);
  scheduler::Binding parsed = scheduler::parse_binding(binding["spec"], binding["status"]);
  parsed.self = api::key_of(binding).text();
  return scheduler::attempt(parsed, table(), *policies_, options_, workspace_);
}

}  // namespace flotilla::planning
