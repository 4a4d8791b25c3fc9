// SPDX-License-Identifier: Apache-2.0
// The loop around a Reconciler: a queue of keys, some workers, exponential back-off per key. The only place
// of a controller that logs errors.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/async/metrics.hpp"
#include "core/async/work_queue.hpp"
#include "core/reconcile/reconciler.hpp"

namespace flotilla::reconcile {

// Karmada's defaults: --rate-limiter-base-delay, --rate-limiter-max-delay.
struct LoopOptions {
  int workers = 4;
  Duration base_delay = std::chrono::milliseconds(5);
  Duration max_delay = std::chrono::seconds(1000);
  // Where the loop's numbers go; null: nowhere.
  Metrics* metrics = nullptr;
  // A histogram with the label result (success, error) of how long keys take, in Karmada's buckets.
  const char* timed_as = nullptr;
  // What its background keys yield to; null: to nothing.
  std::shared_ptr<Congestion> congestion;
};

// Series of controller-runtime and client-go, with the loop's name.
struct LoopMetrics;

struct LoopStats {
  std::uint64_t reconciled = 0;
  std::uint64_t failed = 0;
  std::size_t waiting = 0;
};

// Priorities of keys: what comes of a policy's edit or of the first list yields to what a user does now.
inline constexpr int kNow = 0;
inline constexpr int kBackground = -100;

// Thread: enqueue from anywhere; start and stop once, not from an I/O thread. The reconciler outlives the
// loop.
class Loop {
 public:
  Loop(const Executor& executor, std::string name, Reconciler& reconciler, LoopOptions options = {});
  ~Loop();

  void enqueue(const Key& key, int priority = kNow) { queue_.add(key, priority); }
  void enqueue_after(const Key& key, Duration delay) { queue_.add_after(key, delay); }
  void start();
  void stop();

  // Instead of start(), for who rehearses in a fork of the world: works on one key in the caller's coroutine;
  // with `later` on one that is due some time later, as if that time had come, at most kStepTries times per
  // key. Nullopt: there is none.
  struct Step {
    Key key;
    Outcome outcome;
  };
  static constexpr int kStepTries = 3;
  Task<std::optional<Step>> step(bool later);

  const std::string& name() const { return name_; }
  bool idle() const { return queue_.idle(); }
  std::size_t waiting() const { return queue_.size(); }
  LoopStats stats() const;

 private:
  Task<void> work();
  void settle(const Key& key, const Outcome& outcome);
  void note(const Outcome& outcome, Duration took);
  Duration back_off(const Key& key);

  std::string name_;
  Reconciler& reconciler_;
  LoopOptions options_;
  FiberScope scope_;
  WorkQueue<Key> queue_;
  int workers_ = 0, idle_ = 0;   // on the strand
  SteadyTime turn_began_;        // when this loop last came to run
  std::map<Key, int> failures_;  // on the strand only
  std::atomic<std::uint64_t> reconciled_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  const Clock& clock_;
  std::unique_ptr<LoopMetrics> metrics_;  // null without LoopOptions::metrics
};

}  // namespace flotilla::reconcile
