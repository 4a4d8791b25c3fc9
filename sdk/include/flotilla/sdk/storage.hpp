// SPDX-License-Identifier: Apache-2.0
// Storage backends in C++. A backend is a class:
//
//   class Engine {
//    public:
//     static constexpr flotilla::sdk::StorageInfo kInfo = {.name = "memory", .summary = "Keeps all in
//     memory"}; Engine(const flt_host_t* host, const flt_create_args_t& args);              // no I/O; throws
//     Failure void start(flotilla::sdk::Call& call);                                      // optional void
//     stop(std::int64_t deadline_ns, flotilla::sdk::Call& call);             // optional; join threads void
//     health();                                                              // optional; throws Failure void
//     describe(flt_storage_capabilities_t& out); void status(const flt_storage_status_request_t& request,
//     flotilla::sdk::Call& call); void range(const flt_storage_range_request_t& request, flotilla::sdk::Call&
//     call); void commit(const flt_storage_commit_request_t& request, flotilla::sdk::Call& call); void
//     compact(const flt_storage_compact_request_t& request, flotilla::sdk::Call& call); void watch(const
//     flt_storage_watch_request_t& request, flotilla::sdk::EventStream& stream);  // optional void
//     watch_progress(flt_stream_t* stream);                                                  // with watch
//   };
//   FLT_PLUGIN((flotilla::sdk::PluginInfo{...}), &flotilla::sdk::storage_component<Engine>)
//
// storage_extras.hpp has what else it may offer. A call or stream that outlives its function is moved away.
// Every function may throw: its call then completes with the error, unless it was moved away.
#pragma once

#include <flotilla/abi/storage.h>
#include <flotilla/sdk/plugin.hpp>
#include <flotilla/sdk/storage_events.hpp>
#include <flotilla/sdk/storage_extras.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flotilla::sdk {
inline namespace sdk_1 {

struct StorageInfo {
  const char* name;
  const char* summary;
  const char* config_schema = nullptr;
  std::uint32_t exec = FLT_EXEC_ASYNC;
};

// A key with its value as plain C++ for engines; what kvs of results are copied from.
struct StoredValue {
  std::string_view key;
  std::string_view value;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
};

inline flt_kv_t copy_kv(const Arena& arena, const StoredValue& kv, bool with_value = true) {
  return {arena.copy(kv.key), with_value ? arena.copy_bytes(kv.value) : flt_bytes_t{nullptr, 0},
          kv.create_revision, kv.mod_revision};
}

// Collects the answer of a range or the kvs of a commit in the call's arena.
class KvList {
 public:
  explicit KvList(Arena arena) : arena_(arena) {}

  void add(const StoredValue& kv, bool with_value = true) { kvs_.push_back(copy_kv(arena_, kv, with_value)); }
  std::size_t size() const { return kvs_.size(); }
  std::span<const flt_kv_t> finish() const {
    const auto out = arena_.array<flt_kv_t>(kvs_.size());
    if (!kvs_.empty()) std::memcpy(out.data(), kvs_.data(), kvs_.size() * sizeof(flt_kv_t));
    return out;
  }

 private:
  Arena arena_;
  std::vector<flt_kv_t> kvs_;
};

inline void succeed_status(Call& call, std::int64_t revision, std::int64_t compacted, std::uint64_t bytes,
                           std::string_view role, std::string_view read_only_because = {}) {
  const Arena arena = call.arena();
  auto& out = arena.make<flt_storage_status_t>();
  out.struct_size = sizeof out;
  out.flags = read_only_because.empty() ? 0 : FLT_STATUS_READ_ONLY;
  out.revision = revision;
  out.compacted = compacted;
  out.bytes = bytes;
  out.role = arena.copy(role);
  out.alarm = arena.copy(read_only_because);
  call.succeed(&out);
}

inline void succeed_range(Call& call, const KvList& kvs, bool more, std::uint64_t count,
                          std::int64_t revision) {
  auto& out = call.arena().make<flt_storage_range_t>();
  const auto list = kvs.finish();
  out = {sizeof out, more ? 1u : 0u, list.data(), list.size(), count, revision};
  call.succeed(&out);
}

inline void succeed_commit(Call& call, bool succeeded, std::int64_t revision, const KvList* kvs = nullptr) {
  auto& out = call.arena().make<flt_storage_commit_t>();
  out.struct_size = sizeof out;
  out.succeeded = succeeded ? 1 : 0;
  out.revision = revision;
  if (kvs != nullptr) {
    const auto list = kvs->finish();
    out.kvs = list.data();
    out.n_kvs = list.size();
  }
  call.succeed(&out);
}

inline void succeed_compact(Call& call, std::int64_t compacted) {
  auto& out = call.arena().make<flt_storage_compact_t>();
  out = {sizeof out, 0, compacted};
  call.succeed(&out);
}

[[noreturn]] inline void refuse_compacted(std::int64_t revision, std::int64_t compacted) {
  throw Failure(FLT_OUT_OF_RANGE,
                "revision " + std::to_string(revision) + " was compacted; the oldest known is " +
                    std::to_string(compacted),
                "Compacted");
}
[[noreturn]] inline void refuse_future(std::int64_t revision, std::int64_t newest) {
  throw Failure(
      FLT_OUT_OF_RANGE,
      "revision " + std::to_string(revision) + " does not exist yet; the newest is " + std::to_string(newest),
      "FutureRevision");
}

template <typename Engine>
struct StorageTrampolines {
  struct Instance {
    Instance(const flt_host_t* used, const flt_create_args_t& args) : host(used), engine(used, args) {}
    const flt_host_t* host;
    Engine engine;
  };
  static Instance& of(void* self) { return *static_cast<Instance*>(self); }

  static flt_status_t create(const flt_host_t* host, const flt_create_args_t* args, void** self,
                             flt_error_t* err) noexcept {
    return guarded(host, err, [&] { *self = new Instance(host, *args); });
  }
  static void destroy(void* self) noexcept { delete static_cast<Instance*>(self); }

  // `work(engine, call)`; what it throws completes the call, if it still is there.
  template <typename Work>
  static void run(void* self, flt_call_t* raw, Work work) noexcept {
    Instance& instance = of(self);
    Call call(instance.host, raw);
    call.run([&](Call& owned) { work(instance.engine, owned); });
  }

  static void start(void* self, flt_call_t* call) noexcept {
    run(self, call, [](Engine& engine, Call& owned) {
      if constexpr (requires { engine.start(owned); }) {
        engine.start(owned);
      } else {
        owned.succeed(nullptr);
      }
    });
  }
  static void stop(void* self, std::int64_t deadline_ns, flt_call_t* call) noexcept {
    run(self, call, [&](Engine& engine, Call& owned) {
      if constexpr (requires { engine.stop(deadline_ns, owned); }) {
        engine.stop(deadline_ns, owned);
      } else {
        owned.succeed(nullptr);
      }
    });
  }
  static flt_status_t health(void* self, flt_error_t* err) noexcept {
    return guarded(of(self).host, err, [&] {
      if constexpr (requires(Engine& engine) { engine.health(); }) of(self).engine.health();
    });
  }

  static void describe(void* self, flt_storage_capabilities_t* out) noexcept {
    flt_storage_capabilities_t full{};
    full.struct_size = sizeof full;
    of(self).engine.describe(full);
    const std::uint32_t known = out->struct_size < sizeof full ? out->struct_size : sizeof full;
    full.struct_size = known;
    std::memcpy(out, &full, known);
  }
  static void status(void* self, const flt_storage_status_request_t* request, flt_call_t* call) noexcept {
    run(self, call, [&](Engine& engine, Call& owned) { engine.status(*request, owned); });
  }
  static void range(void* self, const flt_storage_range_request_t* request, flt_call_t* call) noexcept {
    run(self, call, [&](Engine& engine, Call& owned) { engine.range(*request, owned); });
  }
  static void commit(void* self, const flt_storage_commit_request_t* request, flt_call_t* call) noexcept {
    run(self, call, [&](Engine& engine, Call& owned) { engine.commit(*request, owned); });
  }
  static void compact(void* self, const flt_storage_compact_request_t* request, flt_call_t* call) noexcept {
    run(self, call, [&](Engine& engine, Call& owned) { engine.compact(*request, owned); });
  }
  static void watch(void* self, const flt_storage_watch_request_t* request, flt_stream_t* raw) noexcept {
    Instance& instance = of(self);
    EventStream stream(instance.host, raw);
    try {
      if constexpr (requires { instance.engine.watch(*request, stream); })
        instance.engine.watch(*request, stream);
    } catch (const Failure& failure) {
      if (stream.raw() != nullptr) stream.end(failure.code(), failure.what(), failure.reason());
    } catch (...) {
      if (stream.raw() != nullptr) stream.end(FLT_INTERNAL, "unknown exception");
    }
  }
  static void watch_progress(void* self, flt_stream_t* stream) noexcept {
    if constexpr (requires { of(self).engine.watch_progress(stream); }) {
      try {
        of(self).engine.watch_progress(stream);
      } catch (...) {
        Log(of(self).host).write(FLT_LOG_ERROR, "a watch's progress could not be told");
      }
    }
  }

  static constexpr bool kWatches =
      requires(Engine& engine, flt_stream_t* stream) { engine.watch_progress(stream); };
};

template <typename Engine>
inline constexpr flt_storage_ops_t storage_ops = {
    sizeof(flt_storage_ops_t),
    0,
    StorageTrampolines<Engine>::describe,
    StorageTrampolines<Engine>::status,
    StorageTrampolines<Engine>::range,
    StorageTrampolines<Engine>::commit,
    StorageTrampolines<Engine>::kWatches ? StorageTrampolines<Engine>::watch : nullptr,
    StorageTrampolines<Engine>::kWatches ? StorageTrampolines<Engine>::watch_progress : nullptr,
    StorageTrampolines<Engine>::compact};

template <typename Engine>
inline constexpr flt_component_t storage_component = {
    sizeof(flt_component_t),
    Engine::kInfo.exec,
    0,
    FLT_KIND_STORAGE,
    Engine::kInfo.name,
    Engine::kInfo.summary,
    Engine::kInfo.config_schema,
    &storage_ops<Engine>,
    StorageTrampolines<Engine>::create,
    StorageTrampolines<Engine>::destroy,
    StorageTrampolines<Engine>::start,
    nullptr,
    StorageTrampolines<Engine>::health,
    StorageTrampolines<Engine>::stop,
    StorageExtras<Engine, StorageTrampolines<Engine>>::query};

}  // namespace sdk_1
}  // namespace flotilla::sdk
