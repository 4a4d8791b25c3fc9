// SPDX-License-Identifier: Apache-2.0
#include "core/async/fiber_scope.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <condition_variable>
#include <list>
#include <mutex>

#include "core/async/event.hpp"
#include "core/base/assert.hpp"
#include "core/base/log.hpp"

namespace flotilla {

namespace asio = boost::asio;

namespace {
const Logger kLog("async");
}  // namespace

// A signal must be emitted on the executor its fiber runs on.
struct FiberScope::Fiber {
  AnyExecutor executor;
  asio::cancellation_signal signal;
};

struct FiberScope::State {
  std::string name;
  std::mutex mutex;
  std::condition_variable ended;
  std::list<std::shared_ptr<Fiber>> fibers;
  bool cancelled = false;
  Event empty;

  void finish(std::list<std::shared_ptr<Fiber>>::iterator it, const std::exception_ptr& failure) {
    if (failure) {
      try {
        std::rethrow_exception(failure);
      } catch (const boost::system::system_error& error) {
        // How Asio unwinds a cancelled fiber.
        if (error.code() != asio::error::operation_aborted) {
          kLog.error("fiber ended with an exception", {{"scope", name}, {"error", error.what()}});
        }
      } catch (const std::exception& error) {
        kLog.error("fiber ended with an exception", {{"scope", name}, {"error", error.what()}});
      } catch (...) {
        kLog.error("fiber ended with an exception", {{"scope", name}});
      }
    }
    std::lock_guard lock(mutex);
    fibers.erase(it);
    if (fibers.empty()) {
      ended.notify_all();
      empty.notify();
    }
  }
};

FiberScope::FiberScope(AnyExecutor executor, std::string name)
    : executor_(std::move(executor)), state_(std::make_shared<State>()) {
  state_->name = std::move(name);
}

FiberScope::~FiberScope() {
  ASSERT(running() == 0);
}

bool FiberScope::spawn(Task<void> fiber) {
  return spawn_on(executor_, std::move(fiber));
}

bool FiberScope::spawn_on(AnyExecutor executor, Task<void> fiber) {
  return start(std::move(executor), std::move(fiber)) != nullptr;
}

std::function<void()> FiberScope::spawn_cancellable(AnyExecutor executor, Task<void> fiber) {
  const std::shared_ptr<Fiber> started = start(std::move(executor), std::move(fiber));
  if (!started) return {};
  return [weak = std::weak_ptr<Fiber>(started)] {
    const auto running = weak.lock();
    if (!running) return;
    asio::post(running->executor, [running] { running->signal.emit(asio::cancellation_type::terminal); });
  };
}

std::shared_ptr<FiberScope::Fiber> FiberScope::start(AnyExecutor executor, Task<void> fiber) {
  auto entry = std::make_shared<Fiber>();
  entry->executor = executor;
  std::list<std::shared_ptr<Fiber>>::iterator it;
  {
    std::lock_guard lock(state_->mutex);
    if (state_->cancelled) return nullptr;
    it = state_->fibers.insert(state_->fibers.end(), entry);
  }
  asio::co_spawn(executor, std::move(fiber),
                 asio::bind_cancellation_slot(entry->signal.slot(),
                                              [state = state_, entry, it](std::exception_ptr failure) {
                                                state->finish(it, failure);
                                              }));
  return entry;
}

void FiberScope::cancel() {
  std::lock_guard lock(state_->mutex);
  state_->cancelled = true;
  for (const std::shared_ptr<Fiber>& fiber : state_->fibers) {
    asio::post(fiber->executor, [fiber] { fiber->signal.emit(asio::cancellation_type::terminal); });
  }
}

bool FiberScope::cancelled() const {
  std::lock_guard lock(state_->mutex);
  return state_->cancelled;
}

std::size_t FiberScope::running() const {
  std::lock_guard lock(state_->mutex);
  return state_->fibers.size();
}

Task<void> FiberScope::join() {
  const std::shared_ptr<State> state = state_;
  for (;;) {
    const std::uint64_t seen = state->empty.version();
    {
      std::lock_guard lock(state->mutex);
      if (state->fibers.empty()) co_return;
    }
    auto waiting = state->empty.wait_past(seen);
    co_await std::move(waiting);
  }
}

void FiberScope::join_blocking() {
  std::unique_lock lock(state_->mutex);
  state_->ended.wait(lock, [this] { return state_->fibers.empty(); });
}

}  // namespace flotilla
