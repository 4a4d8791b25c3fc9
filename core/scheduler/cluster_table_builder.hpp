// SPDX-License-Identifier: Apache-2.0
// Makes cluster tables from Cluster objects, one change at a time. A change of a cluster costs its own parse
// and, at the next snapshot, a block copy of the columns it touched; only joining and leaving move rows.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/scheduler/cluster_table.hpp"
#include "core/scheduler/request.hpp"

namespace flotilla::scheduler {

// What a change of a cluster came to.
struct ClusterChange {
  bool came = false;      // was not there before, or went
  bool identity = false;  // name, labels, taints, region, flags
  bool more_apis = false;
  bool more_room = false;  // of any resource
  bool resources = false;  // any amount, or the model
};

// Room of one cluster that is promised to workloads which its status does not count yet.
struct Promise {
  std::int64_t replicas = 0;
  std::vector<Request> requests;
};

// Thread: one at a time. The snapshots may be shared with anyone.
class ClusterTableBuilder {
 public:
  ClusterTableBuilder();
  ~ClusterTableBuilder();
  ClusterTableBuilder(ClusterTableBuilder&&) noexcept;
  ClusterTableBuilder& operator=(ClusterTableBuilder&&) noexcept;

  ClusterChange update(const api::Json& cluster);  // adds, or replaces the one of the same name
  void remove(std::string_view name);
  // All promises of a cluster's room, in place of those before: they count as allocating, and occupy the
  // nodes of its model, first fit.
  void promise(std::string_view name, std::vector<Promise> promises);
  // The clusters as of now; the same table as before if nothing that scheduling reads has changed.
  ClusterTablePtr snapshot();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A table of these Cluster objects.
ClusterTablePtr make_cluster_table(std::span<const api::Json> clusters);

}  // namespace flotilla::scheduler
