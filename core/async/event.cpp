// SPDX-License-Identifier: Apache-2.0
#include "core/async/event.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <mutex>

namespace flotilla {

namespace asio = boost::asio;
using Timer = asio::steady_timer;

struct Event::State {
  std::mutex mutex;
  std::uint64_t version = 1;
  std::list<std::shared_ptr<Timer>> waiters;
};

namespace {

// Wakes on the waiter's own executor: a timer is not thread-safe.
void wake(const std::shared_ptr<Timer>& timer) {
  asio::post(timer->get_executor(), [timer] { timer->cancel(); });
}

}  // namespace

Event::Event() : state_(std::make_shared<State>()) {}

Event::~Event() {
  notify();
}

std::uint64_t Event::version() const {
  std::lock_guard lock(state_->mutex);
  return state_->version;
}

void Event::notify() {
  std::list<std::shared_ptr<Timer>> waiters;
  {
    std::lock_guard lock(state_->mutex);
    ++state_->version;
    waiters.swap(state_->waiters);
  }
  for (const std::shared_ptr<Timer>& waiter : waiters) wake(waiter);
}

Task<bool> Event::wait_past(std::uint64_t seen) {
  auto waiting = wait_past_for(seen, Duration::max());
  co_return co_await std::move(waiting);
}

Task<bool> Event::wait_past_for(std::uint64_t seen, Duration timeout) {
  const std::shared_ptr<State> state = state_;
  auto timer = std::make_shared<Timer>(co_await asio::this_coro::executor);
  if (timeout == Duration::max()) {
    timer->expires_at(Timer::time_point::max());
  } else {
    timer->expires_after(timeout);
  }
  auto waiting = timer->async_wait(asio::as_tuple(asio::use_awaitable));
  {
    std::lock_guard lock(state->mutex);
    if (state->version > seen) co_return true;
    state->waiters.push_back(timer);
  }
  co_await std::move(waiting);
  std::lock_guard lock(state->mutex);
  state->waiters.remove(timer);
  co_return state->version > seen;
}

}  // namespace flotilla
