// SPDX-License-Identifier: Apache-2.0
// Streams: batches from a plugin with explicit credit (FLT-STREAM). Like a call, a stream has two owners: the
// plugin until end(), the reader until its Stream is gone.
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <deque>
#include <unordered_map>
#include <utility>

#include "core/plugin/host_services.hpp"
#include "core/plugin/host_state.hpp"

namespace flp = flotilla::plugin;

struct flt_stream {
  std::shared_ptr<flp::HostServices> host;
  flp::Stream::Options options;
  flotilla::Event event;  // a batch came, or the end

  std::mutex mutex;  // all below
  std::shared_ptr<flt_stream> held_by_plugin;
  flp::ArenaRef error_arena;
  std::unordered_map<flt_arena_t*, flp::ArenaRef> open;             // begun, not pushed
  std::deque<std::pair<flp::Stream::Batch, std::int64_t>> batches;  // with their cost
  std::vector<flp::Hook> on_credit;
  std::int64_t credit = 0;
  bool closed = false;  // by the reader
  bool ended = false;   // by the plugin
  flp::Completion ending;
};

namespace flotilla::plugin {
namespace {

// Not inline: on_credit functions are the plugin's. They stay registered until the end.
void tell_credit(const std::shared_ptr<flt_stream>& stream, const std::vector<Hook>& hooks) {
  for (const Hook& hook : hooks) {
    stream->host->state().executor.post([stream, hook] {
      {
        std::lock_guard lock(stream->mutex);
        if (stream->ended) return;
      }
      hook.fn(hook.ctx);
    });
  }
}

flt_arena_t* batch_begin(flt_stream_t* stream) noexcept {
  std::lock_guard lock(stream->mutex);
  if (stream->ended) return nullptr;
  ArenaRef arena = make_arena(stream->options.arena_limit);
  flt_arena_t* raw = arena.get();
  stream->open.emplace(raw, std::move(arena));
  return raw;
}

std::int64_t push(flt_stream_t* stream, flt_arena_t* arena, const void* batch) noexcept {
  const std::int64_t cost = stream->options.cost == nullptr ? 1 : stream->options.cost(batch);
  std::int64_t left = 0;
  ArenaRef kept;
  {
    std::lock_guard lock(stream->mutex);
    const auto it = stream->open.find(arena);
    if (stream->ended || it == stream->open.end()) {
      stream->host->state().misbehaved("pushed a batch after the end of its stream, or twice");
      return -1;
    }
    kept = std::move(it->second);
    stream->open.erase(it);
    if (stream->closed) return -1;
    stream->batches.emplace_back(Stream::Batch{batch, std::move(kept)}, cost);
    stream->credit -= cost;
    left = std::max<std::int64_t>(stream->credit, 0);
  }
  stream->event.notify();
  return left;
}

void add_credit_hook(flt_stream_t* stream, void (*fn)(void* ctx), void* ctx,
                     void (*ctx_free)(void* ctx)) noexcept {
  if (fn == nullptr) return;
  std::lock_guard lock(stream->mutex);
  if (stream->ended) return;
  stream->on_credit.push_back({fn, ctx, ctx_free});
  if (stream->credit > 0 || stream->closed) tell_credit(stream->held_by_plugin, {stream->on_credit.back()});
}

flt_arena_t* error_arena(flt_stream_t* stream) noexcept {
  std::lock_guard lock(stream->mutex);
  if (!stream->error_arena) stream->error_arena = make_arena(1u << 20);
  return stream->error_arena.get();
}

std::int32_t is_closed(flt_stream_t* stream) noexcept {
  std::lock_guard lock(stream->mutex);
  return stream->closed ? 1 : 0;
}

// The stream is dead to the plugin: its contexts are freed, what it pushed can still be read.
std::shared_ptr<flt_stream> finish(flt_stream& stream, flt_status_t status, const flt_error_t* error) {
  HostServices::State& host = stream.host->state();
  std::shared_ptr<flt_stream> keep;
  std::vector<Hook> hooks;
  std::unordered_map<flt_arena_t*, ArenaRef> open;
  ArenaRef error_arena;
  {
    std::lock_guard lock(stream.mutex);
    if (stream.ended) {
      host.misbehaved("ended a stream twice");
      return nullptr;
    }
    stream.ended = true;
    stream.ending.status = status;
    if (status != FLT_OK) stream.ending.error = host.error_from(status, error, stream.ending);
    open.swap(stream.open);
    error_arena.swap(stream.error_arena);
    hooks = std::move(stream.on_credit);
    keep = std::move(stream.held_by_plugin);
  }
  for (const Hook& hook : hooks) {
    if (hook.free == nullptr) continue;
    // Freed with the posted function, also when the executor stops before it ran.
    std::shared_ptr<void> owned(hook.ctx, hook.free);
    host.executor.post([owned = std::move(owned)] {});
  }
  return keep;
}

void end(flt_stream_t* stream, flt_status_t status, const flt_error_t* error) noexcept {
  auto keep = finish(*stream, status, error);
  if (!keep) return;
  stream->event.notify();
  stream->host->environment().retire(std::move(keep));
}

}  // namespace

Stream::Stream(const std::shared_ptr<HostServices>& services, Options options)
    : stream_(std::make_shared<flt_stream>()) {
  stream_->host = services;
  stream_->options = options;
  stream_->credit = options.credit;
  stream_->held_by_plugin = stream_;
}

Stream::~Stream() {
  close();
}

flt_stream_t* Stream::handle() const {
  return stream_.get();
}

Task<Result<std::optional<Stream::Batch>>> Stream::next(Duration idle) {
  const std::shared_ptr<flt_stream> stream = stream_;
  for (;;) {
    const std::uint64_t seen = stream->event.version();
    {
      std::lock_guard lock(stream->mutex);
      if (!stream->batches.empty()) {
        auto [batch, cost] = std::move(stream->batches.front());
        stream->batches.pop_front();
        const bool was_empty = stream->credit <= 0;
        stream->credit += cost;
        if (was_empty && stream->credit > 0 && !stream->ended) tell_credit(stream, stream->on_credit);
        co_return std::optional<Batch>(std::move(batch));
      }
      if (stream->ended) {
        if (stream->ending.status == FLT_OK) co_return std::optional<Batch>();
        co_return stream->ending.error;
      }
    }
    auto waiting = stream->event.wait_past_for(seen, idle);
    if (co_await std::move(waiting)) continue;
    const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != boost::asio::cancellation_type::none) {
      co_return Error(Code::Cancelled, "cancelled");
    }
    co_return Error(Code::Timeout, stream->host->owner() + " sent nothing for " + format_duration(idle));
  }
}

void Stream::close() {
  std::vector<Hook> hooks;
  std::deque<std::pair<Batch, std::int64_t>> unread;  // freed after the lock: arenas may call into the plugin
  {
    std::lock_guard lock(stream_->mutex);
    if (stream_->closed) return;
    stream_->closed = true;
    unread.swap(stream_->batches);
    hooks = stream_->on_credit;
    if (stream_->ended) return;
  }
  tell_credit(stream_, hooks);
}

void Stream::abandon() {
  auto keep = finish(*stream_, FLT_CANCELLED, nullptr);
  if (keep) stream_->host->environment().retire(std::move(keep));
}

const flt_host_stream_t& stream_functions() {
  static constexpr flt_host_stream_t kTable{sizeof(flt_host_stream_t), 0,           batch_begin, push,
                                            add_credit_hook,           error_arena, is_closed,   end};
  return kTable;
}

}  // namespace flotilla::plugin
