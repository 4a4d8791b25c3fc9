// SPDX-License-Identifier: Apache-2.0
#include "core/search/resource_cache.hpp"

#include <algorithm>

#include "core/api/karmada.hpp"

namespace flotilla::search {
namespace {

using Type = CacheEvent::Type;

std::size_t weight(const CacheEvent& event) {
  // An event keeps alive what it replaced; a deletion its object as well.
  return (event.previous ? event.previous->bytes().size() : 0) +
         (event.type == Type::Deleted ? event.object->bytes().size() : 0);
}

// What a list says beside what was known: in the order of versions, deletions last.
std::vector<CacheEvent> difference(const ResourceCache::Objects& known, const ResourceCache::Objects& now,
                                   Revision version) {
  std::vector<CacheEvent> events;
  for (const auto& [key, object] : now) {
    const auto before = known.find(key);
    if (before == known.end()) {
      events.push_back({Type::Added, object->revision(), object, nullptr});
    } else if (before->second->revision() != object->revision()) {
      events.push_back({Type::Modified, object->revision(), object, before->second});
    }
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const CacheEvent& a, const CacheEvent& b) { return a.revision < b.revision; });
  for (const auto& [key, object] : known) {
    if (!now.contains(key)) events.push_back({Type::Deleted, version, object->at_revision(version), object});
  }
  return events;
}

}  // namespace

ResourceCache::ResourceCache(std::string cluster, Gvr resource, std::shared_ptr<flotilla::Event> changed,
                             SteadyTime born, CacheOptions options)
    : cluster_(std::move(cluster)),
      resource_(std::move(resource)),
      changed_(std::move(changed)),
      born_(born),
      options_(std::move(options)) {}

ObjectPtr ResourceCache::keep(Json object) const {
  object.make({"metadata", "annotations"}).set(api::annotations::kCachedFromCluster, cluster_);
  const Revision revision = api::revision_of(object);
  return api::Object::make(api::Object::encode(object), revision, nullptr);
}

void ResourceCache::replace(Objects objects, Revision version) {
  std::vector<CacheEvent> events;
  {
    std::lock_guard lock(mutex_);
    events = difference(objects_, objects, version);
    const bool first = !synced_.load(std::memory_order_relaxed);
    objects_ = std::move(objects);
    if (first || version < version_) {
      // A member that was restored from a backup counts anew: nobody can go on from what it said before.
      if (!first) ++epoch_;
      first_ += history_.size();
      history_.clear();
      history_bytes_ = 0;
      base_ = version;
    } else {
      for (const CacheEvent& event : events) record(event);
    }
    version_ = version;
    synced_.store(true, std::memory_order_release);
  }
  tell(events);
}

void ResourceCache::put(ObjectPtr object) {
  std::vector<CacheEvent> events;
  {
    std::lock_guard lock(mutex_);
    ObjectPtr& known = objects_[object->key()];
    if (known && known->revision() == object->revision()) return;
    events.push_back({known ? Type::Modified : Type::Added, object->revision(), object, known});
    known = std::move(object);
    record(events.front());
  }
  tell(events);
}

void ResourceCache::forget(const ObjectPtr& last) {
  std::vector<CacheEvent> events;
  {
    std::lock_guard lock(mutex_);
    const auto known = objects_.find(last->key());
    if (known == objects_.end()) return;
    events.push_back({Type::Deleted, last->revision(), last, known->second});
    objects_.erase(known);
    record(events.front());
  }
  tell(events);
}

void ResourceCache::pass(Revision version) {
  std::lock_guard lock(mutex_);
  version_ = std::max(version_, version);
}

ObjectPtr ResourceCache::get(const ObjectKey& key) const {
  std::lock_guard lock(mutex_);
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

ResourceCache::Snapshot ResourceCache::list(std::string_view ns) const {
  std::lock_guard lock(mutex_);
  return list_locked(ns);
}

ResourceCache::Snapshot ResourceCache::list_locked(std::string_view ns) const {
  Snapshot snapshot{{}, version_};
  auto it = ns.empty() ? objects_.begin() : objects_.lower_bound(ObjectKey{std::string(ns), {}});
  for (; it != objects_.end() && (ns.empty() || it->first.ns == ns); ++it)
    snapshot.objects.push_back(it->second);
  return snapshot;
}

Revision ResourceCache::version() const {
  std::lock_guard lock(mutex_);
  return version_;
}

Error ResourceCache::too_old(Revision asked) const {
  return Error(Code::Gone, "too old resource version: " + std::to_string(asked.get()) + " (" +
                               std::to_string(base_.get()) + ")");
}

Result<ResourceCache::Place> ResourceCache::place_after(Revision version) const {
  std::lock_guard lock(mutex_);
  if (version < base_) return too_old(version);
  const auto next =
      std::upper_bound(history_.begin(), history_.end(), version,
                       [](Revision after, const CacheEvent& event) { return after < event.revision; });
  return Place{epoch_, first_ + static_cast<std::uint64_t>(next - history_.begin()), version};
}

ResourceCache::Snapshot ResourceCache::list_and_place(std::string_view ns, Place& place) const {
  std::lock_guard lock(mutex_);
  place = {epoch_, first_ + history_.size(), Revision()};
  return list_locked(ns);
}

Result<ResourceCache::News> ResourceCache::read(Place& place, std::size_t most) const {
  std::lock_guard lock(mutex_);
  if (place.epoch != epoch_ || place.next < first_) return too_old(place.after);
  News news;
  while (place.next < first_ + history_.size() && news.events.size() < most) {
    const CacheEvent& event = history_[place.next - first_];
    ++place.next;
    // A client may know more than this cache did when it asked.
    if (place.after < event.revision || place.after == Revision()) news.events.push_back(event);
  }
  const bool all = place.next == first_ + history_.size();
  news.version = all ? version_ : (news.events.empty() ? place.after : news.events.back().revision);
  return news;
}

// With the mutex held.
void ResourceCache::record(CacheEvent event) {
  version_ = std::max(version_, event.revision);
  history_bytes_ += weight(event);
  history_.push_back(std::move(event));
  while (history_.size() > options_.history ||
         (history_bytes_ > options_.history_bytes && history_.size() > 1)) {
    base_ = std::max(base_, history_.front().revision);
    history_bytes_ -= weight(history_.front());
    history_.pop_front();
    ++first_;
  }
}

void ResourceCache::tell(const std::vector<CacheEvent>& events) const {
  if (options_.sink) {
    for (const CacheEvent& event : events) options_.sink(event);
  }
  changed_->notify();
}

}  // namespace flotilla::search
