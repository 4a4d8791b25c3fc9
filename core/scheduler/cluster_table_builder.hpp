// SPDX-License-Identifier: Apache-2.0
// Makes cluster tables from Cluster objects, one change at a time. A change of a cluster's status costs its
// own parse and one copy of the columns it touched; only joining, leaving and relabelling rebuild columns.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/scheduler/cluster_table.hpp"

namespace flotilla::scheduler {

// Thread: one at a time. The snapshots may be shared with anyone.
class ClusterTableBuilder {
 public:
  ClusterTableBuilder();
  ~ClusterTableBuilder();
  ClusterTableBuilder(ClusterTableBuilder&&) noexcept;
  ClusterTableBuilder& operator=(ClusterTableBuilder&&) noexcept;

  void update(const api::Json& cluster);  // adds, or replaces the one of the same name
  void remove(std::string_view name);
  // The clusters as of now; the same table as before if nothing that scheduling reads has changed.
  ClusterTablePtr snapshot();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A table of these Cluster objects.
ClusterTablePtr make_cluster_table(std::span<const api::Json> clusters);

}  // namespace flotilla::scheduler
