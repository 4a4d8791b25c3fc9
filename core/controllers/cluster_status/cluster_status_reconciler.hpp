// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "core/cluster/registry.hpp"
#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

// What a cluster answered when it was looked at.
struct ClusterObservation {
  bool attached = false;  // a connection could be made
  std::string problem;    // why not attached
  cluster::ProbeResult probe;
  std::shared_ptr<const cluster::Discovery> discovery;  // the newest that is known, be it old
  bool discovery_failed = false;
  // Null: not known, or as they were.
  Json node_summary;
  Json resource_summary;
};

// The Ready condition as it was seen, before smoothing.
struct ReadyObservation {
  std::string status;
  std::string reason;
  std::string message;
};
ReadyObservation ready_of(const ClusterObservation& observation);

// status.apiEnablements, sorted as Karmada sorts them.
Json api_enablements(const cluster::Discovery& discovery);

// The status that follows from `cluster` and what was seen; `ready` is the smoothed condition. Unknown facts
// keep their last known value. Pure.
Result<Json> cluster_status(const Json& cluster, const ClusterObservation& observation,
                            const ReadyObservation& ready, WallTime now);

// A flip of Ready shows only after it has lasted for the threshold of its direction; the first look counts at
// once.
class ReadySmoother {
 public:
  ReadySmoother(Duration success, Duration failure) : success_(success), failure_(failure) {}
  // The condition to show; `shown` is the one shown so far (empty status: none).
  ReadyObservation smooth(const std::string& cluster, const ReadyObservation& seen,
                          const ReadyObservation& shown, SteadyTime now);
  void forget(const std::string& cluster) { since_.erase(cluster); }

 private:
  struct Seen {
    std::string status;
    SteadyTime since;
  };
  Duration success_;
  Duration failure_;
  std::map<std::string, Seen> since_;
};

// Root: Cluster that is served here: Push, or an agent's own. Wakes on: Cluster's spec, its secret, and every
// 10 s. Reads: the member's readyz, version, discovery, nodes, pods. Writes: Cluster.status. Holds: what
// could not be learned is not written; a failed look never erases a known fact. Also keeps the registry's
// connection to the cluster in step with its endpoint and secret. Ends: the cluster is gone, then the
// connection is.
class ClusterStatusReconciler final : public LoopController {
 public:
  explicit ClusterStatusReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  void on_cluster(const Event& event);
  void on_secret(const Event& event);
  Result<std::shared_ptr<cluster::Member>> attach(const Json& cluster);
  Task<Outcome> refresh(ObjectKey key, ObjectPtr cluster);
  // Numbers of a cluster as its status says them.
  void count(const std::string& name, const Json& status);
  Task<Result<ClusterObservation>> look_at(std::shared_ptr<cluster::Member> member, ObjectPtr cluster);
  // Whether the cluster says in time that it is well.
  Task<bool> probe(std::shared_ptr<cluster::Member> member, ClusterObservation& seen);
  // Counts nodes and pods where they have changed since they were last counted.
  Task<void> add_up(std::shared_ptr<cluster::Member> member, ObjectPtr cluster, ClusterObservation& seen,
                    Status& failed);

  // What the summaries in a Cluster's status were made of.
  struct Counted {
    std::shared_ptr<cluster::Member> member;
    std::uint64_t nodes = 0, pods = 0;
    std::int64_t generation = 0;
  };

  ReadySmoother smoother_;
  std::map<std::string, Counted> counted_;  // by cluster
};

}  // namespace flotilla::controllers
