// SPDX-License-Identifier: Apache-2.0
#include "database.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace flotilla::plugins::storage {
namespace {

constexpr std::int64_t kApplicationId = 0x464c544c;  // "FLTL"
constexpr std::int64_t kFormat = 1;
constexpr int kCheckpointPages = 8000;        // 32 MB of log
constexpr std::int64_t kForgetAtOnce = 2048;  // rows of history, twice what a group can leave
constexpr std::int64_t kFreePagesKept = 1024;
constexpr std::uint64_t kAlwaysVerifyBelow = 32u << 20;

[[noreturn]] void refuse_start(flt_status_t code, const std::string& path, const std::string& why) {
  throw sdk::Failure(code, path + ": " + why);
}

[[noreturn]] void refuse_damaged(const std::string& path, const std::string& fault) {
  refuse_start(FLT_DATA_LOSS, path,
               "is damaged (" + fault + "); restore a backup, or move the file away to start empty");
}

std::uint64_t file_size(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

int note_log_size(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

}  // namespace

Database::Database(const SqliteOptions& options, const sdk::Log& log)
    : options_(options), lock_(options.path) {
  try {
    open(options);
    verify(log);
    prepare();
    execute(db_, "UPDATE meta SET clean = 0");
    open_log();
  } catch (const SqliteError& error) {
    sqlite3_close_v2(db_);  // waits for the statements, which go next
    if (error.code() == FLT_DATA_LOSS) refuse_damaged(options_.path, error.what());
    throw;
  } catch (...) {
    sqlite3_close_v2(db_);
    throw;
  }
}

Database::~Database() {
  if (log_ >= 0) ::close(log_);
  // Members are destroyed after this body; close_v2 waits for their statements.
  sqlite3_close_v2(db_);
}

void Database::open(const SqliteOptions& options) {
  // Made here and not by SQLite: Secrets lie in it.
  const int fd = ::open(options.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
  if (sqlite3_open_v2(options.path.c_str(), &db_,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK)
    throw SqliteError(db_, "open " + options.path);
  sqlite3_extended_result_codes(db_, 1);
  try {
    execute(db_,
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;"
            "PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;"
            "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
    bool fresh = false;
    {
      Statement tables(db_, "SELECT count(*) FROM sqlite_schema");
      Row row(tables);
      fresh = row->integer(0) == 0;
    }
    const std::int64_t id = pragma("application_id");
    if (!fresh && id != kApplicationId)
      refuse_start(FLT_FAILED_PRECONDITION, options.path,
                   "is a database of another program; name another file");
    if (!fresh && pragma("user_version") != kFormat)
      refuse_start(FLT_FAILED_PRECONDITION, options.path,
                   "was written by another version of flotilla (format " +
                       std::to_string(pragma("user_version")) + ", this one knows " +
                       std::to_string(kFormat) + ")");
    Statement wal(db_, "PRAGMA journal_mode = WAL");
    if (Row row(wal); !row || row->bytes(0) != "wal")
      refuse_start(FLT_FAILED_PRECONDITION, options.path, "its file system cannot hold a write-ahead log");
    // Commits are synced by sync(), many at once and while the next are written; checkpoints by SQLite.
    execute(db_, "PRAGMA synchronous = NORMAL");
    execute(db_, ("PRAGMA cache_size = -" + std::to_string(options.cache_mib * 1024)).c_str());
    sqlite3_wal_hook(db_, note_log_size, &wal_pages_);
    if (fresh) create_schema();
  } catch (const SqliteError& error) {
    if (error.result() == SQLITE_BUSY)
      refuse_start(FLT_FAILED_PRECONDITION, options.path, "is in use by another process; stop it first");
    if (error.result() == SQLITE_NOTADB)
      refuse_start(FLT_DATA_LOSS, options.path, "is no database; restore a backup, or move the file away");
    throw;
  }
}

void Database::open_log() {
  const std::string path = options_.path + "-wal";
  log_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (log_ < 0) refuse_start(FLT_UNAVAILABLE, path, std::string("cannot be opened: ") + std::strerror(errno));
}

void Database::sync() {
  int result = 0;
  do result = ::fdatasync(log_);
  while (result != 0 && errno == EINTR);
  if (result != 0) {
    throw sdk::Failure(errno == ENOSPC ? FLT_RESOURCE_EXHAUSTED : FLT_UNAVAILABLE,
                       options_.path + "-wal: cannot be synced: " + std::strerror(errno),
                       errno == ENOSPC ? "NoSpace" : "");
  }
}

void Database::create_schema() {
  execute(db_,
          "BEGIN IMMEDIATE;"
          "PRAGMA application_id = 1179407436; PRAGMA user_version = 1;"
          "CREATE TABLE live(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, create_rev INTEGER NOT NULL,"
          " mod_rev INTEGER NOT NULL, value BLOB NOT NULL);"
          "CREATE TABLE history(id INTEGER PRIMARY KEY, key BLOB NOT NULL, create_rev INTEGER NOT NULL,"
          " mod_rev INTEGER NOT NULL, removed INTEGER NOT NULL, value BLOB NOT NULL);"
          "CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL,"
          " compacted INTEGER NOT NULL, clean INTEGER NOT NULL);"
          "CREATE TABLE probe(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
          "INSERT INTO meta VALUES(1, 1, 1, 1);"
          "COMMIT");
  static_assert(kApplicationId == 1179407436);
}

// After a clean stop a large file is believed; otherwise its structure is walked.
void Database::verify(const sdk::Log& log) {
  Statement meta(db_, "SELECT clean FROM meta");
  bool clean = false;
  if (Row row(meta); row) clean = row->integer(0) != 0;
  if (clean && file_size(options_.path) > kAlwaysVerifyBelow) return;
  Statement check(db_, "PRAGMA quick_check(1)");
  Row row(check);
  if (!row || row->bytes(0) == "ok") return;
  const std::string fault(row->bytes(0));
  log.write(FLT_LOG_ERROR, "the database is damaged", {{sdk::str("fault"), sdk::str(fault)}});
  refuse_damaged(options_.path, fault);
}

void Database::prepare() {
  begin_ = {db_, "BEGIN IMMEDIATE"};
  commit_ = {db_, "COMMIT"};
  rollback_ = {db_, "ROLLBACK"};
  find_ = {db_, "SELECT id, mod_rev, create_rev FROM live WHERE key = ?1"};
  read_ = {db_, "SELECT value, create_rev, mod_rev FROM live WHERE key = ?1"};
  insert_ = {db_, "INSERT INTO live(key, create_rev, mod_rev, value) VALUES(?1, ?2, ?2, ?3)"};
  update_ = {db_, "UPDATE live SET mod_rev = ?2, value = ?3 WHERE id = ?1"};
  remove_ = {db_, "DELETE FROM live WHERE id = ?1"};
  retire_ = {db_,
             "INSERT INTO history SELECT ?2, key, create_rev, mod_rev, ?3, value FROM live WHERE id = ?1"};
  write_meta_ = {db_, "UPDATE meta SET revision = ?1, compacted = ?2"};
  scan_ = {
      db_,
      "SELECT key, value, create_rev, mod_rev FROM live WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3"};
  count_ = {db_, "SELECT count(*) FROM live WHERE key >= ?1 AND key < ?2"};
  scan_past_ = {
      db_,
      "SELECT key, value, create_rev, mod_rev FROM live WHERE key >= ?1 AND key < ?2 AND mod_rev <= ?4 "
      "UNION ALL "
      "SELECT key, value, create_rev, mod_rev FROM history "
      "WHERE id >= ?5 AND key >= ?1 AND key < ?2 AND mod_rev <= ?4 ORDER BY 1 LIMIT ?3"};
  forget_ = {db_,
             "DELETE FROM history WHERE id IN (SELECT id FROM history WHERE id < ?1 ORDER BY id LIMIT ?2)"};
  oldest_ = {db_, "SELECT 1 FROM history WHERE id < ?1 LIMIT 1"};
  read_meta();
}

void Database::read_meta() {
  Statement meta(db_, "SELECT revision, compacted FROM meta");
  Row row(meta);
  if (!row) throw SqliteError(SQLITE_CORRUPT, "read meta", "the row is missing");
  revision_ = saved_revision_ = row->integer(0);
  compacted_ = saved_compacted_ = row->integer(1);
}

std::int64_t Database::pragma(const char* name) {
  Statement statement(db_, "PRAGMA " + std::string(name));
  Row row(statement);
  return row ? row->integer(0) : 0;
}

std::uint64_t file_bytes(const std::string& path) {
  return file_size(path) + file_size(path + "-wal");
}

void Database::begin() {
  begin_.run();
}

bool Database::apply(const PendingCommit& commit, sdk::KvList* kvs) {
  const std::int64_t next = revision_ + 1;
  bool holds = commit.expect_revision == 0 || commit.expect_revision == next;
  // The last guard's row: most commits are one write of the key that they guard.
  const std::string* guarded = nullptr;
  std::int64_t guarded_id = 0;
  for (const PendingGuard& guard : commit.guards) {
    if (!holds) break;
    Row row(find_.bind(1, guard.key));
    holds = (row ? row->integer(1) : 0) == guard.mod_revision;
    guarded = &guard.key;
    guarded_id = row ? row->integer(0) : 0;
  }
  if (!holds) {
    if ((commit.flags & FLT_COMMIT_RETURN_CURRENT) != 0)
      for (const PendingGuard& guard : commit.guards) add_current(guard.key, *kvs);
    return false;
  }
  if ((commit.flags & FLT_COMMIT_RETURN_PREVIOUS) != 0)
    for (const PendingOp& op : commit.ops) add_current(op.key, *kvs);
  std::int64_t n = 0;
  for (const PendingOp& op : commit.ops) {
    std::int64_t id = guarded_id;
    if (&op != &commit.ops.front() || guarded == nullptr || *guarded != op.key) {
      Row row(find_.bind(1, op.key));
      id = row ? row->integer(0) : 0;
    }
    if (id != 0) retire_.bind(1, id).bind(2, next * kOpsPerRevision + n++).bind(3, op.remove ? 1 : 0).run();
    if (op.remove) {
      if (id != 0) remove_.bind(1, id).run();
    } else if (id != 0) {
      update_.bind(1, id).bind(2, next).bind(3, op.value).run();
    } else {
      insert_.bind(1, op.key).bind(2, next).bind(3, op.value).run();
    }
  }
  revision_ = next;
  compacted_ = std::max(compacted_, revision_ - options_.history_revisions);
  return true;
}

void Database::add_current(const std::string& key, sdk::KvList& kvs) {
  if (Row row(read_.bind(1, key)); row) kvs.add({key, row->bytes(0), row->integer(1), row->integer(2)});
}

void Database::save() {
  if (revision_ != saved_revision_ || compacted_ != saved_compacted_)
    write_meta_.bind(1, revision_).bind(2, compacted_).run();
  commit_.run();
  saved_revision_ = revision_;
  saved_compacted_ = compacted_;
}

void Database::roll_back() noexcept {
  revision_ = saved_revision_;
  compacted_ = saved_compacted_;
  try {
    if (sqlite3_get_autocommit(db_) == 0) rollback_.run();
    read_meta();
  } catch (const sdk::Failure&) {
    // The file cannot even be read now; probe() will tell when it can.
  }
}

Database::RangeTotals Database::range(const PendingRange& request, sdk::KvList& kvs) {
  RangeTotals totals;
  totals.revision = request.revision == 0 ? revision_ : request.revision;
  if (totals.revision > revision_) sdk::refuse_future(totals.revision, revision_);
  if (totals.revision < compacted_) sdk::refuse_compacted(totals.revision, compacted_);
  PendingRange exact = request;
  if (exact.alone) exact.end = exact.key + '\0';
  totals.revision == revision_ ? range_now(exact, totals, kvs) : range_past(exact, totals, kvs);
  return totals;
}

void Database::range_now(const PendingRange& request, RangeTotals& totals, sdk::KvList& kvs) {
  const bool values = (request.flags & FLT_RANGE_KEYS_ONLY) == 0;
  const std::int64_t limit = request.limit == 0 ? -1 : static_cast<std::int64_t>(request.limit) + 1;
  scan_.bind(1, request.key).bind(2, request.end).bind(3, limit);
  for (; scan_.step(); ++totals.count) {
    totals.more = request.limit != 0 && kvs.size() == request.limit;
    if (!totals.more) kvs.add({scan_.bytes(0), scan_.bytes(1), scan_.integer(2), scan_.integer(3)}, values);
  }
  scan_.reset();
  if (totals.more && (request.flags & FLT_RANGE_COUNT) != 0) {
    Row row(count_.bind(1, request.key).bind(2, request.end));
    if (row) totals.count = static_cast<std::uint64_t>(row->integer(0));
  }
}

void Database::range_past(const PendingRange& request, RangeTotals& totals, sdk::KvList& kvs) {
  const bool values = (request.flags & FLT_RANGE_KEYS_ONLY) == 0;
  const bool count_all = (request.flags & FLT_RANGE_COUNT) != 0;
  const std::int64_t limit =
      request.limit == 0 || count_all ? -1 : static_cast<std::int64_t>(request.limit) + 1;
  scan_past_.bind(1, request.key).bind(2, request.end).bind(3, limit).bind(4, totals.revision);
  scan_past_.bind(5, (totals.revision + 1) * kOpsPerRevision);
  for (; scan_past_.step(); ++totals.count) {
    if (request.limit != 0 && kvs.size() == request.limit) {
      totals.more = true;
    } else {
      kvs.add({scan_past_.bytes(0), scan_past_.bytes(1), scan_past_.integer(2), scan_past_.integer(3)},
              values);
    }
  }
  scan_past_.reset();
}

void Database::compact(std::int64_t revision) {
  if (revision > revision_) sdk::refuse_future(revision, revision_);
  if (revision <= compacted_) return;
  begin();
  compacted_ = revision;
  save();
}

bool Database::tend() {
  const std::int64_t bound = (compacted_ + 1) * kOpsPerRevision;
  const auto due = [&] { return static_cast<bool>(Row(oldest_.bind(1, bound))); };
  bool more = false;
  if (due()) {
    begin();
    forget_.bind(1, bound).bind(2, kForgetAtOnce).run();
    save();
    more = due();
  }
  if (const std::int64_t free = pragma("freelist_count");
      free > kFreePagesKept && free > pragma("page_count") / 5) {
    execute(db_, "PRAGMA incremental_vacuum(256)");
    more = true;
  }
  if (wal_pages_ > kCheckpointPages) {
    // Nobody else reads, so all of it goes over and the log starts again from its beginning.
    if (sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr) != SQLITE_OK)
      throw SqliteError(db_, "checkpoint");
    wal_pages_ = 0;
  }
  return more;
}

// As much as a group of commits needs, so that the last free page is no reason to go on.
void Database::probe() {
  roll_back();
  execute(db_, "BEGIN IMMEDIATE; INSERT OR REPLACE INTO probe VALUES(1, zeroblob(262144)); COMMIT");
  execute(db_, "DELETE FROM probe");
  sync();
  read_meta();
}

void Database::abandon() noexcept {
  sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

void Database::close_cleanly() {
  execute(db_, "UPDATE meta SET clean = 1");
  sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
}

}  // namespace flotilla::plugins::storage
