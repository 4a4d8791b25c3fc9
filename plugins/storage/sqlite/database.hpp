// SPDX-License-Identifier: Apache-2.0
// The database file. Tables: `live`, the current value of each key; `history`, values that were replaced or
// deleted lately, so its size follows its bound and never the number of writes; `meta`, one row. A row of
// history is valid in [mod_rev, until_rev); its id is until_rev * kOpsPerRevision + n, so that the oldest are
// a prefix of the table. Used by one thread. Everything throws SqliteError.
#pragma once

#include <flotilla/sdk/storage.hpp>

#include <memory>
#include <string>
#include <vector>

#include "lock_file.hpp"
#include "options.hpp"
#include "statement.hpp"

namespace flotilla::plugins::storage {

inline constexpr std::int64_t kOpsPerRevision = 4096;

// A commit that waits for its turn: a copy of the request.
struct PendingOp {
  bool remove = false;
  std::string key;
  std::string value;
};
struct PendingGuard {
  std::string key;
  std::int64_t mod_revision = 0;
};
struct PendingCommit {
  std::vector<PendingGuard> guards;
  std::vector<PendingOp> ops;
  std::int64_t expect_revision = 0;
  std::uint32_t flags = 0;
};

struct PendingRange {
  std::string key;
  std::string end;
  bool alone = false;
  std::int64_t revision = 0;
  std::uint64_t limit = 0;
  std::uint32_t flags = 0;
};

// Of the database and its log.
std::uint64_t file_bytes(const std::string& path);

class Database {
 public:
  // Locks, opens or creates, verifies. Throws Failure with what to do about it.
  Database(const SqliteOptions& options, const sdk::Log& log);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  std::int64_t revision() const { return revision_; }
  std::int64_t compacted() const { return compacted_; }

  // A transaction holds the commits of a group. save() writes them to the log: after it they are what
  // everybody reads and survive the process, but only sync() makes them safe from losing power.
  void begin();
  // Within a transaction. False: a guard failed and nothing was changed. `kvs`, where the flags ask for it.
  bool apply(const PendingCommit& commit, sdk::KvList* kvs);
  void save();
  // Forgets the group; memory is as the file is again.
  void roll_back() noexcept;
  // Everything saved before the call is on disk after it. The one call that another thread than the owner may
  // make, beside any other. After a failure nobody knows what the disk has: open anew.
  void sync();

  struct RangeTotals {
    bool more = false;
    std::uint64_t count = 0;
    std::int64_t revision = 0;
  };
  RangeTotals range(const PendingRange& request, sdk::KvList& kvs);

  // The bound of history; what is older is deleted by tend().
  void compact(std::int64_t revision);
  // A little of what is due: old history, checkpoints, free pages. True if there is more.
  bool tend();
  // A real write, to learn whether writes work again.
  void probe();
  // Closing it will not copy the log over: after a failed sync what can be read of it may not be on disk, and
  // the next to open the file checks it.
  void abandon() noexcept;
  // Everything into the one file; the next start need not verify it.
  void close_cleanly();

 private:
  void open(const SqliteOptions& options);
  void open_log();
  void create_schema();
  void verify(const sdk::Log& log);
  void prepare();
  void read_meta();
  void range_now(const PendingRange& request, RangeTotals& totals, sdk::KvList& kvs);
  void range_past(const PendingRange& request, RangeTotals& totals, sdk::KvList& kvs);
  void add_current(const std::string& key, sdk::KvList& kvs);
  std::int64_t pragma(const char* name);

  SqliteOptions options_;
  LockFile lock_;
  sqlite3* db_ = nullptr;
  int log_ = -1;  // the write-ahead log, for sync()
  std::int64_t revision_ = 1;
  std::int64_t compacted_ = 1;
  std::int64_t saved_revision_ = 1;
  std::int64_t saved_compacted_ = 1;
  int wal_pages_ = 0;

  Statement begin_, commit_, rollback_;
  Statement find_, read_, insert_, update_, remove_, retire_, write_meta_;
  Statement scan_, count_, scan_past_;
  Statement forget_, oldest_;
};

}  // namespace flotilla::plugins::storage
