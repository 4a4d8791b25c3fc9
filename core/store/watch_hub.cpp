// SPDX-License-Identifier: Apache-2.0
#include "core/store/watch_hub.hpp"

#include <algorithm>
#include <iterator>

namespace flotilla::store {
namespace {

std::size_t cost_of(const Event& event) {
  std::size_t cost = event.previous ? event.previous->bytes().size() : 0;
  if (event.type == Event::Type::Deleted) cost += event.object->bytes().size();
  return cost;
}

// What a client that does not read may make us keep.
constexpr std::size_t kMostClientBytes = std::size_t{16} << 20;

void erase_feed(std::vector<FeedPtr>& feeds, const Feed* feed) {
  std::erase_if(feeds, [&](const FeedPtr& one) { return one.get() == feed; });
}

}  // namespace

Feed::Feed(WatchRequest request, std::vector<Event> backlog)
    : request_(std::move(request)),
      limit_(request_.limit + backlog.size()),
      after_(request_.after),
      queue_(std::make_move_iterator(backlog.begin()), std::make_move_iterator(backlog.end())) {}

bool Feed::push(const Event& event) {
  std::lock_guard lock(mutex_);
  // Whoever comes from another daemon may know what this one has yet to hear.
  if (ended_ || event.revision <= after_) return false;
  const bool is_client = request_.visibility == Visibility::Durable;
  const std::size_t cost = event.object ? event.object->bytes().size() : 0;
  if (queue_.size() >= limit_ || (is_client && queued_bytes_ > kMostClientBytes)) {
    queue_.clear();
    queued_bytes_ = 0;
    ended_ = Error(Code::Gone, "the watch fell too far behind; list again");
    return true;
  }
  queue_.push_back(event);
  queued_bytes_ += cost;
  return queue_.size() == 1;
}

void Feed::reset(Revision revision) {
  std::lock_guard lock(mutex_);
  if (ended_) return;
  queue_.clear();
  after_ = revision;
  queue_.push_back({Event::Type::Reset, request_.collection, revision, nullptr, nullptr});
}

void Feed::end(Error error) {
  std::lock_guard lock(mutex_);
  if (ended_) return;
  queue_.clear();
  ended_ = std::move(error);
}

bool Feed::ended() const {
  std::lock_guard lock(mutex_);
  return ended_.has_value();
}

Task<Result<std::vector<Event>>> Feed::next(Duration timeout) {
  for (;;) {
    const std::uint64_t seen = changed_.version();
    {
      std::lock_guard lock(mutex_);
      if (!queue_.empty()) {
        std::vector<Event> events(std::make_move_iterator(queue_.begin()),
                                  std::make_move_iterator(queue_.end()));
        queue_.clear();
        queued_bytes_ = 0;
        limit_ = request_.limit;
        co_return events;
      }
      if (ended_) co_return *ended_;
    }
    auto waiting = changed_.wait_past_for(seen, timeout);
    if (!co_await std::move(waiting)) co_return std::vector<Event>();
  }
}

Revision Feed::progress(Revision visible) const {
  std::lock_guard lock(mutex_);
  return queue_.empty() ? visible : Revision(queue_.front().revision.get() - 1);
}

void Aftermath::run() {
  for (const FeedPtr& feed : wakes) feed->wake();
  wakes.clear();
  garbage.clear();
}

void Audience::add(const FeedPtr& feed) {
  const std::string& ns = feed->request().ns;
  (ns.empty() ? everywhere_ : by_namespace_[ns]).push_back(feed);
}

void Audience::remove(const Feed* feed) {
  const std::string& ns = feed->request().ns;
  if (ns.empty()) return erase_feed(everywhere_, feed);
  const auto it = by_namespace_.find(ns);
  if (it == by_namespace_.end()) return;
  erase_feed(it->second, feed);
  if (it->second.empty()) by_namespace_.erase(it);
}

void Audience::publish(const Event& event, Aftermath& after) {
  const auto push_to = [&](const std::vector<FeedPtr>& feeds) {
    for (const FeedPtr& feed : feeds)
      if (feed->push(event)) after.wakes.push_back(feed);
  };
  push_to(everywhere_);
  if (by_namespace_.empty() || event.object->ns().empty()) return;
  const auto it = by_namespace_.find(event.object->ns());
  if (it != by_namespace_.end()) push_to(it->second);
}

std::vector<FeedPtr> Audience::all() const {
  std::vector<FeedPtr> feeds = everywhere_;
  for (const auto& [ns, some] : by_namespace_) feeds.insert(feeds.end(), some.begin(), some.end());
  return feeds;
}

std::size_t Audience::size() const {
  std::size_t size = everywhere_.size();
  for (const auto& [ns, feeds] : by_namespace_) size += feeds.size();
  return size;
}

void History::push(const Event& event, const StoreOptions& bounds, Aftermath& after) {
  bytes_ += cost_of(event);
  events_.push_back(event);
  while (events_.size() > bounds.history || (bytes_ > bounds.history_bytes && events_.size() > 1)) {
    Event& oldest = events_.front();
    bytes_ -= cost_of(oldest);
    compacted_ = oldest.revision;
    after.garbage.push_back(std::move(oldest));
    events_.pop_front();
  }
}

void History::roll_back(Revision to) {
  while (!events_.empty() && events_.back().revision > to) {
    bytes_ -= cost_of(events_.back());
    events_.pop_back();
  }
  compacted_ = std::min(compacted_, to);
}

void History::clear(Revision revision) {
  events_.clear();
  bytes_ = 0;
  compacted_ = revision;
}

void History::copy(std::string_view ns, Revision after, Revision until, std::vector<Event>& out) const {
  auto it = std::partition_point(events_.begin(), events_.end(),
                                 [&](const Event& event) { return event.revision <= after; });
  for (; it != events_.end() && it->revision <= until; ++it)
    if (ns.empty() || it->object->ns() == ns) out.push_back(*it);
}

}  // namespace flotilla::store
