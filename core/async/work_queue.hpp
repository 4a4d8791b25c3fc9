// SPDX-License-Identifier: Apache-2.0
// A queue of keys that are due: a key waits at most once, is never worked on twice at the same time, and is
// due again if it was added while in work (the dirty and processing sets of client-go's workqueue).
//
//   while (auto key = co_await queue.next()) { ...; queue.done(*key); }
//
// Higher priority first, then in order of arrival. Thread: all from any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
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

template <typename Key>
class WorkQueue {
 public:
  explicit WorkQueue(const Clock& clock) : clock_(clock) {}

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
        if (!ready_.empty()) co_return take();
        if (!delayed_.empty()) {
          until_due = std::max<Duration>(delayed_.begin()->first - clock_.steady_now(), Duration(1));
        }
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
      ready_.emplace(Rank{-dirty->second.priority, ++arrivals_}, key);
    }
    changed_.notify();
  }

  void shut_down() {
    {
      std::lock_guard lock(mutex_);
      shut_down_ = true;
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
  };

  // False if nobody needs to be woken.
  bool enqueue(const Key& key, int priority) {
    const auto [it, fresh] = dirty_.try_emplace(key, Due{priority, {}});
    if (!fresh) {
      it->second.priority = std::max(it->second.priority, priority);
      return false;
    }
    if (metrics_.adds) {
      metrics_.adds->add();
      it->second.since = clock_.steady_now();
    }
    if (processing_.contains(key)) return false;
    ready_.emplace(Rank{-priority, ++arrivals_}, key);
    return true;
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
  WorkQueueMetrics metrics_;
};

}  // namespace flotilla
