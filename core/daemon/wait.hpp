// SPDX-License-Identifier: Apache-2.0
// From a thread that may block: runs a coroutine to its end. Never on an I/O thread.
#pragma once

#include <chrono>
#include <future>
#include <stdexcept>
#include <utility>

#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"

namespace flotilla::daemon {

namespace detail {
template <typename T>
Task<void> fulfil(Task<T> task, std::promise<T>* promise) {
  if constexpr (std::is_void_v<T>) {
    co_await std::move(task);
    promise->set_value();
  } else {
    promise->set_value(co_await std::move(task));
  }
}
}  // namespace detail

template <typename T>
T wait_for(const Executor& executor, Task<T> task) {
  FiberScope scope(executor.strand(), "wait");
  std::promise<T> promise;
  auto future = promise.get_future();
  scope.spawn(detail::fulfil(std::move(task), &promise));
  scope.join_blocking();
  // Only while composing: an exception ended the fiber, and the log says which.
  if (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    throw std::runtime_error("an operation ended without an answer; see the log");
  }
  return future.get();
}

}  // namespace flotilla::daemon
