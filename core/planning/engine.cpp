// SPDX-License-Identifier: Apache-2.0
#include "core/planning/engine.hpp"

#include <algorithm>

#include "core/controllers/facts.hpp"
#include "core/scheduler/reservations.hpp"

namespace flotilla::planning {

Engine::Engine(const Sources& sources) : sources_(sources), policies_(&sources.policies) {
  options_.empty_workload_propagation = sources.options.enable_empty_workload_propagation;
  options_.multiple_pod_templates = sources.options.feature_gates.multiple_pod_templates_scheduling;
  options_.spread_by_any = sources.options.feature_gates.spread_by_label;
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

void Engine::take_room(const std::string& cluster, const scheduler::Binding& binding, std::int64_t replicas) {
  std::vector<scheduler::Promise>& taken = taken_[cluster];
  const auto same = [](const scheduler::Promise& a, const scheduler::Promise& b) {
    return std::equal(a.requests.begin(), a.requests.end(), b.requests.begin(), b.requests.end(),
                      [](const scheduler::Request& one, const scheduler::Request& other) {
                        return one.resource == other.resource && one.amount == other.amount;
                      });
  };
  for (scheduler::Promise& promise : scheduler::Reservations::promises_of(binding, replicas)) {
    const auto known = std::find_if(taken.begin(), taken.end(),
                                    [&](const scheduler::Promise& each) { return same(each, promise); });
    if (known == taken.end()) {
      taken.push_back(std::move(promise));
    } else {
      known->replicas += promise.replicas;
    }
  }
  builder_.promise(cluster, taken);
  table_ = nullptr;
}

scheduler::Attempt Engine::ask(const Json& binding, bool record) {
  options_.record = record;
  policies_ = &policies_for(binding);
  scheduler::Binding parsed = scheduler::parse_binding(binding["spec"], binding["status"]);
  parsed.self = api::key_of(binding).text();
  if (policies_->watched()) return ask_watched(std::move(parsed));
  return scheduler::attempt(parsed, table(), *policies_, options_, workspace_);
}

// As the scheduler does it, so that a policy that hangs holds nobody who asks.
scheduler::Attempt Engine::ask_watched(scheduler::Binding binding) {
  scheduler::Options options = options_;
  options.record = true;  // of one sort for all questions
  if (!watched_)
    watched_ =
        std::make_unique<controllers::WatchedDecisions>(options, sources_.options.scheduler_policy_deadline);
  table();
  watched_->ask({1, std::move(binding), table_, policies_});
  watched_->settle_blocking();
  return std::move(watched_->take_answers().front().attempt);
}

}  // namespace flotilla::planning
