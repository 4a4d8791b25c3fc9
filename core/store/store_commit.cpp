// SPDX-License-Identifier: Apache-2.0
// The way of a write: submit, answer, durable; and the way back when the backend refuses.
#include <algorithm>

#include "core/base/log.hpp"
#include "core/store/store_state.hpp"

namespace flotilla::store {
namespace {

const Logger kLog("store");

// Then writes are refused before anything has happened: better than a line in which nobody is served in time.
constexpr std::size_t kMostPending = 50'000;

std::size_t size_of(const ObjectPtr& object) {
  return object ? object->bytes().size() : 0;
}

}  // namespace

void ParsedRing::parsed(const ObjectPtr& object) {
  std::weak_ptr<const api::Object> oldest(object);
  {
    std::lock_guard lock(mutex_);
    slots_[next_].swap(oldest);
    next_ = (next_ + 1) % slots_.size();
  }
  if (const ObjectPtr dropped = oldest.lock()) dropped->release_content();
}

Store::State::State(const Executor& used, std::unique_ptr<StorageBackend> engine, StoreOptions chosen)
    : executor(used),
      backend(std::move(engine)),
      options(chosen),
      parsed(std::make_shared<ParsedRing>(chosen.parsed)),
      scope(used.strand(), "store") {}

Task<Result<ObjectPtr>> Store::State::write(Change change, Durability durability) {
  const std::shared_ptr<State> self = shared_from_this();
  if (self->capabilities.shared) {
    auto writing = self->write_shared(std::move(change), durability);
    co_return co_await std::move(writing);
  }
  Result<ObjectPtr> written = self->submit(std::move(change));
  if (!written) co_return std::move(written).error();
  if (durability == Durability::Derived) {
    std::shared_lock lock(self->mutex);
    if (self->pending.size() <= self->options.max_pending) co_return written;
  }
  auto waiting = self->durable_at((*written)->revision());
  Status safe = co_await std::move(waiting);
  if (!safe) co_return std::move(safe).error();
  co_return written;
}

Status Store::State::check_size(const Commit& commit) const {
  const std::size_t size = commit.operations.front().value.size();
  if (capabilities.max_value_bytes == 0 || size <= capabilities.max_value_bytes) return {};
  return Error(Code::TooLarge, "the object has " + std::to_string(size) + " bytes, storage takes " +
                                   std::to_string(capabilities.max_value_bytes));
}

Result<ObjectPtr> Store::State::submit(Change change) {
  if (Status fits = check_size(change.commit); !fits) return std::move(fits).error();
  Aftermath after;
  ObjectPtr result;
  {
    std::unique_lock lock(mutex);
    if (Status writable = check_writable(); !writable) return std::move(writable).error();
    Shelf& shelf = shelf_of(change.collection);
    ObjectPtr previous = shelf.table.find(change.key.ns, change.key.name);
    if (change.type == Event::Type::Added && previous)
      return Error(Code::AlreadyExists, change.key.text() + " already exists");
    if (change.type != Event::Type::Added && !previous)
      return Error(Code::NotFound, change.key.text() + " not found");
    if (change.expected.get() != 0 && previous && previous->revision() != change.expected)
      return Error(Code::Conflict, "the object has been modified");

    const Revision next(revision.get() + 1);
    change.commit.expect = next;
    change.commit.guards.push_back(
        {change.commit.operations.front().key, previous ? previous->revision() : Revision()});
    if (change.type == Event::Type::Deleted) {
      result = previous->at_revision(next);
      shelf.table.erase(change.key.ns, change.key.name);
      bytes -= size_of(previous);
    } else {
      result = api::Object::seal(std::move(change.draft), next, parsed);
      shelf.table.put(result);
      bytes += size_of(result) - size_of(previous);
    }
    revision = next;
    const Event event{change.type, shelf.collection, next, result, std::move(previous)};
    shelf.history.push(event, options, after);
    shelf.newest.publish(event, after);
    newest_of_all.publish(event, after);
    pending.push_back({&shelf, event, false, std::nullopt});

    submitter.store(std::this_thread::get_id());
    backend->commit(std::move(change.commit), [self = shared_from_this(), next](Result<CommitResult> answer) {
      self->answered(next, std::move(answer));
    });
    submitter.store(std::thread::id());
  }
  if (change.type != Event::Type::Deleted) parsed->parsed(result);
  after.run();
  apply_answers();
  return result;
}

void Store::State::answered(Revision at, Result<CommitResult> result) {
  const bool inside = submitter.load() == std::this_thread::get_id();
  {
    std::lock_guard lock(answers_mutex);
    answers.emplace_back(at, std::move(result));
    if (inside || apply_posted) return;
    apply_posted = true;
  }
  // One hop, so that the answers of a group are applied together and the backend's thread goes on.
  executor.post([self = shared_from_this()] { self->apply_answers(); });
}

void Store::State::apply_answers() {
  std::vector<std::pair<Revision, Result<CommitResult>>> taken;
  {
    std::lock_guard lock(answers_mutex);
    if (answers.empty()) return;
    taken.swap(answers);
    apply_posted = false;
  }
  Aftermath after;
  std::vector<std::shared_ptr<DurableWaiter>> to_wake;
  {
    std::unique_lock lock(mutex);
    for (auto& [at, result] : taken) apply_answer(at, std::move(result), after);
    if (failing) {
      const bool settled = std::all_of(pending.begin(), pending.end(),
                                       [](const PendingCommit& commit) { return commit.answered; });
      if (settled) roll_back(after);
    }
    to_wake.swap(woken);
  }
  for (const auto& waiter : to_wake) waiter->changed.notify();
  after.run();
}

void Store::State::apply_answer(Revision at, Result<CommitResult> result, Aftermath& after) {
  const std::int64_t index = at.get() - durable.get() - 1;
  ASSERT(index >= 0 && index < static_cast<std::int64_t>(pending.size()));
  PendingCommit& commit = pending[static_cast<std::size_t>(index)];
  commit.answered = true;
  if (!result) {
    commit.refused = std::move(result).error();
  } else if (!result->succeeded) {
    commit.refused = Error(Code::DataLoss, "storage differs from memory; does another process write to it?");
  } else if (result->revision != at) {
    commit.refused = Error(Code::DataLoss, "storage gave revision " + std::to_string(result->revision.get()) +
                                               " to commit " + std::to_string(at.get()));
  }
  if (commit.refused && !failing) {
    failing = true;
    read_only = commit.refused->message();
    kLog.error("storage refused a commit, read-only until it recovers",
               {{"storage", backend->name()}, {"error", commit.refused->message()}, {"revision", at.get()}});
  }
  advance(after);
}

void Store::State::advance(Aftermath& after) {
  const Revision before = durable;
  while (!pending.empty() && pending.front().answered && !pending.front().refused) {
    PendingCommit& commit = pending.front();
    durable = commit.event.revision;
    commit.shelf->durable.publish(commit.event, after);
    durable_of_all.publish(commit.event, after);
    after.garbage.push_back(std::move(commit.event));
    pending.pop_front();
  }
  if (durable == before) return;
  safe.store(durable.get(), std::memory_order_release);
  wake_waiters(durable, std::nullopt);
}

void Store::State::wake_waiters(Revision until, const std::optional<Error>& failed) {
  const auto end = waiters.upper_bound(until);
  for (auto it = waiters.begin(); it != end; ++it) {
    it->second->failed = failed;
    woken.push_back(std::move(it->second));
  }
  waiters.erase(waiters.begin(), end);
}

// Memory goes back to what is durable: newest change first.
void Store::State::roll_back(Aftermath& after) {
  const auto reset = [&](const Audience& audience) {
    for (const FeedPtr& feed : audience.all()) {
      feed->reset(durable);
      after.wakes.push_back(feed);
    }
  };
  for (auto it = pending.rbegin(); it != pending.rend(); ++it) {
    Event& event = it->event;
    bytes += size_of(event.previous);
    if (event.type != Event::Type::Deleted) bytes -= size_of(event.object);
    if (event.previous) {
      it->shelf->table.put(event.previous);
    } else {
      it->shelf->table.erase(event.object->ns(), event.object->name());
    }
    it->shelf->history.roll_back(durable);
    after.garbage.push_back(std::move(event));
  }
  for (const auto& [name, shelf] : shelves) reset(shelf->newest);
  reset(newest_of_all);
  kLog.warn("commits were taken back", {{"count", pending.size()}, {"durable", durable.get()}});
  pending.clear();
  setbacks.fetch_add(1);
  revision = durable;
  failing = false;
  wake_waiters(Revision(INT64_MAX), unavailable());
  scope.spawn(recover());
}

Task<Status> Store::State::durable_at(Revision at) {
  if (at.get() <= safe.load(std::memory_order_acquire)) co_return Status();
  const std::shared_ptr<State> self = shared_from_this();
  const auto waiter = std::make_shared<DurableWaiter>();
  const std::uint64_t seen = waiter->changed.version();
  {
    std::unique_lock lock(self->mutex);
    if (at <= self->durable) co_return Status();
    if (at > self->revision) co_return self->unavailable();  // it was taken back
    self->waiters.emplace(at, waiter);
  }
  auto waiting = waiter->changed.wait_past(seen);
  const bool woken_up = co_await std::move(waiting);
  if (!woken_up) co_return Error(Code::Cancelled, "cancelled while storage was writing");
  std::shared_lock lock(self->mutex);
  if (waiter->failed) co_return *waiter->failed;
  co_return Status();
}

Shelf& Store::State::shelf_of(const Collection& collection) {
  std::unique_ptr<Shelf>& shelf = shelves[collection.get()];
  if (!shelf) shelf = std::make_unique<Shelf>(collection, base);
  return *shelf;
}

const Shelf* Store::State::find_shelf(const Collection& collection) const {
  const auto it = shelves.find(collection.get());
  return it == shelves.end() ? nullptr : it->second.get();
}

Error Store::State::unavailable() const {
  ErrorDetails details;
  details.retry_after_seconds = 1;
  return Error(Code::Unavailable, "storage is read-only: " + read_only.value_or("it is recovering"), details);
}

Status Store::State::check_writable() const {
  if (!open) return Error(Code::Unavailable, "the store is not open");
  if (read_only) return unavailable();
  if (pending.size() >= kMostPending) {
    ErrorDetails details;
    details.retry_after_seconds = 1;
    return Error(Code::Unavailable, "too many writes wait for storage", details);
  }
  return {};
}

ObjectPtr Store::State::take_from_origin(const Collection& collection, std::string_view ns,
                                         std::string_view name) {
  std::string key = collection.get();
  key.append("\n").append(ns).append("\n").append(name);
  std::unique_lock lock(mutex);
  Shelf& shelf = shelf_of(collection);
  if (!asked.insert(std::move(key)).second) return shelf.table.find(ns, name);
  ObjectPtr found = options.origin(collection, ns, name);
  if (!found) return nullptr;
  shelf.table.put(found);
  bytes += size_of(found);
  return found;
}

void Store::State::unsubscribe(const FeedPtr& feed) {
  const bool newest = feed->request().visibility == Visibility::Newest;
  std::unique_lock lock(mutex);
  if (feed->request().collection.get().empty()) {
    (newest ? newest_of_all : durable_of_all).remove(feed.get());
    return;
  }
  const auto it = shelves.find(feed->request().collection.get());
  if (it == shelves.end()) return;
  (newest ? it->second->newest : it->second->durable).remove(feed.get());
}

}  // namespace flotilla::store
