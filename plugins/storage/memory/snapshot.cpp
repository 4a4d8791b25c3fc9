// SPDX-License-Identifier: Apache-2.0
// All of it at once, and figures.
#include <string>
#include <utility>

#include "engine.hpp"

namespace flotilla::plugins::storage {

// On its way; shared with what the host calls when there is room again.
struct MemoryEngine::Copy : std::enable_shared_from_this<MemoryEngine::Copy> {
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

// Copied as a whole: whoever keeps a large fleet takes another backend.
void MemoryEngine::save(sdk::SnapshotStream& stream) {
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

void MemoryEngine::load(const flt_snapshot_load_request_t& request, sdk::Call& call) {
  std::lock_guard lock(mutex_);
  if ((request.flags & FLT_SNAPSHOT_FIRST) != 0) {
    if (!live_.empty()) throw sdk::Failure(FLT_FAILED_PRECONDITION, "there are keys already", "NotEmpty");
    loaded_.clear();
  }
  for (std::uint64_t i = 0; i < request.n_kvs; ++i) {
    const flt_kv_t& kv = request.kvs[i];
    loaded_.insert_or_assign(loaded_.end(), std::string(sdk::view(kv.key)),
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

void MemoryEngine::maintain(const flt_maintenance_request_t& request, sdk::ReportStream& stream) {
  std::size_t keys = 0;
  {
    std::lock_guard lock(mutex_);
    if (request.what == FLT_MAINTENANCE_COMPACT) forget(revision_);
    keys = live_.size();
  }
  sdk::push_report(stream, FLT_MAINTENANCE_FINDING, std::to_string(keys) + " keys in memory");
  stream.end();
}

void MemoryEngine::figures(sdk::Call& call) {
  std::lock_guard lock(mutex_);
  sdk::succeed_figures(call, {{"keys", "Keys that have a value.", static_cast<double>(live_.size())},
                              {"database_bytes", "Bytes of keys and values.", static_cast<double>(bytes_)},
                              {"history_revisions", "Past revisions that are kept.",
                               static_cast<double>(revision_ - compacted_)},
                              {"read_only", "1: writes are refused.", 0}});
}

}  // namespace flotilla::plugins::storage
