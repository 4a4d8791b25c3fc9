// SPDX-License-Identifier: Apache-2.0
// Where written groups wait for the disk. A thread of its own syncs the log, once for all groups that it
// finds, and ends them in order, while the writer prepares the next. One group at most waits behind the ones
// being synced: then the writer waits too, and what is asked meanwhile becomes one larger group.
//
// After a failed sync nobody knows what the disk has: everything fails until reset().
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include <flotilla/sdk/plugin.hpp>

namespace flotilla::plugins::storage {

class SyncLine {
 public:
  // How a group ends; called without locks.
  struct Written {
    std::function<void()> safe;
    std::function<void(const sdk::Failure&)> lost;
  };

  // `sync` throws sdk::Failure.
  explicit SyncLine(std::function<void()> sync);
  ~SyncLine();  // with nothing in it
  SyncLine(const SyncLine&) = delete;
  SyncLine& operator=(const SyncLine&) = delete;

  // The rest is the writer's. `alone`: nothing else was asked; then an idle line syncs here and now.
  void add(Written group, bool alone);
  // Waits until all groups have ended.
  void settle();
  std::optional<sdk::Failure> failure() const;
  void reset();

 private:
  void run();
  void end(std::deque<Written>& groups);

  const std::function<void()> sync_;
  mutable std::mutex mutex_;
  std::condition_variable added_;
  std::condition_variable ended_;
  std::deque<Written> waiting_;
  bool syncing_ = false;
  bool stopping_ = false;
  std::optional<sdk::Failure> failure_;
  std::thread thread_;
};

}  // namespace flotilla::plugins::storage
