// SPDX-License-Identifier: Apache-2.0
// Storage backend "memory": everything in one ordered map, lost when the process ends. For simulated members,
// labs and tests. Operations complete inside the call.
#include <flotilla/sdk/storage.hpp>

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../requests.hpp"

namespace flotilla::plugins::storage {
namespace {

constexpr std::int64_t kHistory = 1000;  // revisions that range still knows

struct Version {
  std::string value;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
};

struct Superseded {
  std::string key;
  Version version;
  std::int64_t until = 0;  // the revision that replaced or deleted it
};

class MemoryEngine {
 public:
  static constexpr sdk::StorageInfo kInfo = {
      .name = "memory",
      .summary = "Keeps everything in memory; nothing survives the process",
      .config_schema = R"({"type":"object","additionalProperties":false})"};

  MemoryEngine(const flt_host_t*, const flt_create_args_t&) {}

  void describe(flt_storage_capabilities_t& out) {
    out.flags = 0;
    out.max_ops_per_commit = limits_.ops;
    out.max_guards = limits_.guards;
    out.max_key_bytes = limits_.key_bytes;
    out.max_value_bytes = limits_.value_bytes;
  }

  void status(const flt_storage_status_request_t&, sdk::Call& call) {
    std::lock_guard lock(mutex_);
    sdk::succeed_status(call, revision_, compacted_, bytes_, "single");
  }

  void range(const flt_storage_range_request_t& request, sdk::Call& call) {
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
        if (old.version.mod_revision <= at && at < old.until && in_range(old.key))
          past[old.key] = &old.version;
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

  void commit(const flt_storage_commit_request_t& request, sdk::Call& call) {
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
    for (const flt_storage_op_t& op : ops_of(request)) apply(op);
    forget(revision_ - kHistory);
    sdk::succeed_commit(call, true, revision_, &kvs);
  }

  // All of it is copied at once: whoever keeps a large fleet takes another backend.
  void save(sdk::SnapshotStream& stream) {
    auto copy = std::make_shared<Copy>();
    {
      std::lock_guard lock(mutex_);
      copy->revision = revision_;
      copy->values.assign(live_.begin(), live_.end());
    }
    copy->stream = std::make_unique<sdk::SnapshotStream>(std::move(stream));
    copy->stream->on_credit(Copy::go_on, new std::shared_ptr<Copy>(copy), Copy::forget);
    copy->push();
  }

  void load(const flt_snapshot_load_request_t& request, sdk::Call& call) {
    std::lock_guard lock(mutex_);
    if ((request.flags & FLT_SNAPSHOT_FIRST) != 0) {
      if (!live_.empty()) throw sdk::Failure(FLT_FAILED_PRECONDITION, "there are keys already", "NotEmpty");
      loaded_.clear();
    }
    for (std::uint64_t i = 0; i < request.n_kvs; ++i) {
      const flt_kv_t& kv = request.kvs[i];
      loaded_.insert_or_assign(
          loaded_.end(), std::string(sdk::view(kv.key)),
          Version{std::string(sdk::view(kv.value)), kv.create_revision, kv.mod_revision});
    }
    if ((request.flags & FLT_SNAPSHOT_LAST) == 0) return call.succeed(nullptr);
    live_.swap(loaded_);
    loaded_.clear();
    history_.clear();
    for (const auto& [key, version] : live_) bytes_ += key.size() + version.value.size();
    revision_ = compacted_ = request.revision;
    call.succeed(nullptr);
  }

  void maintain(const flt_maintenance_request_t& request, sdk::ReportStream& stream) {
    std::size_t keys = 0;
    {
      std::lock_guard lock(mutex_);
      if (request.what == FLT_MAINTENANCE_COMPACT) forget(revision_);
      keys = live_.size();
    }
    sdk::push_report(stream, FLT_MAINTENANCE_FINDING, std::to_string(keys) + " keys in memory");
    stream.end();
  }

  void figures(sdk::Call& call) {
    std::lock_guard lock(mutex_);
    sdk::succeed_figures(call, {{"keys", "Keys that have a value.", static_cast<double>(live_.size())},
                                {"database_bytes", "Bytes of keys and values.", static_cast<double>(bytes_)},
                                {"history_revisions", "Past revisions that are kept.",
                                 static_cast<double>(revision_ - compacted_)},
                                {"read_only", "1: writes are refused.", 0}});
  }

  void compact(const flt_storage_compact_request_t& request, sdk::Call& call) {
    std::lock_guard lock(mutex_);
    if (request.revision > revision_) sdk::refuse_future(request.revision, revision_);
    forget(request.revision);
    sdk::succeed_compact(call, compacted_);
  }

 private:
  void apply(const flt_storage_op_t& op) {
    const auto it = live_.find(sdk::view(op.key));
    std::int64_t create_revision = revision_;
    if (it != live_.end()) {
      if (op.kind == FLT_OP_PUT) create_revision = it->second.create_revision;
      bytes_ -= it->first.size() + it->second.value.size();
      history_.push_back({it->first, std::move(it->second), revision_});
    }
    if (op.kind == FLT_OP_DELETE) {
      if (it != live_.end()) live_.erase(it);
      return;
    }
    Version version{std::string(sdk::view(op.value)), create_revision, revision_};
    bytes_ += op.key.n + version.value.size();
    if (it != live_.end()) {
      it->second = std::move(version);
    } else {
      live_.emplace(sdk::view(op.key), std::move(version));
    }
  }

  void forget(std::int64_t older_than) {
    if (older_than <= compacted_) return;
    compacted_ = older_than;
    while (!history_.empty() && history_.front().until <= compacted_) history_.pop_front();
  }

  // A snapshot on its way.
  struct Copy : std::enable_shared_from_this<Copy> {
    static constexpr std::size_t kAtOnce = 500;
    static void go_on(void* context) { (*static_cast<std::shared_ptr<Copy>*>(context))->push(); }
    static void forget(void* context) { delete static_cast<std::shared_ptr<Copy>*>(context); }

    void push() {
      const auto keep = shared_from_this();
      std::lock_guard lock(mutex);
      for (std::int64_t credit = 1; credit > 0 && stream->raw() != nullptr;) {
        const sdk::Arena arena = stream->begin();
        sdk::KvList kvs(arena);
        for (; next < values.size() && kvs.size() < kAtOnce; ++next) {
          const auto& [key, version] = values[next];
          kvs.add({key, version.value, version.create_revision, version.mod_revision});
        }
        credit = sdk::push_kvs(*stream, arena, kvs.finish(), revision);
        if (credit < 0 || next == values.size()) stream->end();
      }
    }

    std::mutex mutex;
    std::vector<std::pair<std::string, Version>> values;
    std::size_t next = 0;
    std::int64_t revision = 0;
    std::unique_ptr<sdk::SnapshotStream> stream;
  };

  const Limits limits_;
  std::mutex mutex_;
  std::map<std::string, Version, std::less<>> loaded_;  // until all of it is here
  std::map<std::string, Version, std::less<>> live_;
  std::deque<Superseded> history_;  // ascending by until
  std::int64_t revision_ = 1;
  std::int64_t compacted_ = 1;
  std::uint64_t bytes_ = 0;
};

}  // namespace
}  // namespace flotilla::plugins::storage

FLT_PLUGIN((flotilla::sdk::PluginInfo{"io.flotilla.storage.memory", "1.0.0", "Memory storage"}),
           &flotilla::sdk::storage_component<flotilla::plugins::storage::MemoryEngine>)
