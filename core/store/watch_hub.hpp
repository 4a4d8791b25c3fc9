// SPDX-License-Identifier: Apache-2.0
// Who hears of which events, and what happened lately. One audience per collection and visibility, split by
// namespace, so that an event costs what its listeners cost. WatchHub is used under the store's lock alone;
// Feed has a lock of its own (taken after the store's).
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/async/event.hpp"
#include "core/store/store.hpp"

namespace flotilla::store {

// The queue of one watch.
class Feed {
 public:
  explicit Feed(WatchRequest request, std::vector<Event> backlog);

  // True if somebody must be woken. A feed that is too far behind loses its queue and ends with Gone.
  bool push(const Event& event);
  void reset(Revision revision);
  void end(Error error);
  void wake() { changed_.notify(); }
  bool ended() const;

  // Empty when `timeout` passed or the fiber was cancelled.
  Task<Result<std::vector<Event>>> next(Duration timeout);
  // `visible`: the newest revision that was published to this feed's audience.
  Revision progress(Revision visible) const;
  const WatchRequest& request() const { return request_; }

 private:
  const WatchRequest request_;
  std::size_t limit_;
  Revision after_;  // nothing up to here is told
  mutable std::mutex mutex_;
  std::deque<Event> queue_;
  std::size_t queued_bytes_ = 0;  // of objects that this queue alone may be holding
  std::optional<Error> ended_;
  ::flotilla::Event changed_;
};

using FeedPtr = std::shared_ptr<Feed>;

// What is done after the store's lock is released: waking, and freeing what is no longer needed.
struct Aftermath {
  std::vector<FeedPtr> wakes;
  std::vector<Event> garbage;
  void run();
};

class Audience {
 public:
  void add(const FeedPtr& feed);
  void remove(const Feed* feed);
  void publish(const Event& event, Aftermath& after);
  std::vector<FeedPtr> all() const;
  std::size_t size() const;

 private:
  std::vector<FeedPtr> everywhere_;
  std::unordered_map<std::string, std::vector<FeedPtr>> by_namespace_;
};

// The last events of one collection.
class History {
 public:
  explicit History(Revision compacted) : compacted_(compacted) {}
  void push(const Event& event, const StoreOptions& bounds, Aftermath& after);
  // Forgets what is newer (it never happened) ...
  void roll_back(Revision to);
  // ... or everything up to `revision`.
  void clear(Revision revision);
  // Events of `ns` with after < revision <= until.
  void copy(std::string_view ns, Revision after, Revision until, std::vector<Event>& out) const;
  Revision compacted() const { return compacted_; }

 private:
  std::deque<Event> events_;
  std::size_t bytes_ = 0;
  Revision compacted_;
};

}  // namespace flotilla::store
