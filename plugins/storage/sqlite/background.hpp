// SPDX-License-Identifier: Apache-2.0
// Long work of the thread that owns the database, a step at a time between groups of commits: snapshots,
// checks, compaction. What it tells goes into a stream; without credit it waits.
#pragma once

#include <flotilla/sdk/storage_extras.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

#include "database.hpp"

namespace flotilla::plugins::storage {

// Wakes the engine from a host's thread, for as long as there is one.
class Waker {
 public:
  explicit Waker(std::function<void()> wake) : wake_(std::move(wake)) {}
  void wake() {
    std::lock_guard lock(mutex_);
    if (wake_) wake_();
  }
  void stop() {
    std::lock_guard lock(mutex_);
    wake_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::function<void()> wake_;
};

class Background {
 public:
  virtual ~Background() = default;
  virtual void begin(Database& database) = 0;
  // False: it has ended. Throws Failure.
  virtual bool step(Database& database) = 0;
  virtual void fail(const sdk::Failure& failure) = 0;
  // There is credit to go on.
  virtual bool ready() const = 0;
};

std::unique_ptr<Background> make_save(sdk::SnapshotStream stream, std::shared_ptr<Waker> waker);
std::unique_ptr<Background> make_check(sdk::ReportStream stream, bool alone, std::shared_ptr<Waker> waker);
std::unique_ptr<Background> make_compaction(sdk::ReportStream stream, bool alone,
                                            std::shared_ptr<Waker> waker);

}  // namespace flotilla::plugins::storage
