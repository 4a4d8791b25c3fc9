// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/test_stream.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sdk/conformance/test_arena.hpp"

namespace fc = flotilla::conformance;

struct flt_stream : std::enable_shared_from_this<flt_stream> {
  struct Hook {
    void (*fn)(void*);
    void* ctx;
    void (*free)(void*);
  };
  struct Pushed {
    const void* data;
    std::shared_ptr<flt_arena> memory;
    std::int64_t cost;
  };

  fc::TestHost* host = nullptr;
  std::function<std::int64_t(const void*)> cost;
  std::mutex mutex;  // all below
  std::condition_variable changed;
  std::int64_t credit = 0;
  bool told = false;  // on_credit was called since a push returned 0
  int telling = 0;    // is being called
  bool closed = false;
  bool ended = false;
  fc::Answer ending;
  flt_arena error_arena;
  std::unordered_map<flt_arena_t*, std::shared_ptr<flt_arena>> open;
  std::deque<Pushed> batches;
  std::vector<Hook> hooks;
};

namespace flotilla::conformance {
namespace {

constexpr auto kEndPatience = std::chrono::seconds(20);

// With the mutex held. Hooks run on the host's thread, in order with their frees.
void tell(flt_stream& stream) {
  for (const flt_stream::Hook& hook : stream.hooks) {
    stream.host->executor().post([self = stream.shared_from_this(), hook] {
      {
        std::lock_guard lock(self->mutex);
        if (self->ended) return;
        self->told = true;
        ++self->telling;
      }
      hook.fn(hook.ctx);
      std::lock_guard lock(self->mutex);
      --self->telling;
    });
  }
}

flt_arena_t* batch_begin(flt_stream_t* stream) {
  std::lock_guard lock(stream->mutex);
  auto arena = std::make_shared<flt_arena>();
  flt_arena_t* raw = arena.get();
  stream->open.emplace(raw, std::move(arena));
  return raw;
}

std::int64_t push(flt_stream_t* stream, flt_arena_t* arena, const void* batch) {
  std::lock_guard lock(stream->mutex);
  const auto it = stream->open.find(arena);
  if (it == stream->open.end()) {
    stream->host->fault("a batch was pushed twice, or was never begun");
    return -1;
  }
  if (stream->ended) stream->host->fault("a batch was pushed after the end of its stream");
  // A call of on_credit may be late, so what is pushed on it is accepted.
  if (!stream->closed && stream->credit <= 0 && !stream->told && stream->telling == 0)
    stream->host->fault("a batch was pushed without credit");
  auto memory = std::move(it->second);
  stream->open.erase(it);
  if (stream->closed || stream->ended) return -1;
  const std::int64_t cost = stream->cost(batch);
  stream->credit -= cost;
  stream->batches.push_back({batch, std::move(memory), cost});
  stream->changed.notify_all();
  if (stream->credit <= 0) stream->told = false;
  return std::max<std::int64_t>(stream->credit, 0);
}

void on_credit(flt_stream_t* stream, void (*fn)(void*), void* ctx, void (*ctx_free)(void*)) {
  std::lock_guard lock(stream->mutex);
  stream->hooks.push_back({fn, ctx, ctx_free});
  if (stream->credit > 0 || stream->closed) tell(*stream);
}

flt_arena_t* error_arena(flt_stream_t* stream) {
  return &stream->error_arena;
}

std::int32_t is_closed(flt_stream_t* stream) {
  std::lock_guard lock(stream->mutex);
  return stream->closed ? 1 : 0;
}

void end(flt_stream_t* stream, flt_status_t status, const flt_error_t* error) {
  std::lock_guard lock(stream->mutex);
  if (std::exchange(stream->ended, true)) return stream->host->fault("a stream was ended twice");
  stream->ending.status = status;
  if (error != nullptr) {
    stream->ending.reason = text_of(error->reason);
    stream->ending.message = text_of(error->message);
  }
  if (status != FLT_OK && stream->ending.message.empty())
    stream->host->fault("the error that ends a stream has no message");
  for (const flt_stream::Hook& hook : stream->hooks) {
    if (hook.free != nullptr) stream->host->executor().post([hook] { hook.free(hook.ctx); });
  }
  stream->changed.notify_all();
}

}  // namespace

TestStream::TestStream(TestHost& host, std::int64_t credit, std::function<std::int64_t(const void*)> cost)
    : stream_(std::make_shared<flt_stream>()) {
  stream_->host = &host;
  stream_->cost = std::move(cost);
  stream_->credit = credit;
  host.keep(stream_);
}

TestStream::~TestStream() {
  close();
  if (!wait_for_end(kEndPatience)) stream_->host->fault("a closed stream was not ended by the plugin");
}

std::optional<TestStream::Batch> TestStream::next(std::chrono::milliseconds patience) {
  std::unique_lock lock(stream_->mutex);
  stream_->changed.wait_for(lock, patience, [this] { return !stream_->batches.empty() || stream_->ended; });
  if (stream_->batches.empty()) return std::nullopt;
  flt_stream::Pushed batch = std::move(stream_->batches.front());
  stream_->batches.pop_front();
  const bool was_empty = stream_->credit <= 0;
  stream_->credit += batch.cost;
  if (was_empty && stream_->credit > 0 && !stream_->ended) tell(*stream_);
  return Batch{batch.data, std::move(batch.memory)};
}

std::optional<Answer> TestStream::ended() const {
  std::lock_guard lock(stream_->mutex);
  if (!stream_->ended || !stream_->batches.empty()) return std::nullopt;
  return stream_->ending;
}

void TestStream::close() {
  std::lock_guard lock(stream_->mutex);
  if (std::exchange(stream_->closed, true) || stream_->ended) return;
  tell(*stream_);
}

bool TestStream::wait_for_end(std::chrono::milliseconds patience) {
  std::unique_lock lock(stream_->mutex);
  return stream_->changed.wait_for(lock, patience, [this] { return stream_->ended; });
}

const flt_host_stream_t& TestStream::functions() {
  static constexpr flt_host_stream_t kTable{
      sizeof(flt_host_stream_t), 0, batch_begin, push, on_credit, error_arena, is_closed, end};
  return kTable;
}

}  // namespace flotilla::conformance
