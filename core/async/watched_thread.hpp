// SPDX-License-Identifier: Apache-2.0
// A thread for work that may never end, as the code of others may not. Whoever waits for it waits with a
// bound of its own and may leave the thread to its work; the next work gets a new thread. So many threads may
// be left at once (kMostLeft); after that nothing is begun until one of them has ended.
//
//   WatchedThread thread;
//   if (thread.begin(work)) ...    // work->ended() tells; meanwhile the owner watches, or thread.leave()
//
// The one exception to "no other threads": it exists only where such work is given out. Thread: one at a
// time.
#pragma once

#include <atomic>
#include <memory>

#include "core/base/clock.hpp"

namespace flotilla {

class WatchedThread {
 public:
  static constexpr int kMostLeft = 8;

  // Held by its thread until run() and ended() have returned, however late.
  class Work {
   public:
    virtual ~Work() = default;
    virtual void run() = 0;
    virtual void ended() {}  // on the same thread, after done() has become true
    bool done() const { return done_.load(std::memory_order_acquire); }

   private:
    friend class WatchedThread;
    std::atomic<bool> done_{false};
  };

  WatchedThread();
  ~WatchedThread();  // leaves a thread that is at work
  WatchedThread(const WatchedThread&) = delete;
  WatchedThread& operator=(const WatchedThread&) = delete;

  // After the last work has ended or was left. False: too many threads are left to their work.
  bool begin(std::shared_ptr<Work> work);
  // Waits for the end of the work, on the caller's thread. False: `longest` has passed.
  bool wait(Duration longest);
  void leave();
  int left() const { return left_->load(); }

 private:
  struct State;
  static void serve(std::shared_ptr<State> state);

  std::shared_ptr<std::atomic<int>> left_;
  std::shared_ptr<State> state_;  // of the thread; null: none runs
};

}  // namespace flotilla
