// SPDX-License-Identifier: Apache-2.0
// The world as this daemon knows it: every live object in memory as an immutable encoded document, one
// revision per commit, reads and watches served from memory, writes committed in order to a StorageBackend.
//
// Two views of time. `revision()` is the newest commit; `durable_revision()` the newest that the backend has
// made safe. Controllers work on the newest (what they derive is derived again after a crash); nobody outside
// the daemon is answered or shown anything newer than durable (await durable(revision of what is shown)).
// Invariant: a key's guard is checked against memory and again by the backend; the order of commits in
// memory, on disk and in every watch is the same. If the backend refuses a commit (disk full), memory is
// brought back to the durable state, watchers are reset (Event::Type::Reset) and the store is read-only until
// the backend recovers. Storage that has other writers: everything in memory is durable and comes from the
// backend's watch, writes of either Durability wait for storage (docs/design/high-availability.md). Thread:
// everything from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/object.hpp"
#include "core/async/executor.hpp"
#include "core/async/task.hpp"
#include "core/store/storage_backend.hpp"

namespace flotilla::store {

using api::Json;
using api::ObjectKey;
using api::ObjectPtr;

// Where a kind's objects live, whatever version they are served in: "apps/deployments", "configmaps" (core
// group), "work.karmada.io/works".
using Collection = NamedType<std::string, struct CollectionTag>;
Collection collection_of(std::string_view group, std::string_view resource);

enum class Durability {
  Wait,     // answer after the backend's fsync: writes from outside
  Derived,  // answer at once: writes of controllers
};

// What is kept beside the objects, in storage alone: no object, in no list, no watch, and not in memory.
// Written and removed in the commit of an object, so that it is there exactly if that commit is.
struct SideValue {
  std::string key;  // "decisions/UID/07"
  std::string value;
  bool remove = false;
  Revision revision = {};  // when read: of the commit that wrote it
};
using SideValues = std::vector<SideValue>;

struct Event {
  enum class Type : std::uint8_t { Added, Modified, Deleted, Reset };
  Type type = Type::Added;
  Collection collection;
  Revision revision;
  ObjectPtr object;    // Deleted: the last state, at the revision of the deletion. Reset: null
  ObjectPtr previous;  // what it replaced; null for Added
};

struct Snapshot {
  std::vector<ObjectPtr> objects;  // ascending by namespace, then name
  Revision revision;               // all of them are exactly the world at this revision
};

// A watch's queue. A subscriber that falls more than `limit` events behind is dropped: it gets Gone and must
// list.
class Subscription {
 public:
  virtual ~Subscription() = default;
  // The next events in order, at least one; waits for them. Empty when the fiber was cancelled.
  // Errors: Gone (dropped or compacted), Cancelled (the store is closing).
  virtual Task<Result<std::vector<Event>>> next() = 0;
  // The same with a bound of real time; empty when it passed.
  virtual Task<Result<std::vector<Event>>> next_for(Duration timeout) = 0;
  // Nothing older than this is still to come (for bookmarks).
  virtual Revision progress() const = 0;
};

enum class Visibility {
  Newest,   // in-process controllers
  Durable,  // watches of clients
};

struct WatchRequest {
  Collection collection;  // empty: every collection
  std::string ns;         // empty: all namespaces
  Revision after;         // events newer than this
  Visibility visibility = Visibility::Newest;
  std::size_t limit = 10'000;
};

struct StoreOptions {
  // Kept per collection for watches that resume: events, and bytes of superseded objects they hold.
  std::size_t history = 10'000;
  std::size_t history_bytes = 4u << 20;
  // Derived writes beyond this many undurable commits wait as well.
  std::size_t max_pending = 10'000;
  // Shared storage: how long a write waits for its own change to come back, and a reader for the newest one.
  Duration patience = std::chrono::seconds(3);
  std::size_t parsed = 512;  // objects whose parsed form is kept
  // Makes this store a fork: what get() does not find here is taken from there, once, and kept. Lists, counts
  // and watches know what was taken or written, nothing else.
  std::function<ObjectPtr(const Collection&, std::string_view ns, std::string_view name)> origin;
  // Which side values belong to an object and go with it; asked when it is removed. May be empty.
  std::function<SideValues(const Collection&, const ObjectPtr&)> belonging;
};

struct StoreStats {
  std::size_t objects = 0;
  std::size_t bytes = 0;
  std::size_t watchers = 0;
  std::size_t pending_commits = 0;
  bool read_only = false;
  std::string read_only_reason;
  bool heard = true;  // shared storage: changes by others arrive
};

class Store {
 public:
  Store(const Executor& executor, std::unique_ptr<StorageBackend> backend, StoreOptions options = {});
  ~Store();

  // Starts the backend and loads its live objects. Errors name the backend and what to do. Shared storage is
  // followed from then on.
  Task<Status> open();
  // Waits for pending commits, ends subscriptions, stops the backend.
  Task<void> close();

  // Reads: from memory, without waiting. Null: absent.
  ObjectPtr get(const Collection& collection, std::string_view ns, std::string_view name) const;
  Snapshot list(const Collection& collection, std::string_view ns = {}) const;
  // From the first key after `after` (exclusive) on, at most `limit` (0: all).
  Snapshot list_page(const Collection& collection, std::string_view ns, const ObjectKey* after,
                     std::size_t limit) const;
  std::size_t count(const Collection& collection) const;
  std::vector<Collection> collections() const;
  Revision revision() const;
  Revision durable_revision() const;
  // The oldest revision that a watch may still start after.
  Revision compacted_revision(const Collection& collection) const;
  // Completes once everything up to `revision` is durable. Errors: Unavailable, DataLoss as the backend said.
  Task<Status> durable(Revision revision);

  // Has other writers beside this store.
  bool shared() const;
  // Completes once memory has everything that anybody was answered before this call. At once unless shared.
  // Errors: Unavailable, Timeout.
  Task<Status> fresh();
  // From now on derived writes succeed only while the side value `key` is as `revision` wrote it; `lost` is
  // told once, from any thread, when storage says it is not. Shared storage alone.
  void fence(std::string key, Revision revision, std::function<void()> lost);

  // Writes. The object's metadata.resourceVersion is ignored; the answer has the new one.
  // Errors: AlreadyExists; NotFound; Conflict (another revision than `expected`); Unavailable (read-only);
  // TooLarge.
  // Shared storage: Timeout when nobody knows whether the write happened.
  Task<Result<ObjectPtr>> create(Collection collection, Json object, Durability durability,
                                 SideValues beside = {});
  // expected 0: whatever is there (but it must be there). `beside`: distinct keys.
  Task<Result<ObjectPtr>> update(Collection collection, Json object, Revision expected, Durability durability,
                                 SideValues beside = {});
  // The answer is the deleted object at the revision of its deletion.
  Task<Result<ObjectPtr>> remove(Collection collection, ObjectKey key, Revision expected,
                                 Durability durability);
  // Those whose keys begin with `prefix`, ascending, as storage has them: what was written a moment ago is
  // there once that commit is durable().
  Task<Result<SideValues>> side_values(std::string prefix) const;
  // Storage may forget what was superseded before `revision`. Answers the oldest revision it still knows.
  Task<Result<Revision>> compact(Revision revision);
  // Grows when commits were taken back: side values that were written since the last look may be missing.
  std::uint64_t setbacks() const;

  // Errors: Gone when `after` is older than the history kept.
  Result<std::unique_ptr<Subscription>> watch(const WatchRequest& request);

  StoreStats stats() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace flotilla::store
