// SPDX-License-Identifier: Apache-2.0
// A storage engine for tests: a map that several backends in a row may open, whose answers can be held back
// and whose commits can be refused. Answers come inline unless held.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/store/storage_backend.hpp"

namespace flotilla::store {

class MemoryBackend final : public StorageBackend {
 public:
  // What survives a restart.
  struct Disk {
    std::mutex mutex;
    std::map<std::string, KeyValue> live;
    Revision revision{1};
    // Switches: see hold_back() and refuse_with().
    bool hold = false;
    std::string refuse;
    std::size_t commits = 0;
    std::vector<std::function<void()>> held;

    // What is committed from now on waits for release().
    void hold_back() {
      std::lock_guard lock(mutex);
      hold = true;
    }

    // Commits fail with this message and status is read-only. Empty: no longer.
    void refuse_with(std::string why) {
      std::lock_guard lock(mutex);
      refuse = std::move(why);
    }

    // Applies and answers what was held, in order.
    void release() {
      std::vector<std::function<void()>> ready;
      {
        std::lock_guard lock(mutex);
        ready.swap(held);
        hold = false;
      }
      for (const auto& answer : ready) answer();
    }
  };

  explicit MemoryBackend(std::shared_ptr<Disk> disk = std::make_shared<Disk>()) : disk_(std::move(disk)) {}

  std::string name() const override { return "memory"; }
  Task<Status> start() override { co_return Status(); }
  Task<void> stop() override { co_return; }
  BackendCapabilities capabilities() const override { return {false, false, 3u << 20}; }

  Task<Result<BackendStatus>> status() override {
    std::lock_guard lock(disk_->mutex);
    BackendStatus status;
    status.revision = disk_->revision;
    status.read_only = !disk_->refuse.empty();
    status.alarm = disk_->refuse;
    co_return status;
  }

  Task<Result<Range>> range(std::string key, std::string end, Revision, std::uint64_t limit) override {
    std::lock_guard lock(disk_->mutex);
    Range range;
    range.revision = disk_->revision;
    for (auto it = disk_->live.lower_bound(key); it != disk_->live.end() && it->first < end; ++it) {
      if (limit != 0 && range.values.size() == limit) {
        range.more = true;
        break;
      }
      range.values.push_back(it->second);
    }
    co_return range;
  }

  void commit(Commit commit, std::function<void(Result<CommitResult>)> done) override {
    auto work = [disk = disk_, commit = std::move(commit), done = std::move(done)] {
      done(apply(*disk, commit));
    };
    {
      std::lock_guard lock(disk_->mutex);
      ++disk_->commits;
      if (disk_->hold) {
        disk_->held.push_back(std::move(work));
        return;
      }
    }
    work();
  }

  Task<Result<Revision>> compact(Revision revision) override { co_return revision; }

 private:
  static Result<CommitResult> apply(Disk& disk, const Commit& commit) {
    std::lock_guard lock(disk.mutex);
    if (!disk.refuse.empty()) return Error(Code::Unavailable, disk.refuse);
    CommitResult result{false, disk.revision};
    const Revision next(disk.revision.get() + 1);
    if (commit.expect.get() != 0 && commit.expect != next) return result;
    for (const Guard& guard : commit.guards) {
      const auto it = disk.live.find(guard.key);
      if ((it == disk.live.end() ? Revision() : it->second.mod_revision) != guard.mod_revision) return result;
    }
    disk.revision = next;
    for (const Operation& operation : commit.operations) {
      if (operation.remove) {
        disk.live.erase(operation.key);
        continue;
      }
      KeyValue& kv = disk.live[operation.key];
      if (kv.create_revision.get() == 0) kv.create_revision = next;
      kv.key = operation.key;
      kv.value = operation.value;
      kv.mod_revision = next;
    }
    return CommitResult{true, next};
  }

  std::shared_ptr<Disk> disk_;
};

}  // namespace flotilla::store
