// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>
#include <tuple>

#include "engine.hpp"

namespace flotilla::plugins::storage {
namespace {

constexpr std::size_t kBatch = 500;  // changes
constexpr std::size_t kBatchBytes = 4u << 20;

}  // namespace

void MemoryEngine::watch(const flt_storage_watch_request_t& request, sdk::EventStream& stream) {
  struct Hook {
    MemoryEngine* engine;
    flt_stream_t* stream;
  };
  std::lock_guard lock(mutex_);
  flt_stream_t* const handle = stream.raw();
  Watch watch{.stream = std::move(stream), .key = std::string(sdk::view(request.key)), .end = {}};
  watch.end = request.end.p == nullptr ? watch.key + '\0' : std::string(sdk::view(request.end));
  watch.previous = (request.flags & FLT_WATCH_PREVIOUS) != 0;
  watch.next = request.start_revision == 0 ? revision_ + 1 : request.start_revision;
  const auto [it, added] = watches_.emplace(handle, std::move(watch));
  if (!tell(it->second)) {
    watches_.erase(it);
    return;
  }
  it->second.stream.on_credit(
      [](void* ctx) {
        auto* hook = static_cast<Hook*>(ctx);
        hook->engine->credit(hook->stream);
      },
      new Hook{this, handle}, [](void* ctx) { delete static_cast<Hook*>(ctx); });
}

void MemoryEngine::watch_progress(flt_stream_t* stream) {
  std::lock_guard lock(mutex_);
  const auto it = watches_.find(stream);
  if (it == watches_.end()) return;
  it->second.progress_due = true;
  if (!it->second.blocked && !tell(it->second)) watches_.erase(it);
}

void MemoryEngine::credit(flt_stream_t* stream) {
  std::lock_guard lock(mutex_);
  const auto it = watches_.find(stream);
  if (it == watches_.end()) return;
  it->second.blocked = false;
  if (!tell(it->second)) watches_.erase(it);
}

void MemoryEngine::tell_all() {
  for (auto it = watches_.begin(); it != watches_.end();)
    it = it->second.blocked || tell(it->second) ? std::next(it) : watches_.erase(it);
}

bool MemoryEngine::tell(Watch& watch) {
  if (watch.stream.closed()) {
    watch.stream.end();
    return false;
  }
  if (watch.next <= compacted_) {
    watch.stream.end(FLT_OUT_OF_RANGE,
                     "revision " + std::to_string(watch.next) + " was compacted; a watch can begin above " +
                         std::to_string(compacted_),
                     "Compacted");
    return false;
  }
  const bool newest_alone = watch.next == revision_ && latest_revision_ == revision_;
  const std::vector<Change> changes = newest_alone ? latest_changes_of(watch) : changes_of(watch);
  std::size_t from = 0;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < changes.size() && !watch.blocked; ++i) {
    const Change& change = changes[i];
    bytes += change.now == nullptr ? 0 : change.now->value.size();
    if (watch.previous && change.before != nullptr) bytes += change.before->value.size();
    const bool last = i + 1 == changes.size();
    if (!last &&
        (changes[i + 1].revision == change.revision || (i + 1 - from < kBatch && bytes < kBatchBytes)))
      continue;
    push(watch, std::span(changes).subspan(from, i + 1 - from), last ? revision_ : change.revision);
    from = i + 1;
    bytes = 0;
  }
  if (watch.blocked) return true;
  watch.next = std::max(watch.next, revision_ + 1);
  if (watch.progress_due) push(watch, {}, watch.next - 1);
  return true;
}

// Of a watch that has heard everything but the newest revision.
std::vector<MemoryEngine::Change> MemoryEngine::latest_changes_of(const Watch& watch) const {
  std::vector<Change> changes;
  for (const std::string& key : latest_) {
    if (key < watch.key || key >= watch.end) continue;
    const auto now = live_.find(key);
    const auto before = std::find_if(history_.rbegin(), history_.rend(), [&](const Superseded& old) {
      return old.until != revision_ || old.key == key;
    });
    const bool replaced = before != history_.rend() && before->until == revision_;
    if (now == live_.end() && !replaced) continue;  // a deletion of what was not there
    changes.push_back(
        {revision_, key, now == live_.end() ? nullptr : &now->second, replaced ? &before->version : nullptr});
  }
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.key < b.key; });
  return changes;
}

std::vector<MemoryEngine::Change> MemoryEngine::changes_of(const Watch& watch) const {
  std::vector<Change> changes;
  if (watch.next > revision_) return changes;
  std::map<std::pair<std::int64_t, std::string_view>, const Version*> replaced;
  const auto first = std::partition_point(history_.begin(), history_.end(),
                                          [&](const Superseded& old) { return old.until < watch.next; });
  for (auto old = first; old != history_.end(); ++old) {
    if (old->key < watch.key || old->key >= watch.end) continue;
    replaced[{old->until, old->key}] = &old->version;
    if (old->version.mod_revision >= watch.next)
      changes.push_back({old->version.mod_revision, old->key, &old->version, nullptr});
    if (old->removed) changes.push_back({old->until, old->key, nullptr, nullptr});
  }
  for (auto it = live_.lower_bound(watch.key); it != live_.end() && it->first < watch.end; ++it)
    if (it->second.mod_revision >= watch.next)
      changes.push_back({it->second.mod_revision, it->first, &it->second, nullptr});
  for (Change& change : changes)
    if (const auto it = replaced.find({change.revision, change.key}); it != replaced.end())
      change.before = it->second;
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    return std::tie(a.revision, a.key) < std::tie(b.revision, b.key);
  });
  return changes;
}

void MemoryEngine::push(Watch& watch, std::span<const Change> changes, std::int64_t progress) {
  const sdk::Arena arena = watch.stream.begin();
  const auto events = arena.array<flt_storage_event_t>(changes.size());
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Change& change = changes[i];
    flt_storage_event_t& event = events[i];
    event.kind = change.now == nullptr ? FLT_EVENT_DELETE : FLT_EVENT_PUT;
    if (change.now == nullptr) {
      event.kv = {arena.copy(change.key), {nullptr, 0}, 0, change.revision};
    } else {
      event.kv =
          sdk::copy_kv(arena, {change.key, change.now->value, change.now->create_revision, change.revision});
    }
    if (watch.previous && change.before != nullptr) {
      event.previous = sdk::copy_kv(arena, {change.key, change.before->value, change.before->create_revision,
                                            change.before->mod_revision});
    }
  }
  watch.next = std::max(watch.next, progress + 1);
  watch.progress_due = watch.progress_due && !changes.empty();
  watch.blocked = watch.stream.push(arena, events, progress) == 0;
}

}  // namespace flotilla::plugins::storage
