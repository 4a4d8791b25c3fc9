// SPDX-License-Identifier: Apache-2.0
// Bindings that a scheduler has looked at, by the placement they share: a change of a cluster is held against
// each placement once, however many bindings have it, and wakes those alone whose answer can differ.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/reconcile/reconciler.hpp"
#include "core/scheduler/cluster_table_builder.hpp"
#include "core/scheduler/placement.hpp"

namespace flotilla::controllers {

// A cluster that has changed between two tables.
struct ChangedCluster {
  std::string name;
  scheduler::ClusterChange change;
};

// What a change of clusters came to.
struct Wakening {
  struct Woken {
    reconcile::Key key;
    std::int32_t priority = 0;
  };
  std::vector<Woken> woken;
  std::size_t placements = 0;  // that were affected
};

// Thread: one at a time.
class BindingsByPlacement {
 public:
  struct Binding {
    scheduler::PlacementPtr placement;
    std::size_t term = 0;  // of clusterAffinities, the one in use
    bool failed = false;   // has no clusters: any further term, room and APIs can help
    bool reruns = false;   // looked at again whenever clusters change: duplicated, or nothing to divide
    std::int32_t priority = 0;
  };

  void put(const reconcile::Key& key, Binding binding);
  void forget(const reconcile::Key& key);
  std::size_t size() const { return places_.size(); }
  bool knows(const reconcile::Key& key) const { return places_.contains(key); }
  bool has_failed(const reconcile::Key& key) const {
    const auto place = places_.find(key);
    return place != places_.end() && std::get<2>(place->second);
  }
  std::size_t placements() const { return shared_.size(); }

  // Whose answer can differ after these changes. O(placements * clusters + woken). A cluster that begins to
  // go wakes all bindings of the placements it matches: they may have it as a target.
  Wakening wake(const scheduler::ClusterTable& before, const scheduler::ClusterTable& after,
                const std::vector<ChangedCluster>& changes) const;

 private:
  using SharedKey = std::tuple<std::string, std::size_t, bool>;  // placement, term, failed
  struct Member {
    bool reruns = false;
    std::int32_t priority = 0;
  };
  struct Shared {
    scheduler::PlacementPtr placement;
    std::map<reconcile::Key, Member> members;
  };
  enum class Effect { None, Some, Leaving };
  static Effect effect(const scheduler::ClusterTable& before, const scheduler::ClusterTable& after,
                       const ChangedCluster& change, const SharedKey& key, const Shared& shared);

  std::map<SharedKey, Shared> shared_;
  std::map<reconcile::Key, SharedKey> places_;
};

}  // namespace flotilla::controllers
