// SPDX-License-Identifier: Apache-2.0
#include "core/async/executor.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>
#include <vector>

namespace flotilla {

namespace asio = boost::asio;

struct Executor::State {
  explicit State(const ExecutorOptions& options)
      : context(options.io_threads),
        guard(asio::make_work_guard(context)),
        blocking(static_cast<std::size_t>(options.blocking_threads)) {
    for (int i = 0; i < options.io_threads; ++i) threads.emplace_back([this] { context.run(); });
  }

  asio::io_context context;
  asio::executor_work_guard<asio::io_context::executor_type> guard;
  asio::thread_pool blocking;
  std::vector<std::thread> threads;
};

Executor::Executor(const Clock& clock, ExecutorOptions options)
    : clock_(clock), state_(std::make_unique<State>(options)) {}

Executor::~Executor() {
  stop();
}

AnyExecutor Executor::io() const {
  return state_->context.get_executor();
}
AnyExecutor Executor::strand() const {
  return asio::make_strand(state_->context);
}
void Executor::post(std::function<void()> work) const {
  asio::post(state_->context, std::move(work));
}
void Executor::post_blocking(std::function<void()> work) const {
  asio::post(state_->blocking, std::move(work));
}

void Executor::stop() {
  state_->guard.reset();
  state_->context.stop();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
  state_->blocking.stop();
  state_->blocking.join();
}

Task<bool> sleep_for(Duration delay) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(delay);
  auto waiting = timer.async_wait(asio::as_tuple(asio::use_awaitable));
  const auto [error] = co_await std::move(waiting);
  co_return !error;
}

Task<void> resume_on(AnyExecutor executor) {
  auto hop = asio::post(executor, asio::use_awaitable);
  co_await std::move(hop);
}

Task<void> run_blocking(const Executor& executor, std::function<void()> work) {
  // A timer that never fires is the event: it wakes the caller on its own executor.
  auto own = co_await asio::this_coro::executor;
  auto done = std::make_shared<asio::steady_timer>(own, asio::steady_timer::time_point::max());
  auto finished = std::make_shared<std::atomic<bool>>(false);
  executor.post_blocking([work = std::move(work), done, finished, own] {
    work();
    finished->store(true, std::memory_order_release);
    asio::post(own, [done] { done->cancel(); });
  });
  while (!finished->load(std::memory_order_acquire)) {
    auto waiting = done->async_wait(asio::as_tuple(asio::use_awaitable));
    co_await std::move(waiting);
  }
}

}  // namespace flotilla
