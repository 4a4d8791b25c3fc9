// SPDX-License-Identifier: Apache-2.0
// A queue of keys that are due: a key waits at most once, is never worked on twice at the same time, and is
// due again if it was added while in work (the dirty and processing sets of client-go's workqueue).
//
//   while (auto key = co_await queue.next()) { ...; queue.done(*key); }
//
// Higher priority first, then in order of arrival. Keys of a priority below 0 wait while queues that share a
// Congestion have more than a few keys of 0 and above: who makes work for others does not make more than they
// take. Thread: all from any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "core/async/event.hpp"
#include "core/async/metrics.hpp"
#include "core/base/clock.hpp"

namespace flotilla {

// What a queue tells of itself.
struct WorkQueueMetrics {
  std::shared_ptr<Counter> adds;
  std::shared_ptr<Histogram> waited, worked;
};

// How many keys of priority 0 and above wait in the queues that share this.
struct Congestion {
  static constexpr std::int64_t kMuch = 64;
  std::atomic<std::int64_t> urgent{0};
};

template <typename Key>
class WorkQueue {
 public:
  explicit WorkQueue(const Clock& clock) : clock_(clock) {}
  ~WorkQueue() { shut_down(); }
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Before the first key.
  void share(std::shared_ptr<Congestion> congestion) { congestion_ = std::move(congestion); }

  // Before the first key.
  void observe(WorkQueueMetrics metrics) { metrics_ = std::move(metrics); }

  void add(const Key& key, int priority = 0) {
    {
      std::lock_guard lock(mutex_);
      if (shut_down_) return;
      delayed_keys_.erase(key);
      if (!enqueue(key, priority)) return;
    }
    changed_.notify();
  }

  // Due after `delay`; an earlier date already set for the key stays.
  void add_after(const Key& key, Duration delay) {
    if (delay <= Duration::zero()) return add(key);
    {
      std::lock_guard lock(mutex_);
      if (shut_down_) return;
      const SteadyTime due = clock_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(delay);
      const auto [it, fresh] = delayed_keys_.try_emplace(key, due);
      if (!fresh && it->second <= due) return;
      it->second = due;
      delayed_.emplace(due, key);
    }
    changed_.notify();
  }

  // Nullopt after shut_down().
  Task<std::optional<Key>> next() {
    for (;;) {
      const std::uint64_t seen = changed_.version();
      Duration until_due = Duration::max();
      {
        std::lock_guard lock(mutex_);
        if (shut_down_) co_return std::nullopt;
        release_due();
        const Duration pause = pause_before_next();
        if (!ready_.empty() && pause == Duration::zero()) co_return take();
        if (!delayed_.empty()) {
          until_due = std::max<Duration>(delayed_.begin()->first - clock_.steady_now(), Duration(1));
        }
        if (!ready_.empty()) until_due = std::min(until_due, pause);
      }
      auto waiting = changed_.wait_past_for(seen, until_due);
      co_await std::move(waiting);
    }
  }

  // Without waiting: the next key; with `later` also the first of those that are not due yet. Nullopt: none.
  std::optional<Key> take_now(bool later) {
    std::lock_guard lock(mutex_);
    if (shut_down_) return std::nullopt;
    release_due();
    while (later && ready_.empty() && !delayed_.empty()) {
      const auto [due, key] = *delayed_.begin();
      delayed_.erase(delayed_.begin());
      const auto it = delayed_keys_.find(key);
      if (it == delayed_keys_.end() || it->second != due) continue;  // superseded
      delayed_keys_.erase(it);
      enqueue(key, 0);
    }
    if (ready_.empty()) return std::nullopt;
    return take();
  }

  void done(const Key& key) {
    {
      std::lock_guard lock(mutex_);
      const auto worked = processing_.find(key);
      if (worked != processing_.end()) {
        if (metrics_.worked) metrics_.worked->observe(clock_.steady_now() - worked->second);
        processing_.erase(worked);
      }
      const auto dirty = dirty_.find(key);
      if (dirty == dirty_.end()) return;
      stand_in_line(key, dirty->second);
    }
    changed_.notify();
  }

  void shut_down() {
    {
      std::lock_guard lock(mutex_);
      if (shut_down_) return;
      shut_down_ = true;
      for (const auto& [rank, key] : ready_) count(rank, -1);
    }
    changed_.notify();
  }

  // Waiting keys, delayed ones and those in work not counted.
  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return ready_.size();
  }
  bool idle() const {
    std::lock_guard lock(mutex_);
    return ready_.empty() && processing_.empty();
  }
  std::size_t working() const {
    std::lock_guard lock(mutex_);
    return processing_.size();
  }
  // How long the keys in work have been there: all together, and the longest.
  std::pair<Duration, Duration> in_work() const {
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.steady_now();
    std::pair<Duration, Duration> out{};
    for (const auto& [key, since] : processing_) {
      out.first += now - since;
      out.second = std::max<Duration>(out.second, now - since);
    }
    return out;
  }

 private:
  using Rank = std::pair<int, std::uint64_t>;  // -priority, arrival
  struct Due {
    int priority = 0;
    SteadyTime since;
    Rank rank;  // of its place in ready_, once it has one
  };
  // Background keys go on even if it never gets calm, this slowly.
  static constexpr Duration kLongest = std::chrono::milliseconds(20), kPoll = std::chrono::milliseconds(5);

  // False if nobody needs to be woken.
  bool enqueue(const Key& key, int priority) {
    const auto [it, fresh] = dirty_.try_emplace(key, Due{priority, {}, {}});
    if (!fresh) {
      if (priority <= it->second.priority) return false;
      it->second.priority = priority;
      if (processing_.contains(key)) return false;
      count(it->second.rank, -1);
      ready_.erase(it->second.rank);
      stand_in_line(key, it->second);
      return true;
    }
    if (metrics_.adds) {
      metrics_.adds->add();
      it->second.since = clock_.steady_now();
    }
    if (processing_.contains(key)) return false;
    stand_in_line(key, it->second);
    return true;
  }

  void stand_in_line(const Key& key, Due& due) {
    due.rank = Rank{-due.priority, ++arrivals_};
    ready_.emplace(due.rank, key);
    count(due.rank, 1);
  }

  void count(const Rank& rank, std::int64_t by) {
    if (congestion_ && rank.first <= 0) congestion_->urgent.fetch_add(by, std::memory_order_relaxed);
  }

  // 0: the next key may be taken. Else how long to wait before looking again.
  Duration pause_before_next() {
    const bool background = !ready_.empty() && ready_.begin()->first.first > 0;
    if (!background || !congestion_ ||
        congestion_->urgent.load(std::memory_order_relaxed) <= Congestion::kMuch) {
      yielding_since_.reset();
      return Duration::zero();
    }
    const SteadyTime now = clock_.steady_now();
    if (!yielding_since_) yielding_since_ = now;
    if (now - *yielding_since_ >= kLongest) {
      yielding_since_.reset();
      return Duration::zero();
    }
    return kPoll;
  }

  void release_due() {
    const SteadyTime now = clock_.steady_now();
    while (!delayed_.empty() && delayed_.begin()->first <= now) {
      const auto [due, key] = *delayed_.begin();
      delayed_.erase(delayed_.begin());
      const auto it = delayed_keys_.find(key);
      if (it == delayed_keys_.end() || it->second != due) continue;  // superseded
      delayed_keys_.erase(it);
      enqueue(key, 0);
    }
  }

  Key take() {
    Key key = std::move(ready_.begin()->second);
    count(ready_.begin()->first, -1);
    ready_.erase(ready_.begin());
    const SteadyTime now = metrics_.adds ? clock_.steady_now() : SteadyTime();
    const auto dirty = dirty_.find(key);
    if (metrics_.waited) metrics_.waited->observe(now - dirty->second.since);
    dirty_.erase(dirty);
    processing_.emplace(key, now);
    return key;
  }

  const Clock& clock_;
  mutable std::mutex mutex_;
  Event changed_;
  std::map<Rank, Key> ready_;
  std::map<Key, Due> dirty_;  // in ready_ unless in work
  std::map<Key, SteadyTime> processing_;
  std::multimap<SteadyTime, Key> delayed_;
  std::map<Key, SteadyTime> delayed_keys_;
  std::uint64_t arrivals_ = 0;
  bool shut_down_ = false;
  std::optional<SteadyTime> yielding_since_;
  std::shared_ptr<Congestion> congestion_;
  WorkQueueMetrics metrics_;
};

}  // namespace flotilla
