// SPDX-License-Identifier: Apache-2.0
// Calls: asynchronous operations of plugins (FLT-CALL). A call has two owners, the plugin until it completes
// and the daemon until it has its answer; each lets go on its own.
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <utility>

#include "core/plugin/host_services.hpp"
#include "core/plugin/host_state.hpp"

namespace flp = flotilla::plugin;

struct flt_call {
  std::shared_ptr<flp::HostServices> host;
  flp::ArenaRef arena;
  std::int64_t deadline_ns = 0;
  std::string trace;
  std::atomic<bool> cancelled{false};

  std::mutex mutex;  // all below
  std::shared_ptr<flt_call> held_by_plugin;
  bool completed = false;
  bool answered_by_host = false;
  flp::Completion completion;
  std::function<void(flp::Completion)> done;  // null: a fiber waits on `event`
  std::vector<flp::Hook> on_cancel;
  flotilla::Event event;
};

namespace flotilla::plugin {
namespace {

void free_hooks(const Executor& executor, std::vector<Hook> hooks, bool run) {
  for (const Hook& hook : hooks) {
    // The context goes with the posted function, also when the executor stops before it ran.
    std::shared_ptr<void> owned;
    if (hook.free != nullptr) owned = std::shared_ptr<void>(hook.ctx, hook.free);
    executor.post([hook, run, owned = std::move(owned)] {
      if (run) hook.fn(hook.ctx);
    });
  }
}

// Only enqueues: the plugin may hold its locks.
void complete(flt_call_t* call, flt_status_t status, const void* result, const flt_error_t* error) noexcept {
  if (call == nullptr) return;
  std::shared_ptr<flt_call> keep;
  std::vector<Hook> hooks;
  std::function<void(Completion)> done;
  Completion completion;
  HostServices::State& host = call->host->state();
  {
    std::lock_guard lock(call->mutex);
    if (call->completed) {
      host.misbehaved("completed a call twice");
      return;
    }
    call->completed = true;
    keep = std::move(call->held_by_plugin);
    hooks = std::move(call->on_cancel);
    completion.status = status;
    if (status == FLT_OK) {
      completion.result = result;
    } else {
      completion.error = host.error_from(status, error, completion);
    }
    completion.arena = std::move(call->arena);
    if (call->answered_by_host) --host.orphans;
    done = std::move(call->done);
    if (!done && !call->answered_by_host) call->completion = std::move(completion);
  }
  --host.in_flight;
  free_hooks(host.executor, std::move(hooks), false);
  // Before anybody learns of the end: who waits for it may end the environment.
  const std::shared_ptr<void> alive = keep;
  call->host->environment().retire(std::move(keep));
  if (done) {
    host.executor.post([done = std::move(done), completion = std::move(completion),
                        owner = call->host]() mutable { done(std::move(completion)); });
  } else {
    call->event.notify();
  }
}

flt_arena_t* arena_of(flt_call_t* call) noexcept {
  return call->arena.get();
}

std::int64_t deadline_of(flt_call_t* call) noexcept {
  return call->deadline_ns;
}

flt_str_t trace_of(flt_call_t* call) noexcept {
  if (call->trace.empty()) return {nullptr, 0};
  return {call->trace.data(), call->trace.size()};
}

std::int32_t is_cancelled(flt_call_t* call) noexcept {
  return call->cancelled.load(std::memory_order_relaxed) ? 1 : 0;
}

void add_cancel_hook(flt_call_t* call, void (*fn)(void* ctx), void* ctx,
                     void (*ctx_free)(void* ctx)) noexcept {
  if (fn == nullptr) return;
  std::vector<Hook> now;
  {
    std::lock_guard lock(call->mutex);
    auto& list = call->cancelled || call->completed ? now : call->on_cancel;
    list.push_back({fn, ctx, ctx_free});
  }
  free_hooks(call->host->state().executor, std::move(now), !call->completed);
}

std::shared_ptr<flt_call> begin(std::shared_ptr<HostServices> host, const CallOptions& options) {
  auto call = std::make_shared<flt_call>();
  if (options.timeout != Duration::max()) {
    const SteadyTime due = host->environment().executor().clock().steady_now() +
                           std::chrono::duration_cast<SteadyTime::duration>(options.timeout);
    call->deadline_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(due.time_since_epoch()).count();
  }
  call->arena = make_arena(options.arena_limit);
  call->trace = options.trace;
  call->held_by_plugin = call;
  call->host = std::move(host);
  ++call->host->state().in_flight;
  return call;
}

void start(const std::shared_ptr<flt_call>& call, Op op, bool control) {
  auto work = [call, op = std::move(op)] {
    try {
      op(call.get());
    } catch (...) {
      call->host->state().misbehaved("threw an exception out of an operation");
      complete(call.get(), FLT_INTERNAL, nullptr, nullptr);
    }
  };
  HostServices::State& host = call->host->state();
  control ? host.executor.post_blocking(std::move(work)) : host.run_operation(std::move(work));
}

// The daemon goes on without the plugin's answer.
Completion give_up(flt_call& call, flt_status_t status, std::string message) {
  std::vector<Hook> hooks;
  {
    std::lock_guard lock(call.mutex);
    if (call.completed) return std::move(call.completion);
    call.answered_by_host = true;
    call.cancelled = true;
    hooks = std::move(call.on_cancel);
    call.on_cancel.clear();
    ++call.host->state().orphans;
  }
  free_hooks(call.host->state().executor, std::move(hooks), true);
  Completion completion;
  completion.status = status;
  completion.error = Error(code_of(status), std::move(message));
  return completion;
}

}  // namespace

Task<Completion> HostServices::call(Op op, CallOptions options) {
  const std::shared_ptr<flt_call> call = begin(shared_from_this(), options);
  const std::uint64_t before = call->event.version();
  start(call, std::move(op), options.control);
  const Duration most =
      options.timeout == Duration::max() ? options.timeout : options.timeout + options.grace;
  auto waiting = call->event.wait_past_for(before, most);
  if (co_await std::move(waiting)) {
    std::lock_guard lock(call->mutex);
    co_return std::move(call->completion);
  }
  const auto cancellation = co_await boost::asio::this_coro::cancellation_state;
  if (cancellation.cancelled() != boost::asio::cancellation_type::none) {
    co_return give_up(*call, FLT_CANCELLED, "cancelled");
  }
  co_return give_up(*call, FLT_DEADLINE_EXCEEDED,
                    state_->owner + " did not answer within " + format_duration(options.timeout));
}

void HostServices::call(Op op, CallOptions options, std::function<void(Completion)> done) {
  const std::shared_ptr<flt_call> call = begin(shared_from_this(), options);
  call->done = std::move(done);
  start(call, std::move(op), options.control);
}

const flt_host_call_t& call_functions() {
  static constexpr flt_host_call_t kTable{
      sizeof(flt_host_call_t), 0, complete, arena_of, deadline_of, trace_of, is_cancelled, add_cancel_hook};
  return kTable;
}

}  // namespace flotilla::plugin
