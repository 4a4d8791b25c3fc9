// SPDX-License-Identifier: Apache-2.0
// One thread for what a host does on its own: timers, and telling a plugin of cancellation and credit.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace flotilla::conformance {

class TestExecutor {
 public:
  TestExecutor();
  ~TestExecutor();  // runs what is due, drops timers
  TestExecutor(const TestExecutor&) = delete;
  TestExecutor& operator=(const TestExecutor&) = delete;

  // In the order of the calls.
  void post(std::function<void()> work) { post_after(0, std::move(work)); }
  std::uint64_t post_after(std::int64_t delay_ns, std::function<void()> work);
  bool cancel(std::uint64_t token);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<std::int64_t, std::uint64_t>, std::function<void()>> queue_;  // by time and token
  std::uint64_t last_token_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace flotilla::conformance
