// SPDX-License-Identifier: Apache-2.0
// The seam to accurate estimators: whoever knows from within how much of a workload members have room for,
// and has to be asked over a network.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::cluster {

// What is asked about. Requirements and components are JSON, as bindings have them.
struct RoomQuestion {
  std::string ns;            // of the workload; empty: cluster-wide
  std::string object;        // who asks first, for logs
  std::string requirements;  // of one replica; empty: says nothing
  std::string components;    // of a whole set; empty: replicas are asked for
  bool of_sets() const { return !components.empty(); }
};

struct UnschedulableQuestion {
  std::string api_version, kind, ns, name;
  Duration threshold{0};
};

// A cluster that is asked, and what is promised there to others and perhaps not counted yet: JSON, or empty.
struct AskedCluster {
  std::string name;
  std::string assumed = {};
};

struct ClusterAnswer {
  std::int64_t value = -1;   // -1: nothing is known
  std::string failure = {};  // why, if that is a failure
};

// Thread: any; fibers of whoever asks wait.
class ReplicaEstimator {
 public:
  virtual ~ReplicaEstimator() = default;

  virtual std::string name() const = 0;
  virtual bool estimates_sets() const = 0;
  virtual bool counts_unschedulable() const = 0;

  // One answer per cluster, in their order, after `timeout` at the latest (and a moment). Errors: the
  // estimator failed as a whole.
  virtual Task<Result<std::vector<ClusterAnswer>>> room(RoomQuestion question,
                                                        std::vector<AskedCluster> clusters,
                                                        Duration timeout) = 0;
  virtual Task<Result<std::vector<ClusterAnswer>>> unschedulable(UnschedulableQuestion question,
                                                                 std::vector<std::string> clusters,
                                                                 Duration timeout) = 0;
};

}  // namespace flotilla::cluster
