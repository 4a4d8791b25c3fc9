// SPDX-License-Identifier: Apache-2.0
// What the store needs of a storage engine; plugins are adapted to it in core/plugin. The rules are those of
// flotilla.storage/1 (sdk/include/flotilla/abi/storage.h): MVCC key-value, one revision per commit, guards.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/async/task.hpp"
#include "core/base/named_type.hpp"
#include "core/base/result.hpp"

namespace flotilla::store {

struct KeyValue {
  std::string key;
  std::string value;
  Revision create_revision;
  Revision mod_revision;
};

struct Guard {
  std::string key;
  Revision mod_revision;  // 0: must be absent
};

struct Operation {
  std::string key;
  std::string value;
  bool remove = false;
};

struct Commit {
  // What this commit's revision must be; 0: whatever comes next. Another one is a failed guard. So when a
  // commit fails, those submitted after it fail too.
  Revision expect;
  std::vector<Guard> guards;
  std::vector<Operation> operations;  // distinct keys
};

struct CommitResult {
  bool succeeded = false;  // false: a guard failed, nothing was written
  Revision revision;       // of this commit, or the newest one if it failed
};

struct BackendCapabilities {
  bool durable = false;
  bool shared = false;  // other writers exist: revisions may skip ours
  std::uint64_t max_value_bytes = 0;
};

struct BackendStatus {
  Revision revision;
  Revision compacted;
  std::uint64_t bytes = 0;
  bool read_only = false;
  std::string alarm;  // why read-only, for people
};

// Of a watch: what one key became.
struct StoredChange {
  KeyValue kv;  // removed: no value; mod_revision is that of the removal
  bool removed = false;
};

// Every change once, by revision and then key; what one revision changed comes together.
struct StoredChanges {
  std::vector<StoredChange> changes;  // may be empty: progress alone
  Revision progress;                  // nothing up to this revision is still to come
};

// The changes of a range of keys, whoever makes them. Thread: one fiber; ask_progress from any thread.
class StorageWatch {
 public:
  virtual ~StorageWatch() = default;
  // Waits for the next changes. Errors: Gone when they are not known any more (load again), Unavailable,
  // Cancelled.
  virtual Task<Result<StoredChanges>> next() = 0;
  // Soon next() answers with a progress of at least the newest revision at this moment.
  virtual void ask_progress() = 0;
};

class StorageBackend {
 public:
  virtual ~StorageBackend() = default;
  virtual std::string name() const = 0;
  virtual Task<Status> start() = 0;
  virtual Task<void> stop() = 0;
  virtual BackendCapabilities capabilities() const = 0;
  // `linearizable`: no older than the newest answer that any writer had before this was asked.
  virtual Task<Result<BackendStatus>> status(bool linearizable) = 0;
  // Ascending bytewise, all at one revision; `end` exclusive. `limit` 0: all.
  struct Range {
    std::vector<KeyValue> values;
    bool more = false;
    Revision revision;
  };
  virtual Task<Result<Range>> range(std::string key, std::string end, Revision at, std::uint64_t limit) = 0;
  // Submission order is commit order. `done` exactly once, from any thread, possibly inline.
  virtual void commit(Commit commit, std::function<void(Result<CommitResult>)> done) = 0;
  virtual Task<Result<Revision>> compact(Revision revision) = 0;
  // Changes from revision `start` on. Shared backends have it. Errors: Unsupported; later ones come from
  // next().
  virtual Result<std::unique_ptr<StorageWatch>> watch(std::string key, std::string end, Revision start) {
    static_cast<void>(key), static_cast<void>(end), static_cast<void>(start);
    return Error(Code::Unsupported, "storage " + name() + " has no watch");
  }
};

}  // namespace flotilla::store
