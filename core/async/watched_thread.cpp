// SPDX-License-Identifier: Apache-2.0
#include "core/async/watched_thread.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace flotilla {

struct WatchedThread::State {
  std::mutex mutex;  // all below but the thread
  std::condition_variable moved;
  std::shared_ptr<Work> given;  // to be begun
  int begun = 0;      // works whose end the thread has not noted: the next may be given right after done()
  bool over = false;  // the thread ends after its work
  std::shared_ptr<std::atomic<int>> left = {};  // set once the thread is left
  std::thread thread;
};

WatchedThread::WatchedThread() : left_(std::make_shared<std::atomic<int>>(0)) {}

WatchedThread::~WatchedThread() {
  leave();
}

bool WatchedThread::begin(std::shared_ptr<Work> work) {
  if (!state_ && left_->load() >= kMostLeft) return false;
  if (!state_) {
    state_ = std::make_shared<State>();
    state_->thread = std::thread(serve, state_);
  }
  {
    const std::lock_guard lock(state_->mutex);
    state_->given = std::move(work);
    ++state_->begun;
  }
  state_->moved.notify_all();
  return true;
}

bool WatchedThread::wait(Duration longest) {
  if (!state_) return true;
  std::unique_lock lock(state_->mutex);
  return state_->moved.wait_for(lock, longest, [this] { return state_->begun == 0; });
}

void WatchedThread::leave() {
  if (!state_) return;
  const std::shared_ptr<State> state = std::exchange(state_, nullptr);
  bool idle = false;
  {
    const std::lock_guard lock(state->mutex);
    state->over = true;
    idle = state->begun == 0;
    if (!idle) {
      left_->fetch_add(1);
      state->left = left_;
    }
  }
  state->moved.notify_all();
  if (idle) {
    state->thread.join();
  } else {
    state->thread.detach();
  }
}

void WatchedThread::serve(std::shared_ptr<State> state) {
  for (;;) {
    std::shared_ptr<Work> work;
    {
      std::unique_lock lock(state->mutex);
      state->moved.wait(lock, [&] { return state->given || (state->over && state->begun == 0); });
      if (!state->given) return;
      work = std::move(state->given);
      state->given = nullptr;
    }
    work->run();
    work->done_.store(true, std::memory_order_release);
    work->ended();
    work.reset();
    bool over = false;
    {
      const std::lock_guard lock(state->mutex);
      over = --state->begun == 0 && state->over;
      if (over && state->left) state->left->fetch_sub(1);
    }
    state->moved.notify_all();
    if (over) return;
  }
}

}  // namespace flotilla
