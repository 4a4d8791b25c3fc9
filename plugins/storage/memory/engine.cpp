// SPDX-License-Identifier: Apache-2.0
#include "engine.hpp"

#include <algorithm>
#include <memory>

namespace flotilla::plugins::storage {
namespace {

constexpr std::int64_t kHistory = 1000;  // revisions that range and watch still know

}  // namespace

// What a timer finds of an engine that may be gone.
struct MemoryEngine::Ticker {
  std::mutex mutex;
  MemoryEngine* engine;  // null: gone
};

MemoryEngine::MemoryEngine(const flt_host_t* host, const flt_create_args_t&)
    : host_(host), ticker_(std::make_shared<Ticker>()) {
  ticker_->engine = this;
  limits_.ttl = honours_ttl();
}

MemoryEngine::~MemoryEngine() {
  std::lock_guard gone(ticker_->mutex);
  ticker_->engine = nullptr;
}

void MemoryEngine::stop(std::int64_t, sdk::Call& call) {
  std::lock_guard lock(mutex_);
  for (auto& [handle, watch] : watches_) watch.stream.end(FLT_UNAVAILABLE, "the storage backend stops");
  watches_.clear();
  call.succeed(nullptr);
}

void MemoryEngine::describe(flt_storage_capabilities_t& out) {
  out.flags = honours_ttl() ? FLT_STORAGE_TTL : 0;
  out.max_ops_per_commit = limits_.ops;
  out.max_guards = limits_.guards;
  out.max_key_bytes = limits_.key_bytes;
  out.max_value_bytes = limits_.value_bytes;
}

void MemoryEngine::status(const flt_storage_status_request_t&, sdk::Call& call) {
  std::lock_guard lock(mutex_);
  sdk::succeed_status(call, revision_, compacted_, bytes_, "single");
}

void MemoryEngine::range(const flt_storage_range_request_t& request, sdk::Call& call) {
  std::lock_guard lock(mutex_);
  const std::int64_t at = revision_for(request.revision, revision_, compacted_);
  const std::string_view first = sdk::view(request.key);
  const bool alone = request.end.p == nullptr;
  const auto in_range = [&](std::string_view key) {
    return alone ? key == first : key >= first && key < sdk::view(request.end);
  };
  std::map<std::string_view, const Version*> past;
  if (at != revision_) {
    for (const Superseded& old : history_)
      if (old.version.mod_revision <= at && at < old.until && in_range(old.key)) past[old.key] = &old.version;
  }
  sdk::KvList kvs(call.arena());
  std::uint64_t count = 0;
  bool more = false;
  const auto take = [&](std::string_view key, const Version& version) {
    ++count;
    more = request.limit != 0 && kvs.size() == request.limit;
    if (!more)
      kvs.add({key, version.value, version.create_revision, version.mod_revision},
              (request.flags & FLT_RANGE_KEYS_ONLY) == 0);
    return !more || (request.flags & FLT_RANGE_COUNT) != 0;
  };
  auto live = live_.lower_bound(first);
  auto old = past.begin();
  for (bool go = true; go;) {
    while (live != live_.end() && in_range(live->first) && live->second.mod_revision > at) ++live;
    const bool has_live = live != live_.end() && in_range(live->first);
    if (!has_live && old == past.end()) break;
    if (has_live && (old == past.end() || live->first < old->first)) {
      go = take(live->first, live->second);
      ++live;
    } else {
      go = take(old->first, *old->second);
      ++old;
    }
  }
  sdk::succeed_range(call, kvs, more, count, at);
}

void MemoryEngine::commit(const flt_storage_commit_request_t& request, sdk::Call& call) {
  check_commit(request, limits_);
  std::lock_guard lock(mutex_);
  const std::int64_t next = revision_ + 1;
  bool holds = request.expect_revision == 0 || request.expect_revision == next;
  for (const flt_storage_guard_t& guard : guards_of(request)) {
    const auto it = live_.find(sdk::view(guard.key));
    holds = holds && (it == live_.end() ? 0 : it->second.mod_revision) == guard.mod_revision;
  }
  sdk::KvList kvs(call.arena());
  const auto show = [&](flt_str_t key) {
    if (const auto it = live_.find(sdk::view(key)); it != live_.end())
      kvs.add({it->first, it->second.value, it->second.create_revision, it->second.mod_revision});
  };
  if (!holds) {
    if ((request.flags & FLT_COMMIT_RETURN_CURRENT) != 0)
      for (const flt_storage_guard_t& guard : guards_of(request)) show(guard.key);
    return sdk::succeed_commit(call, false, revision_, &kvs);
  }
  if ((request.flags & FLT_COMMIT_RETURN_PREVIOUS) != 0)
    for (const flt_storage_op_t& op : ops_of(request)) show(op.key);
  revision_ = next;
  latest_.clear();
  latest_revision_ = watches_.empty() ? 0 : revision_;
  for (const flt_storage_op_t& op : ops_of(request)) apply(op);
  forget(revision_ - kHistory);
  tell_all();
  sdk::succeed_commit(call, true, revision_, &kvs);
}

void MemoryEngine::compact(const flt_storage_compact_request_t& request, sdk::Call& call) {
  std::lock_guard lock(mutex_);
  if (request.revision > revision_) sdk::refuse_future(request.revision, revision_);
  forget(request.revision);
  sdk::succeed_compact(call, compacted_);
}

void MemoryEngine::apply(const flt_storage_op_t& op) {
  const std::string_view key = sdk::view(op.key);
  if (!watches_.empty()) latest_.emplace_back(key);
  if (op.kind == FLT_OP_DELETE) return remove(key);
  const auto it = live_.find(key);
  Version version{std::string(sdk::view(op.value)), revision_, revision_};
  if (it == live_.end()) {
    bytes_ += key.size() + version.value.size();
    if (op.ttl_ms != 0) end_later(key, version, op.ttl_ms);
    live_.emplace(key, std::move(version));
    return;
  }
  version.create_revision = it->second.create_revision;
  bytes_ += version.value.size();
  bytes_ -= it->second.value.size();
  if (op.ttl_ms != 0) end_later(key, version, op.ttl_ms);
  history_.push_back({it->first, std::move(it->second), revision_, false});
  it->second = std::move(version);
}

void MemoryEngine::remove(std::string_view key) {
  const auto it = live_.find(key);
  if (it == live_.end()) return;
  bytes_ -= it->first.size() + it->second.value.size();
  history_.push_back({it->first, std::move(it->second), revision_, true});
  live_.erase(it);
}

void MemoryEngine::forget(std::int64_t older_than) {
  if (older_than <= compacted_) return;
  compacted_ = older_than;
  while (!history_.empty() && history_.front().until <= compacted_) history_.pop_front();
}

// ---- time to live ----

void MemoryEngine::end_later(std::string_view key, Version& version, std::int64_t ttl_ms) {
  version.ends = host_->clock->monotonic_ns(host_) + ttl_ms * 1'000'000;
  const auto it = ends_.emplace(version.ends, std::string(key));
  if (it == ends_.begin()) set_timer();
}

// One timer, for the key that ends first.
void MemoryEngine::set_timer() {
  if (ends_.empty()) return;
  const std::int64_t left = ends_.begin()->first - host_->clock->monotonic_ns(host_);
  const std::uint64_t token = ++timer_;
  struct Tick {
    std::shared_ptr<Ticker> ticker;
    std::uint64_t token;
  };
  host_->exec->post_after(
      host_, std::max<std::int64_t>(left, 0),
      [](void* ctx) {
        const std::unique_ptr<Tick> tick(static_cast<Tick*>(ctx));
        std::lock_guard there(tick->ticker->mutex);
        if (tick->ticker->engine == nullptr) return;
        std::lock_guard lock(tick->ticker->engine->mutex_);
        // A later timer was set for an earlier key.
        if (tick->token == tick->ticker->engine->timer_) tick->ticker->engine->end_due();
      },
      new Tick{ticker_, token});
}

// One revision for all whose time is over. A key that was written since has another end.
void MemoryEngine::end_due() {
  const std::int64_t now = host_->clock->monotonic_ns(host_);
  std::vector<std::string> due;
  while (!ends_.empty() && ends_.begin()->first <= now) {
    const auto it = live_.find(ends_.begin()->second);
    if (it != live_.end() && it->second.ends == ends_.begin()->first) due.push_back(it->first);
    ends_.erase(ends_.begin());
  }
  if (!due.empty()) {
    ++revision_;
    for (const std::string& key : due) remove(key);
    latest_ = std::move(due);
    latest_revision_ = revision_;
    forget(revision_ - kHistory);
    tell_all();
  }
  set_timer();
}

}  // namespace flotilla::plugins::storage
