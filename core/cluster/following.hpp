// SPDX-License-Identifier: Apache-2.0
// One resource of one member, followed by list and watch; what is done with it is the heir's.
//
// Unknown is not absent: synced() is false until the first list is here, and for as long as the member cannot
// be reached after it. Thread: run() on a strand of its own, questions from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/async/event.hpp"
#include "core/cluster/cluster_driver.hpp"

namespace flotilla::cluster {

class Following {
 public:
  virtual ~Following() = default;
  // Lists and watches until its fiber is cancelled; errors are retried with back-off.
  Task<void> run();

  bool synced() const { return synced_.load(std::memory_order_acquire); }
  // Waits for the first list, at most `timeout`. False: not yet.
  Task<bool> wait_synced(Duration timeout);
  const Gvr& resource() const { return resource_; }
  const std::string& cluster() const { return cluster_; }

 protected:
  Following(std::string cluster, Gvr resource, std::shared_ptr<ClusterConnection> connection,
            std::string label_selector);

 private:
  // On the strand of run(): all there is; one that came or changed; the last state of one that went.
  virtual void replace(std::vector<Json> objects) = 0;
  virtual void put(Json object) = 0;
  virtual void forget(Json last) = 0;
  // The very state that this names is known already.
  virtual bool is_known(const MemberHead&) const { return false; }

  Task<Status> list_and_watch(bool& progress);

  std::string cluster_;
  Gvr resource_;
  std::shared_ptr<ClusterConnection> connection_;
  std::string label_selector_;
  std::atomic<bool> synced_ = false;
  Event changed_;
};

}  // namespace flotilla::cluster
