// SPDX-License-Identifier: Apache-2.0
#include "core/async/together.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <memory>

#include "core/async/event.hpp"
#include "core/async/fiber_scope.hpp"

namespace flotilla {
namespace {

namespace asio = boost::asio;

// On one strand.
struct Pieces {
  std::vector<Task<void>> work;
  std::size_t next = 0;
  std::size_t running = 0;
  Event ended;
};

Task<void> take_turns(std::shared_ptr<Pieces> pieces) {
  struct Turn {
    Pieces& pieces;
    ~Turn() {
      --pieces.running;
      pieces.ended.notify();
    }
  } turn{*pieces};
  while (pieces->next < pieces->work.size()) {
    auto piece = std::move(pieces->work[pieces->next++]);
    co_await std::move(piece);
  }
}

}  // namespace

Task<void> run_together(std::vector<Task<void>> work, std::size_t width) {
  // Nothing may leave this frame while pieces run.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  const AnyExecutor executor = co_await asio::this_coro::executor;
  auto pieces = std::make_shared<Pieces>();
  pieces->work = std::move(work);
  pieces->running = std::min(width, pieces->work.size());
  FiberScope scope(executor, "together");
  for (std::size_t i = pieces->running; i > 0; --i) scope.spawn(take_turns(pieces));
  for (;;) {
    const std::uint64_t seen = pieces->ended.version();
    if (pieces->running == 0) break;
    auto waiting = pieces->ended.wait_past(seen);
    if (co_await std::move(waiting)) continue;
    pieces->next = pieces->work.size();
    scope.cancel();
    break;
  }
  auto joining = scope.join();
  co_await std::move(joining);
  co_await asio::this_coro::throw_if_cancelled(throws);
}

}  // namespace flotilla
