// SPDX-License-Identifier: Apache-2.0
// Room of clusters that is promised to placements in flight: decided, but not yet counted in what the cluster
// says of itself. So a burst of bindings does not get the same room twice.
//
// A hold begins with a decision and covers what the decision added. It ends when the binding's status says
// that the workload is healthy there and the cluster has counted since (its status changed, or `settle` has
// passed), when the binding goes, or after `longest`. Nothing is stored: what is held follows from stored
// bindings, assigned and not yet healthy, so a restart loses nothing.
//
// Time is the caller's. Thread: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/scheduler/binding.hpp"
#include "core/scheduler/cluster_table_builder.hpp"

namespace flotilla::scheduler {

struct ReservationRules {
  Duration longest = std::chrono::minutes(5);
  Duration settle = std::chrono::seconds(20);
};

// What a binding's status says of one cluster.
struct Observation {
  bool healthy = false;
  std::uint64_t print = 0;  // differs when what was said differs; 0: nothing was said
};

class Reservations {
 public:
  explicit Reservations(ReservationRules rules = {}) : rules_(rules) {}

  // `before` and `after` the decision; `seen` is what the status said of each cluster of `after` then.
  void decided(const std::string& id, const Binding& binding, std::span<const TargetCluster> before,
               std::span<const TargetCluster> after, std::span<const Observation> seen, SteadyTime now);
  // A stored binding that was not known: everything assigned that is not healthy, since `age` ago.
  void restored(const std::string& id, const Binding& binding, std::span<const Observation> seen,
                Duration age, SteadyTime now);
  void observed(const std::string& id, const std::string& cluster, Observation seen, SteadyTime now);
  // The status of a cluster was taken anew.
  void counted(const std::string& cluster);
  void forget(const std::string& id);
  void expire(SteadyTime now);

  bool knows(const std::string& id) const { return holds_.contains(id); }
  std::int64_t replicas_held(const std::string& id, const std::string& cluster) const;
  // Of each cluster whose promises have changed since the last call: all of them, and whether they became
  // less.
  struct Change {
    std::string cluster;
    std::vector<Promise> promises;
    bool less = false;
  };
  std::vector<Change> take_changes();
  // By whom, in order, and what.
  std::vector<std::pair<std::string, std::span<const Promise>>> promised_in(const std::string& cluster) const;
  // When the next hold may end by itself.
  std::optional<SteadyTime> next_due() const;
  std::size_t size() const;

  // What so many further replicas of a binding, or its sets, take of a cluster.
  static std::vector<Promise> promises_of(const Binding& binding, std::int64_t replicas);

 private:
  struct Hold {
    std::vector<Promise> promises;
    std::int64_t replicas = 0;
    std::uint64_t print = 0;
    SteadyTime until{};
    bool healthy = false;
  };
  using ByCluster = std::map<std::string, Hold>;

  void put(const std::string& id, const std::string& cluster, Hold hold);
  void drop(const std::string& id, const std::string& cluster);

  ReservationRules rules_;
  std::map<std::string, ByCluster> holds_;                 // by binding
  std::map<std::string, std::set<std::string>> clusters_;  // who holds there
  std::set<std::pair<SteadyTime, std::pair<std::string, std::string>>> due_;
  std::map<std::string, bool> changed_;  // cluster -> less
};

}  // namespace flotilla::scheduler
