// SPDX-License-Identifier: Apache-2.0
// Runs a coroutine to its end from a thread that may block.
#pragma once

#include <future>
#include <optional>
#include <utility>

#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"

namespace flotilla::planning {

template <typename T>
Task<void> store_answer(Task<T> task, std::optional<T>* answer) {
  answer->emplace(co_await std::move(task));
}

// Nothing: an exception ended it (it is in the log).
template <typename T>
std::optional<T> call_blocking(const AnyExecutor& strand, Task<T> task) {
  std::optional<T> answer;
  FiberScope scope(strand, "planning");
  scope.spawn(store_answer(std::move(task), &answer));
  scope.join_blocking();
  return answer;
}

}  // namespace flotilla::planning
