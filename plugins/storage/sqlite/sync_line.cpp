// SPDX-License-Identifier: Apache-2.0
#include "sync_line.hpp"

#include <utility>

namespace flotilla::plugins::storage {

SyncLine::SyncLine(std::function<void()> sync) : sync_(std::move(sync)), thread_([this] { run(); }) {}

SyncLine::~SyncLine() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  added_.notify_one();
  thread_.join();
}

void SyncLine::add(Written group, bool alone) {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return waiting_.empty(); });
  if (alone && !syncing_) {
    syncing_ = true;
    lock.unlock();
    std::deque<Written> groups;
    groups.push_back(std::move(group));
    return end(groups);
  }
  waiting_.push_back(std::move(group));
  lock.unlock();
  added_.notify_one();
}

void SyncLine::settle() {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return waiting_.empty() && !syncing_; });
}

std::optional<sdk::Failure> SyncLine::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

void SyncLine::reset() {
  std::lock_guard lock(mutex_);
  failure_.reset();
}

void SyncLine::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    added_.wait(lock, [this] { return stopping_ || (!waiting_.empty() && !syncing_); });
    if (waiting_.empty()) return;
    std::deque<Written> groups = std::exchange(waiting_, {});
    syncing_ = true;
    lock.unlock();
    ended_.notify_all();  // there is room
    end(groups);
    lock.lock();
  }
}

// With `syncing_` set by the caller.
void SyncLine::end(std::deque<Written>& groups) {
  std::optional<sdk::Failure> failed = failure();
  try {
    if (!failed) sync_();
  } catch (const sdk::Failure& failure) {
    failed = failure;
  }
  if (failed) {
    std::lock_guard lock(mutex_);
    failure_ = failed;
  }
  for (Written& group : groups) failed ? group.lost(*failed) : group.safe();
  groups.clear();
  {
    std::lock_guard lock(mutex_);
    syncing_ = false;
  }
  ended_.notify_all();
  added_.notify_one();
}

}  // namespace flotilla::plugins::storage
