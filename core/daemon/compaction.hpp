// SPDX-License-Identifier: Apache-2.0
// Storage that keeps every revision until it is told not to (etcd) is told by the daemon that leads: what was
// superseded an interval ago is forgotten, as kube-apiserver does with --etcd-compaction-interval.
#pragma once

#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/store/store.hpp"

namespace flotilla::daemon {

// Thread: start once, from any; stop not from an I/O thread.
class Compaction {
 public:
  // `interval` 0: never.
  Compaction(const Executor& executor, store::Store& store, Duration interval);
  ~Compaction();
  void start();
  void stop();

 private:
  Task<void> run();

  store::Store& store_;
  const Duration interval_;
  FiberScope scope_;
};

}  // namespace flotilla::daemon
