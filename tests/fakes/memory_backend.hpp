// SPDX-License-Identifier: Apache-2.0
// A storage engine for tests: a map that several backends in a row may open, whose answers can be held back
// and whose commits can be refused. Answers come inline unless held. A shared one may be open in several
// stores at once; what its watches tell can be held back as well.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/async/event.hpp"
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
    // What happened, for watches; older than `compacted` is forgotten.
    std::vector<StoredChange> log;
    Revision compacted;
    bool hold_watches = false;
    ::flotilla::Event changed;

    // Watches end with Gone from here on, unless they are past it.
    void forget_before(Revision revision) {
      {
        std::lock_guard lock(mutex);
        compacted = revision;
        std::erase_if(log, [&](const StoredChange& change) { return change.kv.mod_revision < revision; });
      }
      changed.notify();
    }
    void hold_watches_back(bool held_back) {
      {
        std::lock_guard lock(mutex);
        hold_watches = held_back;
      }
      changed.notify();
    }

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

  explicit MemoryBackend(std::shared_ptr<Disk> disk = std::make_shared<Disk>(), bool shared = false)
      : disk_(std::move(disk)), shared_(shared) {}

  std::string name() const override { return "memory"; }
  Task<Status> start() override { co_return Status(); }
  Task<void> stop() override { co_return; }
  BackendCapabilities capabilities() const override { return {false, shared_, 3u << 20}; }

  Task<Result<BackendStatus>> status(bool) override {
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
      Result<CommitResult> answer = apply(*disk, commit);
      disk->changed.notify();
      done(std::move(answer));
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

  Result<std::unique_ptr<StorageWatch>> watch(std::string key, std::string end, Revision start) override {
    return std::unique_ptr<StorageWatch>(
        std::make_unique<LogWatch>(disk_, std::move(key), std::move(end), start));
  }

 private:
  class LogWatch final : public StorageWatch {
   public:
    LogWatch(std::shared_ptr<Disk> disk, std::string key, std::string end, Revision start)
        : disk_(std::move(disk)), key_(std::move(key)), end_(std::move(end)), next_(start) {}

    Task<Result<StoredChanges>> next() override {
      for (;;) {
        const std::uint64_t seen = disk_->changed.version();
        {
          std::lock_guard lock(disk_->mutex);
          if (next_ < disk_->compacted) co_return Error(Code::Gone, "compacted");
          if (!disk_->hold_watches && (disk_->revision >= next_ || std::exchange(asked_, false)))
            co_return take();
        }
        auto waiting = disk_->changed.wait_past(seen);
        if (!co_await std::move(waiting)) co_return Error(Code::Cancelled, "cancelled");
      }
    }
    void ask_progress() override {
      {
        std::lock_guard lock(disk_->mutex);
        asked_ = true;
      }
      disk_->changed.notify();
    }

   private:
    StoredChanges take() {
      StoredChanges out;
      for (const StoredChange& change : disk_->log) {
        if (change.kv.mod_revision >= next_ && change.kv.key >= key_ && change.kv.key < end_)
          out.changes.push_back(change);
      }
      out.progress = disk_->revision;
      next_ = Revision(disk_->revision.get() + 1);
      asked_ = false;
      return out;
    }

    const std::shared_ptr<Disk> disk_;
    const std::string key_, end_;
    Revision next_;
    bool asked_ = false;
  };

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
      disk.log.push_back({{operation.key, operation.value, Revision(), next}, operation.remove});
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
  bool shared_;
};

}  // namespace flotilla::store
