// SPDX-License-Identifier: Apache-2.0
// Storage with other writers: commits first, memory follows the backend's watch
// (docs/design/high-availability.md).
#include <algorithm>
#include <array>

#include "core/base/log.hpp"
#include "core/store/store_state.hpp"

namespace flotilla::store {
namespace {

const Logger kLog("store");

// Others came in between so often: who wrote without naming a revision is told Conflict.
constexpr int kMostTries = 16;
constexpr Duration kOnItsWay = std::chrono::milliseconds(5);
constexpr Duration kFirstPause = std::chrono::milliseconds(50);
constexpr Duration kLongestPause = std::chrono::seconds(2);

Revision revision_of(const ObjectPtr& object) {
  return object ? object->revision() : Revision();
}

// The rule of storage: an error says nothing of whether the commit happened. Those that name a limit do.
Error outcome_unknown(const Error& error) {
  if (!error.is(Code::Unavailable) && !error.is(Code::Timeout)) return error;
  return {Code::Timeout, "whether it was written is not known: " + error.message()};
}

struct CommitWaiter {
  std::mutex mutex;
  std::optional<Result<CommitResult>> answer;
  ::flotilla::Event answered;
};

struct Located {
  Shelf* shelf = nullptr;
  ObjectPtr object;
};

// What a key means that has no object any more: names have no slash, so it is one of three shapes, and memory
// knows which.
Located locate(const Store::State& state, std::string_view key) {
  if (!key.starts_with(kRoot)) return {};
  key.remove_prefix(kRoot.size());
  std::array<std::string_view, 4> parts;
  std::size_t count = 0;
  while (count < parts.size()) {
    const std::size_t slash = key.find('/');
    parts[count++] = key.substr(0, slash);
    if (slash == std::string_view::npos) break;
    key.remove_prefix(slash + 1);
  }
  const auto look = [&](std::size_t of_collection, bool namespaced) -> Located {
    if (count != of_collection + (namespaced ? 2 : 1)) return {};
    std::string name(parts[0]);
    if (of_collection == 2) name.append("/").append(parts[1]);
    const auto shelf = state.shelves.find(name);
    if (shelf == state.shelves.end()) return {};
    const std::string_view ns = namespaced ? parts[of_collection] : std::string_view();
    ObjectPtr object = shelf->second->table.find(ns, parts[count - 1]);
    return object ? Located{shelf->second.get(), std::move(object)} : Located{};
  };
  for (const std::size_t of_collection : {std::size_t{1}, std::size_t{2}}) {
    for (const bool namespaced : {false, true}) {
      if (Located found = look(of_collection, namespaced); found.object) return found;
    }
  }
  return {};
}

}  // namespace

// The object that the change would replace. Errors: as of Store's writes; `may_lag`: memory may not know yet
// what makes them untrue.
Result<ObjectPtr> Store::State::check_shared(const Change& change, bool& may_lag) const {
  std::shared_lock lock(mutex);
  if (Status writable = check_writable(); !writable) return std::move(writable).error();
  const Shelf* shelf = find_shelf(change.collection);
  ObjectPtr previous = shelf == nullptr ? nullptr : shelf->table.find(change.key.ns, change.key.name);
  may_lag = true;
  if (change.type == Event::Type::Added && previous)
    return Error(Code::AlreadyExists, change.key.text() + " already exists");
  if (change.type != Event::Type::Added && !previous)
    return Error(Code::NotFound, change.key.text() + " not found");
  if (change.expected.get() != 0 && previous && previous->revision() != change.expected) {
    may_lag = previous->revision() < change.expected;
    return Error(Code::Conflict, "the object has been modified");
  }
  return previous;
}

Task<Result<CommitResult>> Store::State::commit_shared(Commit commit) {
  const auto waiter = std::make_shared<CommitWaiter>();
  const std::uint64_t seen = waiter->answered.version();
  backend->commit(std::move(commit), [waiter](Result<CommitResult> answer) {
    {
      std::lock_guard lock(waiter->mutex);
      waiter->answer = std::move(answer);
    }
    waiter->answered.notify();
  });
  auto waiting = waiter->answered.wait_past(seen);
  const bool told = co_await std::move(waiting);
  if (!told) co_return Error(Code::Cancelled, "cancelled while storage was writing");
  std::lock_guard lock(waiter->mutex);
  co_return *std::move(waiter->answer);
}

Task<Result<ObjectPtr>> Store::State::write_shared(Change change, Durability durability) {
  const std::shared_ptr<State> self = shared_from_this();
  if (Status fits = self->check_size(change.commit); !fits) co_return std::move(fits).error();
  bool asked_storage = false;
  for (int tried = 1; tried <= kMostTries; ++tried) {
    bool may_lag = false;
    const Result<ObjectPtr> previous = self->check_shared(change, may_lag);
    if (!previous) {
      if (!may_lag || std::exchange(asked_storage, true)) co_return previous.error();
      auto asking = self->fresh();
      if (const Status newest = co_await std::move(asking); !newest) co_return newest.error();
      continue;
    }
    Commit commit = change.commit;
    commit.guards.push_back({commit.operations.front().key, revision_of(*previous)});
    bool guarded = false;
    if (durability == Durability::Derived) {
      std::shared_lock lock(self->mutex);
      guarded = self->fence.has_value();
      if (guarded) commit.guards.push_back(*self->fence);
    }
    auto committing = self->commit_shared(std::move(commit));
    const Result<CommitResult> answer = co_await std::move(committing);
    if (!answer) {
      self->note_refusal(answer.error());
      co_return outcome_unknown(answer.error());
    }
    if (answer->succeeded) {
      const ObjectPtr written =
          change.type == Event::Type::Deleted
              ? (*previous)->at_revision(answer->revision)
              : api::Object::seal(std::move(change.draft), answer->revision, self->parsed);
      if (change.type != Event::Type::Deleted) self->parsed->parsed(written);
      {
        std::unique_lock lock(self->mutex);
        if (answer->revision > self->revision) self->own.emplace(answer->revision, written);
      }
      // What was written is true, whether this daemon hears of it in time or not.
      auto hearing = self->reached(answer->revision, self->options.patience);
      co_await std::move(hearing);
      co_return written;
    }
    auto hearing = self->reached(answer->revision, self->options.patience);
    const bool heard = co_await std::move(hearing);
    if (!heard)
      co_return Error(Code::Unavailable, "storage does not tell this daemon what others changed; try again");
    if (!guarded) continue;
    const Result<ObjectPtr> now = self->check_shared(change, may_lag);
    if (now && revision_of(*now) == revision_of(*previous)) co_return self->lost_fence();
  }
  co_return Error(Code::Conflict, "others write " + change.key.text() + " all the time; try again");
}

Error Store::State::lost_fence() {
  std::function<void()> tell;
  {
    std::unique_lock lock(mutex);
    tell = std::exchange(fenced_off, nullptr);
  }
  if (tell) tell();
  return {Code::Unavailable, "another daemon leads now"};
}

// Storage that says why it takes no writes is asked until it does.
void Store::State::note_refusal(const Error& error) {
  if (!error.is(Code::ResourceExhausted)) return;
  {
    std::unique_lock lock(mutex);
    if (read_only) return;
    read_only = error.message();
  }
  kLog.error("storage takes no writes, read-only until it does",
             {{"storage", backend->name()}, {"error", error.message()}});
  scope.spawn(recover());
}

Task<bool> Store::State::reached(Revision at, Duration timeout) {
  const std::shared_ptr<State> self = shared_from_this();
  const auto waiter = std::make_shared<DurableWaiter>();
  const std::uint64_t seen = waiter->changed.version();
  {
    std::unique_lock lock(self->mutex);
    if (at <= self->durable) co_return true;
    self->waiters.emplace(at, waiter);
  }
  auto waiting = waiter->changed.wait_past_for(seen, timeout);
  const bool told = co_await std::move(waiting);
  std::unique_lock lock(self->mutex);
  if (!told) std::erase_if(self->waiters, [&](const auto& entry) { return entry.second == waiter; });
  co_return at <= self->durable;
}

Task<Status> Store::State::fresh() {
  if (!capabilities.shared) co_return Status();
  const std::shared_ptr<State> self = shared_from_this();
  std::shared_ptr<FreshRound> round;
  std::uint64_t seen = 0;
  bool begin = false;
  {
    std::unique_lock lock(self->mutex);
    if (!self->next_round) self->next_round = std::make_shared<FreshRound>();
    round = self->next_round;
    seen = round->answered.version();
    begin = !std::exchange(self->asking, true);
  }
  if (begin) self->scope.spawn(self->ask_rounds());
  auto waiting = round->answered.wait_past_for(seen, 2 * self->options.patience);
  const bool told = co_await std::move(waiting);
  if (!told) co_return Error(Code::Timeout, "storage does not answer");
  Revision newest;
  {
    std::shared_lock lock(self->mutex);
    if (!*round->revision) co_return round->revision->error();
    newest = **round->revision;
  }
  // What was committed a moment ago is on its way; the newest revision may have changed nothing here, though.
  auto coming = self->reached(newest, kOnItsWay);
  if (co_await std::move(coming)) co_return Status();
  std::shared_ptr<StorageWatch> watch;
  {
    std::unique_lock lock(self->mutex);
    if (!std::exchange(round->prodded, true)) watch = self->watching;
  }
  if (watch) watch->ask_progress();
  auto hearing = self->reached(newest, self->options.patience);
  if (co_await std::move(hearing)) co_return Status();
  co_return Error(Code::Timeout, "storage is at revision " + std::to_string(newest.get()) +
                                     " and does not tell this daemon of it");
}

Task<void> Store::State::ask_rounds() {
  const std::shared_ptr<State> self = shared_from_this();
  for (;;) {
    std::shared_ptr<FreshRound> round;
    {
      std::unique_lock lock(self->mutex);
      round = std::exchange(self->next_round, nullptr);
      if (!round) {
        self->asking = false;
        co_return;
      }
    }
    auto asking = self->backend->status(true);
    const Result<BackendStatus> status = co_await std::move(asking);
    {
      std::unique_lock lock(self->mutex);
      round->revision = status ? Result<Revision>(status->revision) : Result<Revision>(status.error());
    }
    round->answered.notify();
  }
}

// Until the store is closed.
Task<void> Store::State::follow() {
  const std::shared_ptr<State> self = shared_from_this();
  Duration pause = kFirstPause;
  for (;;) {
    Revision from;
    {
      std::shared_lock lock(self->mutex);
      from = Revision(self->revision.get() + 1);
    }
    Status ended;
    Result<std::unique_ptr<StorageWatch>> begun =
        self->backend->watch(std::string(kRoot), std::string(kRootEnd), from);
    if (begun) {
      const std::shared_ptr<StorageWatch> watch = *std::move(begun);
      {
        std::unique_lock lock(self->mutex);
        self->watching = watch;
      }
      auto taking = self->take_changes(*watch);
      ended = co_await std::move(taking);
      std::unique_lock lock(self->mutex);
      self->watching.reset();
      if (self->revision >= from) pause = kFirstPause;
    } else {
      ended = begun.error();
    }
    if (ended.error().is(Code::Cancelled)) co_return;
    if (ended.error().is(Code::Gone)) {
      kLog.warn("storage forgot what happened while it was not heard; loading it again",
                {{"storage", self->backend->name()}});
      auto loading = self->reload();
      ended = co_await std::move(loading);
      if (ended) continue;
    }
    kLog.warn("storage is not heard; reads may be stale",
              {{"storage", self->backend->name()}, {"error", ended.error().message()}});
    auto sleeping = sleep_for(pause);
    if (!co_await std::move(sleeping)) co_return;
    pause = std::min(pause * 2, kLongestPause);
  }
}

// The answer is never ok: how the watch ended.
Task<Status> Store::State::take_changes(StorageWatch& watch) {
  const std::shared_ptr<State> self = shared_from_this();
  for (;;) {
    auto waiting = watch.next();
    Result<StoredChanges> changes = co_await std::move(waiting);
    if (!changes) co_return changes.error();
    if (Status taken = self->take(*std::move(changes)); !taken) co_return taken;
  }
}

Status Store::State::take(StoredChanges changes) {
  std::vector<ObjectPtr> objects(changes.changes.size());
  std::vector<bool> ours(objects.size());
  {
    std::unique_lock lock(mutex);
    for (std::size_t i = 0; i < objects.size(); ++i) {
      const auto found = own.find(changes.changes[i].kv.mod_revision);
      if (found != own.end() && !changes.changes[i].removed) objects[i] = found->second;
    }
    own.erase(own.begin(), own.upper_bound(changes.progress));
  }
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const StoredChange& change = changes.changes[i];
    if (objects[i] || change.removed) continue;
    Result<ObjectPtr> object = api::Object::load(change.kv.value, change.kv.mod_revision, parsed);
    if (!object) return std::move(object).context(change.kv.key);
    objects[i] = *std::move(object);
  }
  Aftermath after;
  std::vector<std::shared_ptr<DurableWaiter>> to_wake;
  {
    std::unique_lock lock(mutex);
    for (std::size_t i = 0; i < objects.size(); ++i)
      take_one(changes.changes[i], std::move(objects[i]), after);
    revision = durable = std::max(revision, changes.progress);
    safe.store(durable.get(), std::memory_order_release);
    wake_waiters(durable, std::nullopt);
    to_wake.swap(woken);
  }
  for (const auto& waiter : to_wake) waiter->changed.notify();
  after.run();
  return {};
}

// Under `mutex`. `object` is null for a removal.
void Store::State::take_one(StoredChange& change, ObjectPtr object, Aftermath& after) {
  const Revision at = change.kv.mod_revision;
  Located found;
  if (object) {
    const std::string_view collection = collection_in(change.kv.key, object->key());
    if (collection.empty()) {
      kLog.error("storage has an object under the key of another", {{"key", change.kv.key}});
      return;
    }
    found.shelf = &shelf_of(Collection(std::string(collection)));
    found.object = found.shelf->table.find(object->ns(), object->name());
  } else {
    found = locate(*this, change.kv.key);
    if (!found.object) return;
  }
  if (revision_of(found.object) >= at) return;
  Event event{Event::Type::Deleted, found.shelf->collection, at, nullptr, found.object};
  if (object) {
    event.type = found.object ? Event::Type::Modified : Event::Type::Added;
    found.shelf->table.put(object);
    bytes += object->bytes().size();
    event.object = std::move(object);
  } else {
    found.shelf->table.erase(found.object->ns(), found.object->name());
    event.object = found.object->at_revision(at);
  }
  if (found.object) bytes -= found.object->bytes().size();
  revision = durable = std::max(revision, at);
  found.shelf->history.push(event, options, after);
  found.shelf->newest.publish(event, after);
  newest_of_all.publish(event, after);
  found.shelf->durable.publish(event, after);
  durable_of_all.publish(event, after);
}

}  // namespace flotilla::store
