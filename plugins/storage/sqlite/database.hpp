// SPDX-License-Identifier: Apache-2.0
// The database file. Tables: `live`, the current value of each key; `history`, values that were replaced or
// deleted lately, so its size follows its bound and never the number of writes; `meta`, one row. A row of
// history is valid in [mod_rev, until_rev); its id is until_rev * kOpsPerRevision + n, so that the oldest are
// a prefix of the table. `meta` also counts the live keys and sums up their fingerprints, so that whoever
// reads all of them knows that it was all. Used by one thread. Everything throws SqliteError.
#pragma once

#include <flotilla/sdk/storage.hpp>

#include <functional>
#include <map>
#include <memory>
#include <span>
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

std::uint64_t file_size(const std::string& path);  // 0: there is none
// Of a key with its value's revision.
std::uint64_t fingerprint(std::string_view key, std::int64_t mod_revision);

// How many keys there are, and the sum of their fingerprints.
struct Content {
  std::int64_t keys = 0;
  std::uint64_t digest = 0;

  void add(std::string_view key, std::int64_t mod_revision) {
    ++keys;
    digest += fingerprint(key, mod_revision);
  }
  void remove(std::string_view key, std::int64_t mod_revision) {
    --keys;
    digest -= fingerprint(key, mod_revision);
  }
  bool operator==(const Content&) const = default;
};

// Everything at one revision, key by key, while commits go on.
struct Walk {
  std::int64_t revision = 0;
  Content content;                               // of that revision
  std::string next;                              // the first key that is not told
  std::map<std::string, std::int64_t> replaced;  // of those not told: where in history their values went

  void note(const std::string& key, std::int64_t mod_revision, std::int64_t past) {
    if (mod_revision <= revision && key >= next) replaced.emplace(key, past);
  }
};

void create_schema(sqlite3* db);

class Database {
 public:
  // Locks, opens or creates, verifies. Throws Failure with what to do about it.
  Database(const SqliteOptions& options, const sdk::Log& log);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  std::int64_t revision() const { return now_.revision; }
  std::int64_t compacted() const { return now_.compacted; }
  const Content& content() const { return now_.content; }
  std::int64_t free_pages() const { return free_pages_; }
  std::uint64_t bytes() const { return file_size(options_.path) + file_size(options_.path + "-wal"); }

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
  bool forget();
  // 256 free pages at the file's end go; how many are left.
  std::int64_t give_back();
  void checkpoint(bool shorten = false);
  // The file as if all were written into it anew; takes long.
  void rebuild_file();
  // Faults of its structure; takes long.
  std::vector<std::string> faults();
  // Walks end before the database does, and when a group was rolled back.
  void begin_walk(Walk& walk);
  void end_walk(Walk& walk) noexcept;
  // The next keys with about `bytes`. False: that was all.
  using Take = std::function<void(const sdk::StoredValue&)>;
  bool walk(Walk& walk, std::size_t bytes, const Take& take);

  // Filling an empty database. While loading() nothing else is to be asked; begin_load() begins anew.
  bool loading() const { return loading_; }
  void begin_load();
  void load(std::span<const sdk::StoredValue> values);
  void end_load(std::int64_t revision);

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
  void verify(const sdk::Log& log);
  void upgrade();
  void prepare();
  void read_meta();
  void range_now(const PendingRange& request, RangeTotals& totals, sdk::KvList& kvs);
  void range_past(const PendingRange& request, RangeTotals& totals, sdk::KvList& kvs);
  void add_current(const std::string& key, sdk::KvList& kvs);
  struct Found {
    std::int64_t id = 0;  // 0: there is none
    std::int64_t mod_revision = 0;
  };
  Found find(const std::string& key);
  void write(const PendingOp& op, const Found& old, std::int64_t next, std::int64_t& n);
  void write_meta();
  bool shrink();
  void tell_replaced(Walk& walk, const std::string* until, std::size_t& bytes, const Take& take);
  std::int64_t pragma(const char* name);

  SqliteOptions options_;
  LockFile lock_;
  sqlite3* db_ = nullptr;
  int log_ = -1;  // the write-ahead log, for sync()
  struct Meta {
    std::int64_t revision = 1;
    std::int64_t compacted = 1;
    Content content;
  };
  Meta now_;
  Meta saved_;
  bool loading_ = false;
  int wal_pages_ = 0;
  std::int64_t free_pages_ = 0;
  // Places in `live` that deletes have left: new keys take them, so that pages stay full.
  std::vector<std::int64_t> vacant_;
  std::vector<Walk*> walks_;

  Statement begin_, commit_, rollback_;
  Statement find_, read_, insert_, update_, remove_, retire_, write_meta_;
  Statement scan_, count_, scan_past_;
  Statement forget_, oldest_;
  Statement walk_, walk_past_;
};

}  // namespace flotilla::plugins::storage
