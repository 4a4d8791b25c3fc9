// SPDX-License-Identifier: Apache-2.0
// The optional interfaces of storage backends (flotilla/abi/ext/storage_snapshot.h, storage_maintenance.h) in
// C++. An engine offers one by having its functions:
//
//   void save(SnapshotStream& stream);                                          //
//   flotilla.storage.snapshot/1 void load(const flt_snapshot_load_request_t& request, Call& call); void
//   maintain(const flt_maintenance_request_t& request, ReportStream& stream);  // .storage.maintenance/1 void
//   figures(Call& call);
#pragma once

#include <flotilla/abi/ext/storage_maintenance.h>
#include <flotilla/abi/ext/storage_snapshot.h>
#include <flotilla/sdk/plugin.hpp>

#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>

namespace flotilla::sdk {
inline namespace sdk_1 {

// A stream of batches of one kind. One that is dropped ends INTERNAL.
template <typename Batch>
class BatchStream {
 public:
  BatchStream(const flt_host_t* host, flt_stream_t* stream) : host_(host), stream_(stream) {}
  BatchStream(BatchStream&& other) noexcept
      : host_(other.host_), stream_(std::exchange(other.stream_, nullptr)) {}
  BatchStream& operator=(BatchStream&& other) noexcept {
    if (this != &other) {
      drop();
      host_ = other.host_;
      stream_ = std::exchange(other.stream_, nullptr);
    }
    return *this;
  }
  BatchStream(const BatchStream&) = delete;
  BatchStream& operator=(const BatchStream&) = delete;
  ~BatchStream() { drop(); }

  flt_stream_t* raw() const { return stream_; }
  const flt_host_t* host() const { return host_; }
  bool closed() const { return host_->stream->closed(stream_) != 0; }
  // The arena of one batch.
  Arena begin() const { return {host_, host_->stream->batch_begin(stream_)}; }
  // Returns the credit left; at 0 wait for on_credit, below 0 the host has closed the stream.
  std::int64_t push(const Arena& arena, Batch batch) {
    auto& kept = arena.make<Batch>();
    kept = batch;
    kept.struct_size = sizeof kept;
    return host_->stream->push(stream_, arena.raw(), &kept);
  }
  void on_credit(void (*fn)(void* ctx), void* ctx, void (*ctx_free)(void* ctx)) const {
    host_->stream->on_credit(stream_, fn, ctx, ctx_free);
  }
  void end() { host_->stream->end(std::exchange(stream_, nullptr), FLT_OK, nullptr); }
  void end(const Failure& failure) {
    flt_stream_t* stream = std::exchange(stream_, nullptr);
    flt_error_t error{};
    error.struct_size = sizeof error;
    error.arena = host_->stream->arena(stream);
    fill_error(host_, &error, failure.code(), failure.what(), failure.reason());
    host_->stream->end(stream, failure.code(), &error);
  }

 private:
  void drop() {
    if (stream_ != nullptr) end(Failure(FLT_INTERNAL, "the plugin lost this stream"));
  }

  const flt_host_t* host_;
  flt_stream_t* stream_;
};
using SnapshotStream = BatchStream<flt_snapshot_batch_t>;
using ReportStream = BatchStream<flt_maintenance_report_t>;

inline std::int64_t push_kvs(SnapshotStream& stream, const Arena& arena, std::span<const flt_kv_t> kvs,
                             std::int64_t revision) {
  return stream.push(arena, {0, 0, kvs.data(), kvs.size(), revision});
}
inline std::int64_t push_report(ReportStream& stream, std::int32_t kind, std::string_view text,
                                std::uint64_t done = 0, std::uint64_t total = 0) {
  const Arena arena = stream.begin();
  return stream.push(arena, {0, kind, done, total, arena.copy(text)});
}

struct Figure {
  std::string_view name, help;
  double value;
};
inline void succeed_figures(Call& call, std::initializer_list<Figure> figures) {
  const Arena arena = call.arena();
  const auto list = arena.array<flt_storage_figure_t>(figures.size());
  std::size_t i = 0;
  for (const Figure& figure : figures)
    list[i++] = {arena.copy(figure.name), arena.copy(figure.help), figure.value};
  auto& out = arena.make<flt_storage_figures_t>();
  out = {sizeof out, 0, list.data(), list.size()};
  call.succeed(&out);
}

// The tables of the interfaces that `Engine` has. `Trampolines` finds it: of(self), run(self, call, work).
template <typename Engine, typename Trampolines>
struct StorageExtras {
  static constexpr bool kSnapshots =
      requires(Engine& engine, SnapshotStream& stream) { engine.save(stream); };
  static constexpr bool kMaintains =
      requires(Engine& engine, ReportStream& stream, const flt_maintenance_request_t& request) {
        engine.maintain(request, stream);
      };

  template <typename Stream, typename Work>
  static void stream(Stream owned, Work&& work) noexcept {
    try {
      work(owned);
    } catch (const Failure& failure) {
      if (owned.raw() != nullptr) owned.end(failure);
    } catch (const std::exception& unexpected) {
      if (owned.raw() != nullptr) owned.end(Failure(FLT_INTERNAL, unexpected.what()));
    } catch (...) {
      if (owned.raw() != nullptr) owned.end(Failure(FLT_INTERNAL, "unknown exception"));
    }
  }
  static void save(void* self, const flt_snapshot_save_request_t*, flt_stream_t* raw) noexcept {
    if constexpr (kSnapshots) {
      stream(SnapshotStream(Trampolines::of(self).host, raw),
             [&](SnapshotStream& owned) { Trampolines::of(self).engine.save(owned); });
    }
  }
  static void load(void* self, const flt_snapshot_load_request_t* request, flt_call_t* call) noexcept {
    if constexpr (kSnapshots)
      Trampolines::run(self, call, [&](Engine& engine, Call& owned) { engine.load(*request, owned); });
  }
  static void maintain(void* self, const flt_maintenance_request_t* request, flt_stream_t* raw) noexcept {
    if constexpr (kMaintains) {
      stream(ReportStream(Trampolines::of(self).host, raw),
             [&](ReportStream& owned) { Trampolines::of(self).engine.maintain(*request, owned); });
    }
  }
  static void figures(void* self, flt_call_t* call) noexcept {
    if constexpr (kMaintains)
      Trampolines::run(self, call, [](Engine& engine, Call& owned) { engine.figures(owned); });
  }

  static constexpr flt_snapshot_ops_t kSnapshotOps = {sizeof(flt_snapshot_ops_t), 0, save, load};
  static constexpr flt_maintenance_ops_t kMaintenanceOps = {sizeof(flt_maintenance_ops_t), 0, maintain,
                                                            figures};

  static const void* query(void*, flt_str_t id) noexcept {
    if (kSnapshots && view(id) == FLT_STORAGE_SNAPSHOT) return &kSnapshotOps;
    if (kMaintains && view(id) == FLT_STORAGE_MAINTENANCE) return &kMaintenanceOps;
    return nullptr;
  }
};

}  // namespace sdk_1
}  // namespace flotilla::sdk
