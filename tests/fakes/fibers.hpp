// SPDX-License-Identifier: Apache-2.0
// Runs a coroutine from a test's own thread and waits for what it returns.
#pragma once

#include <future>
#include <optional>

#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"

namespace flotilla::fakes {

template <typename T>
Task<void> keep_result(Task<T> task, std::shared_ptr<std::promise<T>> promise) {
  auto result = co_await std::move(task);
  promise->set_value(std::move(result));
}

template <typename T>
T run_on(const Executor& executor, Task<T> task) {
  auto promise = std::make_shared<std::promise<T>>();
  auto result = promise->get_future();
  FiberScope scope(executor.strand(), "test");
  scope.spawn(keep_result(std::move(task), promise));
  scope.join_blocking();
  promise.reset();
  return result.get();  // throws if the fiber ended without a result
}

}  // namespace flotilla::fakes
