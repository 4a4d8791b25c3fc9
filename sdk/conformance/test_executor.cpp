// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/test_executor.hpp"

#include <chrono>

#include "sdk/conformance/test_host.hpp"

namespace flotilla::conformance {

TestExecutor::TestExecutor() : thread_([this] { run(); }) {}

TestExecutor::~TestExecutor() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::uint64_t TestExecutor::post_after(std::int64_t delay_ns, std::function<void()> work) {
  std::lock_guard lock(mutex_);
  const std::int64_t due = delay_ns <= 0 ? 0 : monotonic_ns() + delay_ns;
  queue_.emplace(std::pair(due, ++last_token_), std::move(work));
  changed_.notify_all();
  return last_token_;
}

bool TestExecutor::cancel(std::uint64_t token) {
  std::lock_guard lock(mutex_);
  return std::erase_if(queue_, [&](const auto& entry) { return entry.first.second == token; }) != 0;
}

void TestExecutor::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (queue_.empty() || (stopping_ && queue_.begin()->first.first != 0)) {
      if (stopping_) return;
      changed_.wait(lock);
      continue;
    }
    const std::int64_t left = queue_.begin()->first.first - monotonic_ns();
    if (left > 0) {
      changed_.wait_for(lock, std::chrono::nanoseconds(left));
      continue;
    }
    auto node = queue_.extract(queue_.begin());
    lock.unlock();
    node.mapped()();
    node = {};
    lock.lock();
  }
}

}  // namespace flotilla::conformance
