// SPDX-License-Identifier: Apache-2.0
// The objects of one resource of one member, encoded as the member showed them but for the annotation that
// says where they come from, and what happened to them last, for watches that go on from a version.
//
//   auto place = cache.place_after(version);          // Gone: the history does not reach back so far
//   auto events = cache.read(*place);                 // what came since; moves the place
//
// What is known stays known while the member cannot be reached. Memory: the objects, and of superseded ones
// as many as the bounds of the history allow. Thread: one fiber writes, everybody reads.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/api/object.hpp"
#include "core/async/event.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::search {

using api::Gvr;
using api::Json;
using api::ObjectKey;
using api::ObjectPtr;

struct CacheEvent {
  enum class Type : std::uint8_t { Added, Modified, Deleted };
  Type type = Type::Added;
  Revision revision;   // of the member
  ObjectPtr object;    // Deleted: the last state, at the revision of the deletion
  ObjectPtr previous;  // what it replaced; null for Added
};

struct CacheOptions {
  std::size_t history = 1000;                        // events
  std::size_t history_bytes = 4u << 20;              // of superseded objects
  std::function<void(const CacheEvent&)> sink = {};  // told of every change, by the writing fiber
};

class ResourceCache {
 public:
  // `changed` is told of all that a reader may wait for.
  ResourceCache(std::string cluster, Gvr resource, std::shared_ptr<flotilla::Event> changed, SteadyTime born,
                CacheOptions options = {});

  const std::string& cluster() const { return cluster_; }
  const Gvr& resource() const { return resource_; }
  SteadyTime born() const { return born_; }

  using Objects = std::map<ObjectKey, ObjectPtr>;
  // The writer's. The object as it is kept.
  ObjectPtr keep(Json object) const;
  void replace(Objects objects, Revision version);
  void put(ObjectPtr object);
  void forget(const ObjectPtr& last);
  void pass(Revision version);

  // The first list is here.
  bool synced() const { return synced_.load(std::memory_order_acquire); }
  // Null: there is none.
  ObjectPtr get(const ObjectKey& key) const;
  struct Snapshot {
    std::vector<ObjectPtr> objects;  // by namespace and name
    Revision version;
  };
  Snapshot list(std::string_view ns) const;  // empty: all
  Revision version() const;

  // Where a watch stands.
  struct Place {
    std::uint64_t epoch = 0;
    std::uint64_t next = 0;  // the number of the event that comes next
    Revision after;
  };
  // Errors: Gone.
  Result<Place> place_after(Revision version) const;
  // A list and the place behind it.
  Snapshot list_and_place(std::string_view ns, Place& place) const;
  struct News {
    std::vector<CacheEvent> events;
    Revision version;  // nothing older is still to come
  };
  // Errors: Gone (the place was overtaken, or the member began anew).
  Result<News> read(Place& place, std::size_t most = 500) const;

 private:
  Snapshot list_locked(std::string_view ns) const;
  Error too_old(Revision asked) const;
  void record(CacheEvent event);
  void tell(const std::vector<CacheEvent>& events) const;

  const std::string cluster_;
  const Gvr resource_;
  const std::shared_ptr<flotilla::Event> changed_;
  const SteadyTime born_;
  const CacheOptions options_;
  std::atomic<bool> synced_ = false;

  mutable std::mutex mutex_;  // all below
  Objects objects_;
  Revision version_;
  std::deque<CacheEvent> history_;
  std::size_t history_bytes_ = 0;
  Revision base_;            // the version before the first event of the history
  std::uint64_t first_ = 0;  // its number
  std::uint64_t epoch_ = 1;
};

using ResourceCachePtr = std::shared_ptr<ResourceCache>;

}  // namespace flotilla::search
