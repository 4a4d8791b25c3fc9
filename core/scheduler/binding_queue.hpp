// SPDX-License-Identifier: Apache-2.0
// Which bindings are to be scheduled next. A key is in one of four places:
//
//   active         due; by priority, then what changed itself before what others woke, then by arrival
//   backoff        failed; due after a delay that doubles with every failure
//   unschedulable  failed for want of room; due when something that can help happens, at the latest after
//                  minutes
//   in work        taken; changes meanwhile make it due again when it is done
//
// A change of the binding itself is a new start: due at once, its failures are forgotten. A change of
// something else (wake) shortens the wait of an unschedulable one, but not below its back-off, so that a
// fleet that changes all the time does not mean trying all the time.
//
// Without priorities: first in, first out, with ordinary back-off for every failure. Time is the caller's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "core/base/clock.hpp"

namespace flotilla::scheduler {

struct QueueRules {
  bool priorities = true;  // gate PriorityBasedScheduling
  Duration first_backoff = std::chrono::seconds(1);
  Duration longest_backoff = std::chrono::seconds(10);
  Duration unschedulable_again = std::chrono::minutes(5);
};

// Thread: one at a time.
template <typename Key>
class BindingQueue {
 public:
  explicit BindingQueue(QueueRules rules = {}) : rules_(rules) {}

  // The binding is new or has changed. Of one that waits already the priority stays.
  void add(const Key& key, std::int32_t priority, bool urgent, SteadyTime now) {
    Item& item = items_[key];
    switch (item.place) {
      case Place::Nowhere:
        item.priority = priority;
        break;
      case Place::Active:
        if (!urgent || item.urgent) return;
        leave(item);
        break;
      case Place::Work:
        item.again = true;
        item.fresh = true;
        item.urgent = item.urgent || urgent;
        item.priority = priority;
        return;
      case Place::Backoff:
      case Place::Unschedulable:
        leave(item);
        item.priority = priority;
        break;
    }
    item.attempts = 0;
    item.urgent = urgent;
    stand(key, item, now);
  }

  // Something else has changed that can help it. `at_once`: exactly what it waited for, so that its back-off
  // is over. False: it is due anyway.
  bool wake(const Key& key, std::int32_t priority, SteadyTime now, bool at_once = false) {
    const auto [it, added] = items_.try_emplace(key);
    Item& item = it->second;
    switch (item.place) {
      case Place::Nowhere:
        item.priority = priority;
        item.urgent = false;
        stand(key, item, now);
        return true;
      case Place::Work:
        if (item.again) return false;
        item.again = true;
        return true;
      case Place::Unschedulable: {
        leave(item);
        const SteadyTime due = item.failed + delay_of(item.attempts);
        if (due <= now || at_once) {
          stand(key, item, now);
        } else {
          wait(key, item, Place::Backoff, due);
        }
        return true;
      }
      case Place::Backoff:
        if (!at_once) return false;
        leave(item);
        stand(key, item, now);
        return true;
      case Place::Active:
        return false;
    }
    return false;
  }

  // The next that is due, or nothing. It is in work until done() or failed().
  std::optional<Key> take(SteadyTime now) {
    while (!waiting_.empty() && waiting_.begin()->first.first <= now) {
      const Key key = waiting_.begin()->second;
      Item& item = items_.at(key);
      leave(item);
      stand(key, item, now);
    }
    if (active_.empty()) return std::nullopt;
    Key key = active_.begin()->second;
    take_from_active(items_.at(key));
    return key;
  }

  // With `later`, also the first of those that wait, as if its time had come.
  std::optional<Key> take_any(SteadyTime now, bool later) {
    if (later && active_.empty() && !waiting_.empty()) now = std::max(now, waiting_.begin()->first.first);
    return take(now);
  }

  void done(const Key& key, SteadyTime now) {
    const auto it = items_.find(key);
    if (it == items_.end() || it->second.place != Place::Work) return;
    leave_work(it->second);
    if (it->second.again) {
      again(key, it->second, now);
    } else {
      items_.erase(it);
    }
  }

  // `for_room`: there are clusters, but not enough room. Answers how long it will wait at most.
  Duration failed(const Key& key, bool for_room, SteadyTime now) {
    const auto it = items_.find(key);
    if (it == items_.end() || it->second.place != Place::Work) return Duration::zero();
    Item& item = it->second;
    leave_work(item);
    ++item.attempts;
    item.failed = now;
    if (item.again && item.fresh) {
      again(key, item, now);
      return Duration::zero();
    }
    const bool parks = for_room && rules_.priorities && !item.again;
    item.again = false;
    const Duration delay = parks ? rules_.unschedulable_again : delay_of(item.attempts);
    wait(key, item, parks ? Place::Unschedulable : Place::Backoff, now + delay);
    return delay;
  }

  // It is gone. What is in work stays so until it is done.
  void forget(const Key& key) {
    const auto it = items_.find(key);
    if (it == items_.end()) return;
    if (it->second.place == Place::Work) {
      it->second.again = it->second.fresh = false;
      return;
    }
    leave(it->second);
    items_.erase(it);
  }

  // When the first of those that wait is due.
  std::optional<SteadyTime> next_due() const {
    if (waiting_.empty()) return std::nullopt;
    return waiting_.begin()->first.first;
  }
  // What is due next has been woken by others (or is of the first list): it yields to other work.
  bool next_is_patient() const { return !active_.empty() && std::get<1>(active_.begin()->first); }

  std::size_t active() const { return active_.size(); }
  std::size_t urgent() const { return urgent_; }
  std::size_t backoff() const { return waiting_.size() - unschedulable_; }
  std::size_t unschedulable() const { return unschedulable_; }
  std::size_t in_work() const { return in_work_; }

 private:
  enum class Place : std::uint8_t { Nowhere, Active, Backoff, Unschedulable, Work };
  using Rank = std::tuple<std::int64_t, bool, std::uint64_t>;  // -priority, patient, arrival
  using Due = std::pair<SteadyTime, std::uint64_t>;
  struct Item {
    Place place = Place::Nowhere;
    bool urgent = false;
    bool again = false;  // in work: due again when it is done
    bool fresh = false;  // ... because it has changed itself
    std::int32_t priority = 0;
    int attempts = 0;
    SteadyTime failed{};
    Rank rank{};  // of its place in active_
    Due due{};    // of its place in waiting_
  };

  Duration delay_of(int attempts) const {
    Duration delay = rules_.first_backoff;
    for (int i = 1; i < attempts && delay < rules_.longest_backoff; ++i) delay *= 2;
    return std::min(delay, rules_.longest_backoff);
  }
  void stand(const Key& key, Item& item, SteadyTime) {
    item.place = Place::Active;
    item.rank = rules_.priorities ? Rank{-std::int64_t{item.priority}, !item.urgent, ++arrivals_}
                                  : Rank{0, !item.urgent, ++arrivals_};
    active_.emplace(item.rank, key);
    if (item.urgent) ++urgent_;
  }
  void wait(const Key& key, Item& item, Place place, SteadyTime due) {
    item.place = place;
    item.urgent = false;
    item.due = {due, ++arrivals_};
    waiting_.emplace(item.due, key);
    if (place == Place::Unschedulable) ++unschedulable_;
  }
  void leave(Item& item) {
    if (item.place == Place::Active) {
      active_.erase(item.rank);
      if (item.urgent) --urgent_;
    } else if (item.place == Place::Backoff || item.place == Place::Unschedulable) {
      waiting_.erase(item.due);
      if (item.place == Place::Unschedulable) --unschedulable_;
    }
  }
  void take_from_active(Item& item) {
    leave(item);
    item.place = Place::Work;
    item.urgent = item.again = item.fresh = false;
    ++in_work_;
  }
  void leave_work(Item& item) {
    --in_work_;
    item.place = Place::Nowhere;
  }
  void again(const Key& key, Item& item, SteadyTime now) {
    if (item.fresh) item.attempts = 0;
    item.again = item.fresh = false;
    stand(key, item, now);
  }

  QueueRules rules_;
  std::map<Key, Item> items_;
  std::map<Rank, Key> active_;
  std::map<Due, Key> waiting_;
  std::size_t unschedulable_ = 0, in_work_ = 0, urgent_ = 0;
  std::uint64_t arrivals_ = 0;
};

}  // namespace flotilla::scheduler
