// SPDX-License-Identifier: Apache-2.0
#include "core/planning/engine.hpp"

namespace flotilla::planning {

Engine::Engine(const Sources& sources) : sources_(sources) {
  options_.empty_workload_propagation = sources.options.enable_empty_workload_propagation;
  options_.multiple_pod_templates = sources.options.feature_gates.multiple_pod_templates_scheduling;
  for (const ObjectPtr& cluster : sources.store.list(controllers::kinds::kCluster.collection()).objects)
    put_cluster(*cluster->content());
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
  return scheduler::attempt(binding, table(), sources_.policies, options_, workspace_);
}

}  // namespace flotilla::planning
