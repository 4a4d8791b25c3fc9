// SPDX-License-Identifier: Apache-2.0
// Which of several daemons on one storage runs controllers and scheduler: the holder of the Lease
// kube-system/flotilla (docs/design/high-availability.md; the rules of client-go's leaderelection).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/async/executor.hpp"
#include "core/base/clock.hpp"
#include "core/store/store.hpp"

namespace flotilla::daemon {

struct LeadershipOptions {
  std::string identity;                                // of this daemon, unlike any other's
  Duration lease_duration = std::chrono::seconds(10);  // others take over after so long without renewal
  Duration renew_deadline =
      std::chrono::seconds(7);  // the holder gives up after so long; less than the above
  Duration retry_period = std::chrono::seconds(1);
};

// Thread: start and stop once, from a thread that may block; holds() from any.
class Leadership {
 public:
  Leadership(const Executor& executor, store::Store& store, LeadershipOptions options);
  ~Leadership();

  // `led` when the Lease is ours, `lost` when it was and is not any more: each at most once, from an I/O
  // thread. From `led` on derived writes of the store are fenced.
  void start(std::function<void()> led, std::function<void()> lost);
  // Gives the Lease back if it is held, so that the next one takes it at once.
  void stop();
  // By this machine's monotonic clock the Lease cannot have been taken by another.
  bool holds() const;

  static store::Collection collection();
  static const api::ObjectKey& key();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace flotilla::daemon
