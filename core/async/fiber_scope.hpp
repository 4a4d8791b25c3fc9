// SPDX-License-Identifier: Apache-2.0
// Nobody is detached: every coroutine belongs to a scope that can cancel it and wait for its end.
//
//   FiberScope scope(executor.strand(), "watches");
//   scope.spawn(serve(std::move(socket)));
//   ...
//   scope.cancel();           // every await inside completes with operation_aborted
//   co_await scope.join();    // or scope.join_blocking() from a thread that is not the executor's
//
// The executor must be serialised (a strand): fibers and the timers they wait on share it. After cancellation
// the next co_await of a fiber throws operation_aborted, which unwinds it silently. Thread: spawn and cancel
// from any thread. An exception that leaves a fiber is logged with the scope's name; it ends that fiber
// alone. A scope must be joined before it is destroyed (ASSERT).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/async/task.hpp"

namespace flotilla {

class FiberScope {
 public:
  FiberScope(AnyExecutor executor, std::string name);
  ~FiberScope();
  FiberScope(const FiberScope&) = delete;
  FiberScope& operator=(const FiberScope&) = delete;

  // After cancel() new fibers are refused: the task is destroyed without having run, and false is returned.
  bool spawn(Task<void> fiber);
  // The same on another executor, for fibers that want a strand of their own.
  bool spawn_on(AnyExecutor executor, Task<void> fiber);
  // The same with a way to cancel this fiber alone, from any thread, at any time. Empty: refused.
  std::function<void()> spawn_cancellable(AnyExecutor executor, Task<void> fiber);
  void cancel();
  bool cancelled() const;
  std::size_t running() const;
  Task<void> join();
  void join_blocking();

  const AnyExecutor& executor() const { return executor_; }

 private:
  struct State;
  struct Fiber;
  std::shared_ptr<Fiber> start(AnyExecutor executor, Task<void> fiber);
  AnyExecutor executor_;
  std::shared_ptr<State> state_;
};

}  // namespace flotilla
