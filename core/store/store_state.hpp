// SPDX-License-Identifier: Apache-2.0
// What is behind Store; private to core/store/store*.cpp.
//
// A write to storage of our own: under `mutex` it is checked, gets its revision, changes its table, is
// published to the newest audience, joins `pending` and is submitted to the backend, so all five agree on one
// order. The backend's answers are collected under `answers_mutex` (they may come while `mutex` is held) and
// applied in order: only then is an event durable. Storage with other writers:
// docs/design/high-availability.md; there everything that changes memory comes from the backend's watch. Lock
// order: mutex, then a feed's, answers_mutex or the keeper's.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "core/async/fiber_scope.hpp"
#include "core/base/spinning_mutex.hpp"
#include "core/store/object_table.hpp"
#include "core/store/watch_hub.hpp"

namespace flotilla::store {

inline constexpr std::string_view kRoot = "/registry/";
inline constexpr std::string_view kRootEnd = "/registry0";
// The collection in the key of an object. Empty: it is no key of this object.
std::string_view collection_in(std::string_view key, const ObjectKey& object);

// Bounds the number of parsed forms that objects keep: the oldest parse is dropped first. One that is in use
// is parsed again, at most once per `size` other parses.
class ParsedRing final : public api::ContentKeeper {
 public:
  explicit ParsedRing(std::size_t size) : slots_(std::max<std::size_t>(size, 1)) {}
  void parsed(const ObjectPtr& object) override;

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<const api::Object>> slots_;
  std::size_t next_ = 0;
};

// One collection.
struct Shelf {
  Shelf(Collection name, Revision base) : collection(std::move(name)), history(base) {}
  Collection collection;
  ObjectTable table;
  History history;
  Audience newest;
  Audience durable;
};

struct PendingCommit {
  Shelf* shelf = nullptr;
  Event event;
  bool answered = false;
  std::optional<Error> refused;
};

struct DurableWaiter {
  ::flotilla::Event changed;
  std::optional<Error> failed;  // under the store's mutex
};

// One question to storage for its newest revision, for all who came before it was asked.
struct FreshRound {
  ::flotilla::Event answered;
  // Under the store's mutex.
  std::optional<Result<Revision>> revision;
  bool prodded = false;  // the watch was asked for its progress
};

// A write on its way into submit().
struct Change {
  Event::Type type = Event::Type::Added;
  Collection collection;
  ObjectKey key;
  Revision expected;       // Modified and Deleted; 0: whatever is there
  api::ObjectDraft draft;  // not for Deleted
  Commit commit;           // guards and expect are filled in under the lock
};

struct Store::State : std::enable_shared_from_this<Store::State> {
  State(const Executor& used, std::unique_ptr<StorageBackend> engine, StoreOptions chosen);

  // The pipeline (store_commit.cpp).
  Result<ObjectPtr> submit(Change change);
  void answered(Revision revision, Result<CommitResult> result);
  void apply_answers();
  Task<Status> durable_at(Revision revision);
  Task<Result<ObjectPtr>> write(Change change, Durability durability);

  // Storage with other writers (store_shared.cpp).
  Task<Result<ObjectPtr>> write_shared(Change change, Durability durability);
  Task<Result<CommitResult>> commit_shared(Commit commit);
  Result<ObjectPtr> check_shared(const Change& change, bool& may_lag) const;
  Error lost_fence();
  void note_refusal(const Error& error);
  // False when `timeout` passed before memory was at `at`.
  Task<bool> reached(Revision at, Duration timeout);
  Task<Status> fresh();
  Task<void> ask_rounds();
  Task<void> follow();
  Task<Status> take_changes(StorageWatch& watch);
  Status take(StoredChanges changes);
  void take_one(StoredChange& change, ObjectPtr object, Aftermath& after);

  // Loading and recovery (store_load.cpp).
  using Shelves = std::unordered_map<std::string, std::unique_ptr<Shelf>>;
  Task<Result<Revision>> load(Shelves& into);
  Task<void> take_page(const StorageBackend::Range& range, Shelves& into, Status& taken);
  Task<Status> reload();
  Task<void> recover();

  // Under `mutex`.
  Shelf& shelf_of(const Collection& collection);
  const Shelf* find_shelf(const Collection& collection) const;
  Error unavailable() const;
  Status check_size(const Commit& commit) const;
  Status check_writable() const;
  void apply_answer(Revision revision, Result<CommitResult> result, Aftermath& after);
  void advance(Aftermath& after);
  void roll_back(Aftermath& after);
  void wake_waiters(Revision until, const std::optional<Error>& failed);

  void unsubscribe(const FeedPtr& feed);
  // Of a fork: asks its origin for what was never asked for; what was removed here does not come back.
  ObjectPtr take_from_origin(const Collection& collection, std::string_view ns, std::string_view name);

  const Executor& executor;
  const std::unique_ptr<StorageBackend> backend;
  const StoreOptions options;
  const std::shared_ptr<ParsedRing> parsed;
  BackendCapabilities capabilities;
  FiberScope scope;

  mutable SpinningMutex mutex;
  Shelves shelves;
  Audience newest_of_all;
  Audience durable_of_all;
  Revision base;      // loaded at this revision: nothing older is in any history
  Revision revision;  // newest
  Revision durable;
  std::atomic<std::int64_t> safe{0};  // durable, for a look without the lock
  std::deque<PendingCommit> pending;  // revisions durable+1 .. revision
  std::multimap<Revision, std::shared_ptr<DurableWaiter>> waiters;
  std::vector<std::shared_ptr<DurableWaiter>> woken;  // to be notified when the lock is released
  std::optional<std::string> read_only;               // why
  bool failing = false;                               // a pending commit was refused
  std::atomic<std::uint64_t> setbacks{0};             // commits were taken back, or all was loaded again
  bool open = false;
  std::size_t bytes = 0;
  std::unordered_set<std::string> asked;  // of the origin

  // Storage with other writers.
  std::shared_ptr<StorageWatch> watching;  // null while there is none
  std::map<Revision, ObjectPtr> own;       // committed by us, not yet told by the watch
  std::shared_ptr<FreshRound> next_round;  // of those who ask for the newest revision
  bool asking = false;
  std::optional<Guard> fence;  // of derived writes
  std::function<void()> fenced_off;

  std::mutex answers_mutex;
  std::vector<std::pair<Revision, Result<CommitResult>>> answers;
  bool apply_posted = false;
  std::atomic<std::thread::id> submitter;  // whose answers come while it holds `mutex`
};

// A watch as its reader holds it.
class Watch final : public Subscription {
 public:
  Watch(std::shared_ptr<Store::State> state, FeedPtr feed);
  ~Watch() override;
  Task<Result<std::vector<Event>>> next() override;
  Task<Result<std::vector<Event>>> next_for(Duration timeout) override;
  Revision progress() const override;

 private:
  std::shared_ptr<Store::State> state_;
  FeedPtr feed_;
};

}  // namespace flotilla::store
