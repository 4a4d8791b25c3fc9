// SPDX-License-Identifier: Apache-2.0
// The scheduler itself over clusters and bindings of one's own: those of the store, changed as one likes.
// Nothing is written. Thread: as Sources::policies.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/controllers/schedule/watched_decisions.hpp"
#include "core/planning/sources.hpp"
#include "core/scheduler/affinity_groups.hpp"
#include "core/scheduler/attempt.hpp"
#include "core/scheduler/cluster_table_builder.hpp"

namespace flotilla::planning {

class Engine {
 public:
  // With the clusters of the store as they are now.
  explicit Engine(const Sources& sources);

  void put_cluster(const Json& cluster);
  void remove_cluster(const std::string& name);
  // Null: there is none.
  const Json* cluster(const std::string& name) const;
  const std::map<std::string, Json>& clusters() const { return clusters_; }

  // So many further replicas of a binding go to a cluster: its room is theirs in all that is asked later.
  void take_room(const std::string& cluster, const scheduler::Binding& binding, std::int64_t replicas);

  // The decision, with its record if it is wanted; rows are those of table(). Blocks for a while where a
  // policy hangs.
  scheduler::Attempt ask(const Json& binding, bool record = true);
  const scheduler::ClusterTable& table();
  // Of the scheduler that was asked last: the one that the binding names.
  const scheduler::Policies& policies() const { return *policies_; }

 private:
  void read_groups();
  scheduler::Policies& policies_for(const Json& binding) const;
  scheduler::Attempt ask_watched(scheduler::Binding binding);

  const Sources& sources_;
  std::map<std::string, Json> clusters_;
  scheduler::ClusterTableBuilder builder_;
  scheduler::ClusterTablePtr table_;
  std::map<std::string, std::vector<scheduler::Promise>> taken_;  // by cluster
  scheduler::AffinityGroups groups_;                              // with the gate WorkloadAffinity
  scheduler::Options options_;
  scheduler::Policies* policies_;
  scheduler::Workspace workspace_;
  std::unique_ptr<controllers::WatchedDecisions> watched_;  // where policies may hang
};

}  // namespace flotilla::planning
