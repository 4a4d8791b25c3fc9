// SPDX-License-Identifier: Apache-2.0
// The scheduler itself over clusters and bindings of one's own: those of the store, changed as one likes.
// Nothing is written. Thread: as Sources::policies.
#pragma once

#include <map>
#include <string>

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

  // The decision, with its record if it is wanted; rows are those of table().
  scheduler::Attempt ask(const Json& binding, bool record = true);
  const scheduler::ClusterTable& table();
  // Of the scheduler that was asked last: the one that the binding names.
  const scheduler::Policies& policies() const { return *policies_; }

 private:
  void read_groups();
  scheduler::Policies& policies_for(const Json& binding) const;

  const Sources& sources_;
  std::map<std::string, Json> clusters_;
  scheduler::ClusterTableBuilder builder_;
  scheduler::ClusterTablePtr table_;
  scheduler::AffinityGroups groups_;  // with the gate WorkloadAffinity
  scheduler::Options options_;
  scheduler::Policies* policies_;
  scheduler::Workspace workspace_;
};

}  // namespace flotilla::planning
