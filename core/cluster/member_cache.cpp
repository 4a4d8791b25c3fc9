// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/member_cache.hpp"

#include <algorithm>
#include <set>

#include "core/api/karmada.hpp"
#include "core/base/log.hpp"

namespace flotilla::cluster {
namespace {

const Logger kLog("member");
constexpr Duration kFirstRetry = std::chrono::milliseconds(200);
constexpr Duration kLastRetry = std::chrono::seconds(30);

std::string managed_selector() {
  return std::string(api::labels::kManaged) + "=" + std::string(api::kTrue);
}

}  // namespace

MemberCache::MemberCache(std::string cluster, Gvr resource, std::shared_ptr<ClusterConnection> connection,
                         MemberHandler handler)
    : cluster_(std::move(cluster)),
      resource_(std::move(resource)),
      connection_(std::move(connection)),
      handler_(std::move(handler)) {}

Task<void> MemberCache::run() {
  Duration delay = kFirstRetry;
  for (;;) {
    bool progress = false;
    auto following = list_and_watch(progress);
    const Status ended = co_await std::move(following);
    if (ended.error().is(Code::Cancelled)) co_return;
    if (progress) delay = kFirstRetry;
    // The member has forgotten the version: what we know stays true enough until the next list is here.
    if (ended.error().is(Code::Gone) && progress) continue;
    if (!ended.error().is(Code::Gone)) synced_.store(false, std::memory_order_release);
    kLog.debug("member watch failed", {{"cluster", cluster_},
                                       {"resource", resource_.resource},
                                       {"error", ended.error().message()},
                                       {"in", format_duration(delay)}});
    auto sleeping = sleep_for(delay);
    if (!co_await std::move(sleeping)) co_return;
    delay = std::min(delay * 2, kLastRetry);
  }
}

// Never ends in order. `progress`: the watch brought something, so there is no reason to wait.
Task<Status> MemberCache::list_and_watch(bool& progress) {
  ListSelector selector;
  selector.label_selector = managed_selector();
  auto listing = connection_->list(resource_, selector);
  Result<MemberList> listed = co_await std::move(listing);
  if (!listed) co_return listed.error();
  std::string version = listed->resource_version;
  replace(std::move(listed->objects));

  for (;;) {
    auto opening = connection_->watch(resource_, selector, version);
    Result<std::unique_ptr<MemberWatch>> watch = co_await std::move(opening);
    if (!watch) co_return watch.error();
    bool silent = true;
    for (;;) {
      auto waiting = (*watch)->next();
      Result<std::vector<MemberEvent>> events = co_await std::move(waiting);
      if (!events) co_return events.error();
      if (events->empty()) break;  // ended in order: go on from the last version
      silent = false;
      progress = true;
      for (MemberEvent& event : *events) {
        const Json& known = event.object;
        version = known["metadata"]["resourceVersion"].as_string(version);
        if (event.type == MemberEvent::Type::Bookmark) continue;
        if (event.type == MemberEvent::Type::Deleted) {
          const api::ObjectKey key = api::key_of(event.object);
          forget(key, std::make_shared<const Json>(std::move(event.object)));
        } else {
          put(std::move(event.object));
        }
      }
    }
    if (!silent) continue;
    // A server or proxy that ends every watch at once is not asked in a tight loop.
    auto sleeping = sleep_for(kFirstRetry);
    if (!co_await std::move(sleeping)) co_return Error(Code::Cancelled, "cancelled");
  }
}

void MemberCache::replace(std::vector<Json> objects) {
  std::set<api::ObjectKey> present;
  for (Json& object : objects) {
    present.insert(api::key_of(object));
    put(std::move(object));
  }
  std::vector<api::ObjectPtr> gone;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, known] : objects_) {
      if (!present.contains(key)) gone.push_back(known.object);
    }
  }
  for (const api::ObjectPtr& object : gone) forget(object->key(), object->content());
  synced_.store(true, std::memory_order_release);
  changed_.notify();
}

void MemberCache::put(Json object) {
  auto content = std::make_shared<const Json>(std::move(object));
  const Revision revision = api::revision_of(*content);
  api::ObjectPtr made = api::Object::make(api::Object::encode(*content), revision, content);
  MemberChange change{MemberChange::Type::Added, cluster_, resource_, content};
  {
    std::lock_guard lock(mutex_);
    Known& known = objects_[made->key()];
    if (known.object) {
      if (known.object->revision() == revision && revision.get() != 0 && known.object->uid() == made->uid())
        return;
      change.type = MemberChange::Type::Modified;
    }
    known.object = made;
    known.parsed.reset();
    keep_parsed(made->key(), known, content);
  }
  handler_(change);
}

void MemberCache::keep_parsed(const api::ObjectKey& key, Known& known,
                              std::shared_ptr<const Json> parsed) const {
  if (!known.parsed) {
    api::ObjectKey& place = parsed_[next_parsed_++ % parsed_.size()];
    if (const auto oldest = objects_.find(place); oldest != objects_.end() && place != key)
      oldest->second.parsed.reset();  // thousands of objects are kept encoded
    place = key;
  }
  known.parsed = std::move(parsed);
}

void MemberCache::forget(const api::ObjectKey& key, std::shared_ptr<const Json> last) {
  {
    std::lock_guard lock(mutex_);
    if (objects_.erase(key) == 0) return;
  }
  handler_({MemberChange::Type::Deleted, cluster_, resource_, std::move(last)});
}

Task<bool> MemberCache::wait_synced(Duration timeout) {
  const std::uint64_t seen = changed_.version();
  if (synced()) co_return true;
  auto waiting = changed_.wait_past_for(seen, timeout);
  co_await std::move(waiting);
  co_return synced();
}

Result<std::optional<Json>> MemberCache::get(std::string_view ns, std::string_view name) const {
  if (!synced()) {
    return Error(Code::Unavailable,
                 "the " + resource_.resource + " of cluster " + cluster_ + " are not known yet");
  }
  api::ObjectPtr object;
  {
    std::lock_guard lock(mutex_);
    const auto it = objects_.find({std::string(ns), std::string(name)});
    if (it == objects_.end()) return std::optional<Json>();
    if (it->second.parsed) return std::optional<Json>(*it->second.parsed);
    object = it->second.object;
  }
  auto parsed = Json::parse(object->bytes(), {.max_bytes = object->bytes().size()});
  if (!parsed) return parsed.error();
  return std::optional<Json>(*std::move(parsed));
}

std::size_t MemberCache::size() const {
  std::lock_guard lock(mutex_);
  return objects_.size();
}

}  // namespace flotilla::cluster
