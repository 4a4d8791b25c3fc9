// SPDX-License-Identifier: Apache-2.0
#include "core/agent/mirror.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "core/async/executor.hpp"
#include "core/base/log.hpp"
#include "core/store/metadata_rules.hpp"

namespace flotilla::agent {
namespace {

const Logger kLog("mirror");
constexpr std::string_view kRemoteVersion = "remoteResourceVersion";  // in metadata
constexpr Duration kFirstRetry = std::chrono::milliseconds(200);
constexpr Duration kLastRetry = std::chrono::seconds(10);
constexpr Duration kWithoutRights = std::chrono::minutes(1);

// Versions are numbers in every API server that there is; what is none is taken for newer.
std::int64_t number_of(std::string_view version) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number);
  return error == std::errc() && end == version.data() + version.size() ? number : INT64_MAX;
}

std::string_view own_version(const Json& object) {
  return object["metadata"]["resourceVersion"].as_string();
}

}  // namespace

struct Mirror::Line {
  Followed what;
  store::Collection collection;
  Gate gate{1};                          // one change of the collection at a time
  std::atomic<std::int64_t> newest = 0;  // version that list and watch have come to
  std::atomic<bool> listed = false;
};

std::string_view remote_version(const Json& object) {
  return object["metadata"][kRemoteVersion].as_string();
}

Json for_remote(Json object) {
  const std::string version(remote_version(object));
  Json& metadata = object["metadata"];
  metadata.erase(kRemoteVersion);
  if (version.empty()) {
    metadata.erase("resourceVersion");
  } else {
    metadata.set("resourceVersion", version);
  }
  return object;
}

Mirror::Mirror(const Executor& executor, RemoteApi& remote, store::Store& store)
    : executor_(executor), remote_(remote), store_(store), scope_(executor.strand(), "mirror") {}

Mirror::~Mirror() {
  stop();
}

void Mirror::follow(Followed what) {
  auto line = std::make_unique<Line>();
  line->collection = what.kind.collection();
  line->what = std::move(what);
  lines_.push_back(std::move(line));
}

void Mirror::start() {
  for (const auto& line : lines_) scope_.spawn_on(executor_.strand(), run(line.get()));
}

void Mirror::stop() {
  scope_.cancel();
  scope_.join_blocking();
}

Mirror::Line* Mirror::find(const store::Collection& collection) const {
  for (const auto& line : lines_) {
    if (line->collection == collection) return line.get();
  }
  return nullptr;
}

bool Mirror::synced() const {
  return std::ranges::all_of(lines_, [](const auto& line) { return line->listed.load(); });
}

Task<bool> Mirror::wait_synced(Duration timeout) {
  const std::uint64_t seen = changed_.version();
  if (synced()) co_return true;
  auto waiting = changed_.wait_past_for(seen, timeout);
  co_await std::move(waiting);
  co_return synced();
}

Task<void> Mirror::run(Line* line) {
  Duration delay = kFirstRetry;
  for (;;) {
    bool progress = false;
    auto following = list_and_watch(line, &progress);
    const Status ended = co_await std::move(following);
    if (scope_.cancelled() || ended.error().is(Code::Cancelled)) co_return;
    if (progress) delay = kFirstRetry;
    const bool forbidden = line->what.optional && ended.error().is(Code::Forbidden);
    if (forbidden && !line->listed.exchange(true)) changed_.notify();
    if (ended.error().is(Code::Gone) && progress) continue;
    kLog.debug("not followed for now", {{"resource", line->what.kind.resource},
                                        {"error", ended.error().message()},
                                        {"in", format_duration(delay)}});
    auto sleeping = sleep_for(forbidden ? kWithoutRights : delay);
    if (!co_await std::move(sleeping)) co_return;
    delay = std::min(delay * 2, kLastRetry);
  }
}

// Never ends in order. `progress`: something was heard, so there is no reason to wait.
Task<Status> Mirror::list_and_watch(Line* line, bool* progress) {
  const std::string target = path_of(line->what.kind, line->what.ns);
  auto listing = remote_.list(target, line->what.field_selector);
  auto listed = co_await std::move(listing);
  if (!listed) co_return std::move(listed).error();
  std::string version = listed->version;
  auto replacing = replace(line, *std::move(listed));
  Status replaced = co_await std::move(replacing);
  if (!replaced) co_return replaced;
  if (!line->listed.exchange(true)) changed_.notify();
  for (;;) {
    auto opening = remote_.watch(target, line->what.field_selector, version);
    auto watch = co_await std::move(opening);
    if (!watch) co_return std::move(watch).error();
    bool silent = true;
    for (;;) {
      auto waiting = (*watch)->next();
      auto events = co_await std::move(waiting);
      if (!events) co_return std::move(events).error();
      if (events->empty()) break;  // ended in order: on from the last version
      silent = false;
      *progress = true;
      for (RemoteEvent& event : *events) {
        if (const auto seen = own_version(event.object); !seen.empty()) version = seen;
        auto applying = apply(line, std::move(event));
        Status applied = co_await std::move(applying);
        if (!applied) co_return applied;
      }
    }
    if (!silent) continue;
    // Who ends every watch at once is not asked in a tight loop.
    auto sleeping = sleep_for(kFirstRetry);
    if (!co_await std::move(sleeping)) co_return Error(Code::Cancelled, "cancelled");
  }
}

// What is here and not in the list is gone, unless it is newer than the list.
Task<Status> Mirror::replace(Line* line, RemoteList list) {
  auto entering = line->gate.enter();
  const Gate::Pass pass = co_await std::move(entering);
  if (!pass) co_return Error(Code::Cancelled, "cancelled");
  const std::int64_t at = number_of(list.version);
  line->newest = std::max(line->newest.load(), at);
  std::set<api::ObjectKey> present;
  for (Json& object : list.objects) {
    present.insert(api::key_of(object));
    auto putting = put(line, std::move(object));
    const auto put_down = co_await std::move(putting);
    if (!put_down) co_return put_down.error();
  }
  for (const api::ObjectPtr& known : store_.list(line->collection, line->what.ns).objects) {
    if (present.contains(known->key()) || number_of(remote_version(*known->content())) > at) continue;
    auto forgetting = forget(line, known->key());
    Status forgotten = co_await std::move(forgetting);
    if (!forgotten) co_return forgotten;
  }
  co_return Status();
}

Task<Status> Mirror::apply(Line* line, RemoteEvent event) {
  auto entering = line->gate.enter();
  const Gate::Pass pass = co_await std::move(entering);
  if (!pass) co_return Error(Code::Cancelled, "cancelled");
  const std::int64_t at = number_of(own_version(event.object));
  if (at != INT64_MAX) line->newest = std::max(line->newest.load(), at);
  if (event.type == RemoteEvent::Type::Bookmark) co_return Status();
  if (event.type == RemoteEvent::Type::Deleted) {
    auto forgetting = forget(line, api::key_of(event.object));
    co_return co_await std::move(forgetting);
  }
  auto putting = put(line, std::move(event.object));
  const auto put_down = co_await std::move(putting);
  co_return put_down ? Status() : Status(put_down.error());
}

Task<Result<api::ObjectPtr>> Mirror::put(Line* line, Json object) {
  const api::ObjectKey key = api::key_of(object);
  const std::string version(own_version(object));
  api::ObjectPtr known = store_.get(line->collection, key.ns, key.name);
  if (known && known->uid() == api::uid_of(object)) {
    const auto content = known->content();
    if (number_of(version) <= number_of(remote_version(*content)) && number_of(version) != INT64_MAX)
      co_return known;
  } else if (known) {
    auto forgetting = forget(line, key);
    const Status forgotten = co_await std::move(forgetting);
    if (!forgotten) co_return forgotten.error();
    known = nullptr;
  }
  object["metadata"].set(kRemoteVersion, version);
  if (known) {
    auto updating =
        store_.update(line->collection, std::move(object), Revision(), store::Durability::Derived);
    co_return co_await std::move(updating);
  }
  auto creating = store_.create(line->collection, std::move(object), store::Durability::Derived);
  co_return co_await std::move(creating);
}

Task<Status> Mirror::forget(Line* line, api::ObjectKey key) {
  auto removing = store_.remove(line->collection, std::move(key), Revision(), store::Durability::Derived);
  const auto removed = co_await std::move(removing);
  co_return removed || removed.error().is(Code::NotFound) ? Status() : Status(removed.error());
}

Task<Result<api::ObjectPtr>> Mirror::take(StoredKind kind, Json answer) {
  Line* line = find(kind.collection());
  if (line == nullptr) co_return api::Object::make(answer, api::revision_of(answer));
  auto entering = line->gate.enter();
  const Gate::Pass pass = co_await std::move(entering);
  if (!pass) co_return Error(Code::Cancelled, "cancelled");
  const bool released = store::is_released(kind, answer);
  if (released || number_of(own_version(answer)) <= line->newest.load())
    co_return api::Object::make(answer, api::revision_of(answer));
  auto putting = put(line, std::move(answer));
  co_return co_await std::move(putting);
}

Task<Result<api::ObjectPtr>> Mirror::look_again(StoredKind kind, api::ObjectKey key) {
  auto getting = remote_.get(path_of(kind, key.ns, key.name));
  auto there = co_await std::move(getting);
  if (!there) co_return std::move(there).error();
  Line* line = find(kind.collection());
  if (line == nullptr) co_return api::Object::make(*there, api::revision_of(*there));
  auto entering = line->gate.enter();
  const Gate::Pass pass = co_await std::move(entering);
  if (!pass) co_return Error(Code::Cancelled, "cancelled");
  const api::ObjectPtr known = store_.get(line->collection, key.ns, key.name);
  // Gone meanwhile, as the watch has said already.
  if (!known && number_of(own_version(*there)) <= line->newest.load())
    co_return store::not_found_error(kind, key.name);
  auto putting = put(line, *std::move(there));
  co_return co_await std::move(putting);
}

}  // namespace flotilla::agent
