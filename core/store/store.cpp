// SPDX-License-Identifier: Apache-2.0
#include "core/store/store.hpp"

#include <algorithm>

#include "core/base/log.hpp"
#include "core/store/store_state.hpp"

namespace flotilla::store {
namespace {

constexpr std::string_view kSideRoot = "/side/";

std::string storage_key(const Collection& collection, const ObjectKey& key) {
  std::string text;
  text.reserve(kRoot.size() + collection.get().size() + key.ns.size() + key.name.size() + 2);
  text += kRoot;
  text += collection.get();
  text += '/';
  if (!key.ns.empty()) {
    text += key.ns;
    text += '/';
  }
  text += key.name;
  return text;
}

void add_beside(Commit& commit, SideValues beside) {
  for (SideValue& side : beside)
    commit.operations.push_back({std::string(kSideRoot) + side.key, std::move(side.value), side.remove});
}

Change change_of(Event::Type type, Collection collection, Json object, Revision expected) {
  Change change;
  change.type = type;
  change.expected = expected;
  change.draft = api::Object::draft(std::move(object));
  change.key = change.draft.object->key();
  change.commit.operations.push_back(
      {storage_key(collection, change.key), change.draft.object->stored_bytes(), false});
  change.collection = std::move(collection);
  return change;
}

}  // namespace

Collection collection_of(std::string_view group, std::string_view resource) {
  std::string text(group);
  if (!text.empty()) text += '/';
  text += resource;
  return Collection(std::move(text));
}

Store::Store(const Executor& executor, std::unique_ptr<StorageBackend> backend, StoreOptions options)
    : state_(std::make_shared<State>(executor, std::move(backend), options)) {}

Store::~Store() {
  {
    std::unique_lock lock(state_->mutex);
    state_->open = false;
  }
  state_->scope.cancel();
  state_->scope.join_blocking();
}

Task<Status> Store::open() {
  const std::shared_ptr<State> state = state_;
  auto starting = state->backend->start();
  Status started = co_await std::move(starting);
  if (!started) co_return std::move(started).context("open storage " + state->backend->name());
  state->capabilities = state->backend->capabilities();
  auto loading = state->reload();
  Status loaded = co_await std::move(loading);
  if (!loaded) co_return std::move(loaded).context("load from storage " + state->backend->name());
  {
    std::unique_lock lock(state->mutex);
    state->open = true;
  }
  if (state->capabilities.shared) state->scope.spawn(state->follow());
  co_return Status();
}

Task<void> Store::close() {
  const std::shared_ptr<State> state = state_;
  Revision last;
  {
    std::unique_lock lock(state->mutex);
    if (!state->open) co_return;
    state->open = false;
    last = state->revision;
  }
  auto settling = state->durable_at(last);
  const Status settled = co_await std::move(settling);
  if (!settled) Logger("store").error("commits were lost at close", {{"error", settled.error().message()}});
  Aftermath after;
  {
    std::unique_lock lock(state->mutex);
    const auto end = [&](const Audience& audience) {
      for (const FeedPtr& feed : audience.all()) {
        feed->end(Error(Code::Cancelled, "the store is closing"));
        after.wakes.push_back(feed);
      }
    };
    end(state->newest_of_all);
    end(state->durable_of_all);
    for (const auto& [name, shelf] : state->shelves) {
      end(shelf->newest);
      end(shelf->durable);
    }
  }
  after.run();
  state->scope.cancel();
  auto joining = state->scope.join();
  co_await std::move(joining);
  auto stopping = state->backend->stop();
  co_await std::move(stopping);
}

ObjectPtr Store::get(const Collection& collection, std::string_view ns, std::string_view name) const {
  {
    std::shared_lock lock(state_->mutex);
    const Shelf* shelf = state_->find_shelf(collection);
    ObjectPtr found = shelf == nullptr ? nullptr : shelf->table.find(ns, name);
    if (found || !state_->options.origin) return found;
  }
  return state_->take_from_origin(collection, ns, name);
}

Snapshot Store::list(const Collection& collection, std::string_view ns) const {
  return list_page(collection, ns, nullptr, 0);
}

Snapshot Store::list_page(const Collection& collection, std::string_view ns, const ObjectKey* after,
                          std::size_t limit) const {
  Snapshot snapshot;
  std::shared_lock lock(state_->mutex);
  snapshot.revision = state_->revision;
  if (const Shelf* shelf = state_->find_shelf(collection))
    shelf->table.copy(ns, after, limit, snapshot.objects);
  return snapshot;
}

std::size_t Store::count(const Collection& collection) const {
  std::shared_lock lock(state_->mutex);
  const Shelf* shelf = state_->find_shelf(collection);
  return shelf == nullptr ? 0 : shelf->table.size();
}

std::vector<Collection> Store::collections() const {
  std::vector<Collection> all;
  {
    std::shared_lock lock(state_->mutex);
    for (const auto& [name, shelf] : state_->shelves)
      if (shelf->table.size() > 0) all.push_back(shelf->collection);
  }
  std::sort(all.begin(), all.end());
  return all;
}

Revision Store::revision() const {
  std::shared_lock lock(state_->mutex);
  return state_->revision;
}

Revision Store::durable_revision() const {
  std::shared_lock lock(state_->mutex);
  return state_->durable;
}

Revision Store::compacted_revision(const Collection& collection) const {
  std::shared_lock lock(state_->mutex);
  const Shelf* shelf = state_->find_shelf(collection);
  return shelf == nullptr ? state_->base : shelf->history.compacted();
}

Task<Status> Store::durable(Revision revision) {
  return state_->durable_at(revision);
}

bool Store::shared() const {
  return state_->capabilities.shared;
}

Task<Status> Store::fresh() {
  return state_->fresh();
}

void Store::fence(std::string key, Revision revision, std::function<void()> lost) {
  std::unique_lock lock(state_->mutex);
  state_->fence = Guard{std::string(kSideRoot) + key, revision};
  state_->fenced_off = std::move(lost);
}

Task<Result<ObjectPtr>> Store::create(Collection collection, Json object, Durability durability,
                                      SideValues beside) {
  Change change = change_of(Event::Type::Added, std::move(collection), std::move(object), Revision());
  add_beside(change.commit, std::move(beside));
  return state_->write(std::move(change), durability);
}

Task<Result<ObjectPtr>> Store::update(Collection collection, Json object, Revision expected,
                                      Durability durability, SideValues beside) {
  Change change = change_of(Event::Type::Modified, std::move(collection), std::move(object), expected);
  add_beside(change.commit, std::move(beside));
  return state_->write(std::move(change), durability);
}

Task<Result<ObjectPtr>> Store::remove(Collection collection, ObjectKey key, Revision expected,
                                      Durability durability) {
  Change change;
  change.type = Event::Type::Deleted;
  change.expected = expected;
  change.commit.operations.push_back({storage_key(collection, key), {}, true});
  if (state_->options.belonging) {
    const ObjectPtr last = get(collection, key.ns, key.name);
    if (last) add_beside(change.commit, state_->options.belonging(collection, last));
  }
  change.key = std::move(key);
  change.collection = std::move(collection);
  return state_->write(std::move(change), durability);
}

Task<Result<SideValues>> Store::side_values(std::string prefix) const {
  constexpr std::uint64_t kPage = 1'000;
  const std::shared_ptr<State> state = state_;
  std::string from = std::string(kSideRoot) + prefix;
  // The first key behind all of them: prefixes end in '/' or a digit.
  std::string end = from;
  ++end.back();
  SideValues found;
  Revision at;
  for (;;) {
    auto ranging = state->backend->range(from, end, at, kPage);
    Result<StorageBackend::Range> range = co_await std::move(ranging);
    if (!range) co_return std::move(range).error();
    at = range->revision;
    for (KeyValue& kv : range->values)
      found.push_back({kv.key.substr(kSideRoot.size()), std::move(kv.value), false, kv.mod_revision});
    if (!range->more || range->values.empty()) co_return found;
    from = range->values.back().key + '\0';
  }
}

Task<Result<Revision>> Store::compact(Revision revision) {
  return state_->backend->compact(revision);
}

std::uint64_t Store::setbacks() const {
  return state_->setbacks.load();
}

Result<std::unique_ptr<Subscription>> Store::watch(const WatchRequest& request) {
  State& state = *state_;
  const bool everything = request.collection.get().empty();
  const bool newest = request.visibility == Visibility::Newest;
  std::unique_lock lock(state.mutex);
  if (!state.open) return Error(Code::Cancelled, "the store is closing");
  const Revision until = newest ? state.revision : state.durable;
  std::vector<Event> backlog;
  const auto collect = [&](const Shelf& shelf) {
    if (request.after < shelf.history.compacted()) return false;
    shelf.history.copy(request.ns, request.after, until, backlog);
    return true;
  };
  bool kept = request.after >= state.base;
  if (everything) {
    for (const auto& [name, shelf] : state.shelves) kept = kept && collect(*shelf);
    std::sort(backlog.begin(), backlog.end(),
              [](const Event& a, const Event& b) { return a.revision < b.revision; });
  } else {
    kept = kept && collect(state.shelf_of(request.collection));
  }
  if (!kept) {
    return Error(Code::Gone, "too old resource version: " + std::to_string(request.after.get()) + " (" +
                                 std::to_string(until.get()) + ")");
  }
  auto feed = std::make_shared<Feed>(request, std::move(backlog));
  Audience& audience = everything ? (newest ? state.newest_of_all : state.durable_of_all)
                       : newest   ? state.shelf_of(request.collection).newest
                                  : state.shelf_of(request.collection).durable;
  audience.add(feed);
  return std::unique_ptr<Subscription>(std::make_unique<Watch>(state_, std::move(feed)));
}

StoreStats Store::stats() const {
  StoreStats stats;
  std::shared_lock lock(state_->mutex);
  stats.bytes = state_->bytes;
  stats.watchers = state_->newest_of_all.size() + state_->durable_of_all.size();
  for (const auto& [name, shelf] : state_->shelves) {
    stats.objects += shelf->table.size();
    stats.watchers += shelf->newest.size() + shelf->durable.size();
  }
  stats.pending_commits = state_->pending.size();
  stats.heard = !state_->capabilities.shared || state_->watching != nullptr;
  stats.read_only = state_->read_only.has_value();
  stats.read_only_reason = state_->read_only.value_or(std::string());
  return stats;
}

Watch::Watch(std::shared_ptr<Store::State> state, FeedPtr feed)
    : state_(std::move(state)), feed_(std::move(feed)) {}

Watch::~Watch() {
  state_->unsubscribe(feed_);
}

Task<Result<std::vector<Event>>> Watch::next() {
  return feed_->next(Duration::max());
}

Task<Result<std::vector<Event>>> Watch::next_for(Duration timeout) {
  return feed_->next(timeout);
}

Revision Watch::progress() const {
  std::shared_lock lock(state_->mutex);
  return feed_->progress(feed_->request().visibility == Visibility::Newest ? state_->revision
                                                                           : state_->durable);
}

}  // namespace flotilla::store
