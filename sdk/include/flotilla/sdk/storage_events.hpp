// SPDX-License-Identifier: Apache-2.0
// The stream of a storage watch.
#pragma once

#include <flotilla/abi/storage.h>
#include <flotilla/sdk/plugin.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace flotilla::sdk {
inline namespace sdk_1 {

// The events of a watch, pushed batch by batch. One that is dropped ends INTERNAL.
class EventStream {
 public:
  EventStream(const flt_host_t* host, flt_stream_t* stream) : host_(host), stream_(stream) {}
  EventStream(EventStream&& other) noexcept
      : host_(other.host_), stream_(std::exchange(other.stream_, nullptr)) {}
  EventStream& operator=(EventStream&& other) noexcept {
    if (this != &other) {
      drop();
      host_ = other.host_;
      stream_ = std::exchange(other.stream_, nullptr);
    }
    return *this;
  }
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;
  ~EventStream() { drop(); }

  flt_stream_t* raw() const { return stream_; }
  bool closed() const { return host_->stream->closed(stream_) != 0; }
  // The arena for one batch; fill `events` in it.
  Arena begin() const { return {host_, host_->stream->batch_begin(stream_)}; }
  // Returns the credit left; at 0 wait for on_credit, below 0 the host has closed the stream.
  std::int64_t push(const Arena& arena, std::span<const flt_storage_event_t> events, std::int64_t progress) {
    auto& batch = arena.make<flt_storage_events_t>();
    batch = {sizeof batch, 0, events.data(), events.size(), progress};
    return host_->stream->push(stream_, arena.raw(), &batch);
  }
  void on_credit(void (*fn)(void* ctx), void* ctx, void (*ctx_free)(void* ctx)) const {
    host_->stream->on_credit(stream_, fn, ctx, ctx_free);
  }
  void end(flt_status_t status = FLT_OK, std::string_view message = {}, std::string_view reason = {}) {
    flt_stream_t* stream = std::exchange(stream_, nullptr);
    if (status == FLT_OK) return host_->stream->end(stream, FLT_OK, nullptr);
    flt_error_t error{};
    error.struct_size = sizeof error;
    error.arena = host_->stream->arena(stream);
    fill_error(host_, &error, status, message, reason);
    host_->stream->end(stream, status, &error);
  }

 private:
  void drop() {
    if (stream_ != nullptr) end(FLT_INTERNAL, "the plugin lost this stream");
  }

  const flt_host_t* host_;
  flt_stream_t* stream_;
};

}  // namespace sdk_1
}  // namespace flotilla::sdk
