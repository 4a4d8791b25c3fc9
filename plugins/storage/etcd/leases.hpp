// SPDX-License-Identifier: Apache-2.0
// Leases for keys that live for a time. One lease serves all keys that end at about the same time: a key may
// live up to a twentieth of its time longer, at most a minute, never shorter. Thread: any; `then` runs on the
// cluster's thread or inline.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cluster.hpp"

namespace flotilla::plugins::storage::etcd {

class Leases {
 public:
  // The lease's id, or why there is none.
  using Then = std::function<void(std::int64_t id, const ClusterAnswer* failed)>;

  explicit Leases(Cluster& cluster) : cluster_(cluster) {}

  void with_lease(std::int64_t ttl_ms, Then then);
  // The lease is gone although its time was not over.
  void forget(std::int64_t id);

 private:
  struct Lease {
    std::int64_t id = 0;    // 0: asked for
    std::int64_t ends = 0;  // ms, at the earliest
    std::vector<Then> waiting;
  };
  void granted(std::int64_t slot, std::int64_t asked_at, ClusterAnswer answer);

  Cluster& cluster_;
  std::mutex mutex_;
  std::map<std::int64_t, Lease> by_end_;  // by the end they were asked with
};

}  // namespace flotilla::plugins::storage::etcd
