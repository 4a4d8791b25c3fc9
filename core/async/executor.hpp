// SPDX-License-Identifier: Apache-2.0
// The daemon's threads: one io_context with a few threads (2 by default) and one pool for what blocks.
// Several Executors may live in one process (tests, labs); they share nothing.
#pragma once

#include <functional>
#include <memory>

#include "core/async/task.hpp"
#include "core/base/clock.hpp"

namespace flotilla {

struct ExecutorOptions {
  int io_threads = 2;
  int blocking_threads = 4;
};

class Executor {
 public:
  explicit Executor(const Clock& clock, ExecutorOptions options = {});
  ~Executor();  // stop() and join
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  AnyExecutor io() const;      // any I/O thread
  AnyExecutor strand() const;  // a new serialised executor on the I/O threads
  const Clock& clock() const { return clock_; }

  // Soon, on an I/O thread; must not block. From any thread.
  void post(std::function<void()> work) const;
  // On the blocking pool: SQLite, files, [may-block] plugin calls. From any thread.
  void post_blocking(std::function<void()> work) const;
  // Lets queued work finish no more: threads end after what runs now. Idempotent, not from an I/O thread.
  void stop();

 private:
  struct State;
  const Clock& clock_;
  std::unique_ptr<State> state_;
};

// Completes after `delay` of real time, or at once when the fiber is cancelled (false then).
Task<bool> sleep_for(Duration delay);

// Hops onto `executor` and stays there until the coroutine ends or hops again.
Task<void> resume_on(AnyExecutor executor);

// Runs `work` on the blocking pool and resumes the caller where it was.
Task<void> run_blocking(const Executor& executor, std::function<void()> work);

}  // namespace flotilla
