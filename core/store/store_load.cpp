// SPDX-License-Identifier: Apache-2.0
// Filling memory from the backend: at start, and when a recovered backend has something else than expected.
#include <algorithm>

#include "core/async/together.hpp"
#include "core/base/log.hpp"
#include "core/store/store_state.hpp"

namespace flotilla::store {
namespace {

const Logger kLog("store");

constexpr std::uint64_t kPage = 5'000;

struct Page {
  std::optional<Result<StorageBackend::Range>> range;  // empty: never asked
};

Task<void> fetch(StorageBackend& backend, std::string from, Revision at, Page& into) {
  auto ranging = backend.range(std::move(from), std::string(kRootEnd), at, kPage);
  into.range = co_await std::move(ranging);
}

}  // namespace

// "/registry/apps/deployments/ns/name" of an object ns/name is in "apps/deployments".
std::string_view collection_in(std::string_view key, const ObjectKey& object) {
  const auto drop = [&](std::string_view last) {
    if (key.size() <= last.size() || !key.ends_with(last)) return false;
    key.remove_suffix(last.size());
    if (key.back() != '/') return false;
    key.remove_suffix(1);
    return true;
  };
  if (object.name.empty() || !drop(object.name)) return {};
  if (!object.ns.empty() && !drop(object.ns)) return {};
  if (key.size() <= kRoot.size()) return {};
  return key.substr(kRoot.size());
}

// The backend reads the next page while this one is understood.
Task<Result<Revision>> Store::State::load(Shelves& into) {
  Page page;
  auto first = fetch(*backend, std::string(kRoot), Revision(), page);
  co_await std::move(first);
  for (;;) {
    if (!page.range) co_return Error(Code::Cancelled, "cancelled");
    if (!*page.range) co_return std::move(*page.range).error();
    const StorageBackend::Range& range = **page.range;
    const bool more = range.more && !range.values.empty();
    Page next;
    Status taken;
    std::vector<Task<void>> both;
    if (more) both.push_back(fetch(*backend, range.values.back().key + '\0', range.revision, next));
    both.push_back(take_page(range, into, taken));
    auto working = run_together(std::move(both), 2);
    co_await std::move(working);
    if (!taken) co_return std::move(taken).error();
    if (!more) co_return range.revision;
    page = std::move(next);
  }
}

Task<void> Store::State::take_page(const StorageBackend::Range& range, Shelves& into, Status& taken) {
  for (const KeyValue& kv : range.values) {
    Result<ObjectPtr> object = api::Object::load(kv.value, kv.mod_revision, parsed);
    if (!object) {
      taken = std::move(object).context(kv.key);
      co_return;
    }
    const std::string_view collection = collection_in(kv.key, (*object)->key());
    if (collection.empty()) {
      taken = Error(Code::DataLoss, kv.key + ": holds another object, " + (*object)->key().text());
      co_return;
    }
    std::unique_ptr<Shelf>& shelf = into[std::string(collection)];
    if (!shelf) shelf = std::make_unique<Shelf>(Collection(std::string(collection)), range.revision);
    shelf->table.put(*std::move(object));
  }
}

Task<Status> Store::State::reload() {
  const std::shared_ptr<State> self = shared_from_this();
  Shelves loaded;
  auto loading = self->load(loaded);
  Result<Revision> at = co_await std::move(loading);
  if (!at) co_return std::move(at).error();
  std::vector<ObjectPtr> all;
  std::size_t total = 0;
  for (const auto& [name, shelf] : loaded) {
    shelf->table.copy({}, nullptr, 0, all);
    for (const ObjectPtr& object : all) total += object->bytes().size();
    all.clear();
  }
  Aftermath after;
  {
    std::unique_lock lock(self->mutex);
    self->base = self->revision = self->durable = *at;
    self->setbacks.fetch_add(1);
    self->safe.store(at->get(), std::memory_order_release);
    self->bytes = total;
    const auto inform = [&](Audience& newest, Audience& durable) {
      for (const FeedPtr& feed : newest.all()) feed->reset(*at), after.wakes.push_back(feed);
      for (const FeedPtr& feed : durable.all()) {
        feed->end(Error(Code::Gone, "storage was loaded again; list again"));
        after.wakes.push_back(feed);
      }
    };
    inform(self->newest_of_all, self->durable_of_all);
    for (auto& [name, shelf] : self->shelves) {
      inform(shelf->newest, shelf->durable);
      shelf->history.clear(*at);
      ObjectTable table;
      if (const auto it = loaded.find(name); it != loaded.end()) {
        table = std::move(it->second->table);
        loaded.erase(it);
      }
      std::swap(shelf->table, table);
    }
    self->shelves.merge(loaded);
  }
  after.run();
  co_return Status();
}

// Runs while the store is read-only: asks the backend until it can write again.
Task<void> Store::State::recover() {
  const std::shared_ptr<State> self = shared_from_this();
  Duration pause = std::chrono::milliseconds(100);
  for (;;) {
    auto sleeping = sleep_for(pause);
    if (!co_await std::move(sleeping)) co_return;
    pause = std::min<Duration>(pause * 2, std::chrono::seconds(5));
    auto asking = self->backend->status(false);
    const Result<BackendStatus> status = co_await std::move(asking);
    if (!status || status->read_only) continue;
    Revision expected;
    {
      std::shared_lock lock(self->mutex);
      expected = self->durable;
    }
    if (!self->capabilities.shared && status->revision != expected) {
      // Some of what it refused was written after all, or somebody else wrote.
      auto loading = self->reload();
      const Status loaded = co_await std::move(loading);
      if (!loaded) {
        kLog.error("storage could not be loaded again", {{"error", loaded.error().message()}});
        continue;
      }
    }
    kLog.info("storage takes writes again", {{"revision", status->revision.get()}});
    std::unique_lock lock(self->mutex);
    self->read_only.reset();
    co_return;
  }
}

}  // namespace flotilla::store
