// SPDX-License-Identifier: Apache-2.0
#include "core/search/member_feed.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <charconv>

#include "core/async/executor.hpp"
#include "core/base/log.hpp"

namespace flotilla::search {
namespace {

using cluster::MemberEvent;
using cluster::MemberHead;

const Logger kLog("search");
constexpr Duration kFirstRetry = std::chrono::milliseconds(200);
constexpr Duration kLastRetry = std::chrono::seconds(30);
// Others get their turn after so many objects of a list.
constexpr int kSteps = 16;

Revision revision_of_text(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return Revision(value);
}

// One attempt: list, then watch until something breaks.
class Feed {
 public:
  Feed(ResourceCachePtr cache, const Namespaces& scope, std::shared_ptr<cluster::Member> member)
      : cache_(std::move(cache)), scope_(scope), member_(std::move(member)) {
    selector_.ns = scope.single().value_or("");
  }

  // Never ends in order. `progress`: the watch brought something, so there is no reason to wait.
  Task<Status> run(bool& progress) {
    auto listing = member_->connection().list(cache_->resource(), selector_);
    Result<cluster::MemberList> listed = co_await std::move(listing);
    if (!listed) co_return listed.error();
    version_ = listed->resource_version;
    auto taking = take_all(std::move(listed->objects));
    co_await std::move(taking);
    for (;;) {
      auto watching = watch_once(progress);
      if (const Status ended = co_await std::move(watching); !ended) co_return ended;
      auto sleeping = sleep_for(kFirstRetry);
      if (!co_await std::move(sleeping)) co_return Error(Code::Cancelled, "cancelled");
    }
  }

 private:
  Task<void> take_all(std::vector<Json> objects) {
    const auto own = co_await boost::asio::this_coro::executor;
    ResourceCache::Objects all;
    int left = kSteps;
    for (Json& object : objects) {
      if (!scope_.contains(api::namespace_of(object))) continue;
      ObjectPtr kept = cache_->keep(std::move(object));
      ObjectKey key = kept->key();
      all.insert_or_assign(std::move(key), std::move(kept));
      if (--left > 0) continue;
      left = kSteps;
      auto behind = resume_on(own);
      co_await std::move(behind);
    }
    cache_->replace(std::move(all), revision_of_text(version_));
  }

  // Ok: the member ended it in order, the next goes on from where it was.
  Task<Status> watch_once(bool& progress) {
    auto opening = member_->connection().watch(cache_->resource(), selector_, version_);
    Result<std::unique_ptr<cluster::MemberWatch>> watch = co_await std::move(opening);
    if (!watch) co_return watch.error();
    (*watch)->leave_out([cache = cache_](const MemberHead& head) {
      const ObjectPtr known = cache->get({std::string(head.ns), std::string(head.name)});
      return known && known->revision() == revision_of_text(head.resource_version);
    });
    for (;;) {
      auto waiting = (*watch)->next();
      Result<std::vector<MemberEvent>> events = co_await std::move(waiting);
      if (!events) co_return events.error();
      if (events->empty()) co_return Status();
      progress = true;
      for (MemberEvent& event : *events) take(std::move(event));
    }
  }

  void take(MemberEvent event) {
    version_ = std::as_const(event.object)["metadata"]["resourceVersion"].as_string(version_);
    if (event.type == MemberEvent::Type::Bookmark) return cache_->pass(revision_of_text(version_));
    if (!scope_.contains(api::namespace_of(event.object))) return;
    const ObjectPtr object = cache_->keep(std::move(event.object));
    event.type == MemberEvent::Type::Deleted ? cache_->forget(object) : cache_->put(object);
  }

  const ResourceCachePtr cache_;
  const Namespaces scope_;
  // Its fibers have ended before it is let go by the registry, so it may end here as well.
  const std::shared_ptr<cluster::Member> member_;
  cluster::ListSelector selector_;
  std::string version_;
};

}  // namespace

Task<void> feed_cache(cluster::ClusterRegistry* clusters, ResourceCachePtr cache, Namespaces scope) {
  Duration delay = kFirstRetry;
  for (;;) {
    if (auto member = clusters->find(cache->cluster())) {
      bool progress = false;
      Feed feed(cache, scope, std::move(member));
      auto running = feed.run(progress);
      const Status ended = co_await std::move(running);
      if (progress) delay = kFirstRetry;
      // The member has forgotten the version, or is attached anew.
      const bool at_once = ended.error().is(Code::Gone) || ended.error().is(Code::Cancelled);
      if (at_once) delay = kFirstRetry;
      kLog.debug("a cache of a member is filled anew", {{"cluster", cache->cluster()},
                                                        {"resource", cache->resource().resource},
                                                        {"error", ended.error().message()},
                                                        {"in", format_duration(delay)}});
    } else {
      delay = kFirstRetry;
    }
    auto sleeping = sleep_for(delay);
    if (!co_await std::move(sleeping)) co_return;
    delay = std::min(delay * 2, kLastRetry);
  }
}

}  // namespace flotilla::search
