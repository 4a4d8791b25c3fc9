// SPDX-License-Identifier: Apache-2.0
#include "core/async/attended.hpp"

#include <boost/asio/this_coro.hpp>
#include <memory>

#include "core/async/event.hpp"
#include "core/async/fiber_scope.hpp"

namespace flotilla {
namespace {

namespace asio = boost::asio;

// On one strand.
struct Ward {
  bool ended = false;
  Event changed;
};

Task<void> carry(std::shared_ptr<Ward> ward, Task<void> work) {
  co_await std::move(work);
  ward->ended = true;
  ward->changed.notify();
}

Task<bool> is_cancelled() {
  const auto state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() != asio::cancellation_type::none;
}

Task<bool> no() {
  co_return false;
}

}  // namespace

Task<bool> run_attended(Task<void> work, Duration patience, std::function<Task<bool>()> go_on) {
  // Nothing may leave this frame while the work runs.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  const AnyExecutor executor = co_await asio::this_coro::executor;
  auto ward = std::make_shared<Ward>();
  FiberScope scope(executor, "attended");
  scope.spawn(carry(ward, std::move(work)));
  for (;;) {
    const std::uint64_t seen = ward->changed.version();
    if (ward->ended) break;
    auto waiting = ward->changed.wait_past_for(seen, patience);
    if (co_await std::move(waiting)) continue;
    auto looking = is_cancelled();
    if (co_await std::move(looking)) break;
    auto asking = go_on();
    if (!co_await std::move(asking) && !ward->ended) break;
  }
  scope.cancel();
  auto joining = scope.join();
  co_await std::move(joining);
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return ward->ended;
}

Task<bool> run_within(Task<void> work, Duration limit) {
  return run_attended(std::move(work), limit, no);
}

}  // namespace flotilla
