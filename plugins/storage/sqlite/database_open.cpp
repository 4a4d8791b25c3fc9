// SPDX-License-Identifier: Apache-2.0
// Opening the file: lock, schema, is it whole, and putting right what can be.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "database.hpp"
#include "repair.hpp"

namespace flotilla::plugins::storage {
namespace {

constexpr std::int64_t kApplicationId = 0x464c544c;  // "FLTL"
constexpr std::int64_t kFormat = 2;
constexpr std::uint64_t kAlwaysVerifyBelow = 32u << 20;

[[noreturn]] void refuse_start(flt_status_t code, const std::string& path, const std::string& why) {
  throw sdk::Failure(code, path + ": " + why);
}

[[noreturn]] void refuse_damaged(const std::string& path, const std::string& fault) {
  const std::string folder = path.substr(0, path.rfind('/'));
  refuse_start(FLT_DATA_LOSS, path,
               "is damaged (" + fault + "); restore a backup: mv " + path + " " + path +
                   ".damaged && rm -f " + path + "-wal && flotillactl restore FILE --data-dir " + folder);
}

int note_log_size(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

// A new file is there after a power failure only if its folder was synced.
void sync_folder(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

Database::Database(const SqliteOptions& options, const sdk::Log& log)
    : options_(options), lock_(options.path) {
  try {
    open(options);
    verify(log);
    upgrade();
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
    if (!fresh && (pragma("user_version") < 1 || pragma("user_version") > kFormat))
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
    if (fresh) create_schema(db_);
  } catch (const SqliteError& error) {
    if (error.result() == SQLITE_BUSY)
      refuse_start(FLT_FAILED_PRECONDITION, options.path, "is in use by another process; stop it first");
    if (error.result() == SQLITE_NOTADB) refuse_damaged(options.path, "it is no database");
    throw;
  }
}

void Database::open_log() {
  const std::string path = options_.path + "-wal";
  log_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (log_ < 0) refuse_start(FLT_UNAVAILABLE, path, std::string("cannot be opened: ") + std::strerror(errno));
  sync_folder(options_.path);
}

void create_schema(sqlite3* db) {
  execute(db,
          "BEGIN IMMEDIATE;"
          "PRAGMA application_id = 1179407436; PRAGMA user_version = 2;"
          "CREATE TABLE live(id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, create_rev INTEGER NOT NULL,"
          " mod_rev INTEGER NOT NULL, value BLOB NOT NULL);"
          "CREATE TABLE history(id INTEGER PRIMARY KEY, key BLOB NOT NULL, create_rev INTEGER NOT NULL,"
          " mod_rev INTEGER NOT NULL, removed INTEGER NOT NULL, value BLOB NOT NULL);"
          "CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL,"
          " compacted INTEGER NOT NULL, clean INTEGER NOT NULL, keys INTEGER NOT NULL DEFAULT 0,"
          " digest INTEGER NOT NULL DEFAULT 0, loading INTEGER NOT NULL DEFAULT 0);"
          "CREATE TABLE probe(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
          "INSERT INTO meta(id, revision, compacted, clean) VALUES(1, 1, 1, 1);"
          "COMMIT");
  static_assert(kApplicationId == 1179407436 && kFormat == 2);
}

// After a clean stop a large file is believed; otherwise its structure is walked. What is damaged is built
// anew from the live data, if all of that can be read.
void Database::verify(const sdk::Log& log) {
  std::string fault;
  try {
    Statement meta(db_, "SELECT clean FROM meta");
    bool clean = false;
    if (Row row(meta); row) clean = row->integer(0) != 0;
    if (clean && file_size(options_.path) > kAlwaysVerifyBelow) return;
    Statement check(db_, "PRAGMA quick_check(1)");
    Row row(check);
    if (!row || row->bytes(0) == "ok") return;
    fault = row->bytes(0);
  } catch (const SqliteError& error) {
    if (error.code() != FLT_DATA_LOSS) throw;
    fault = error.what();
  }
  log.write(FLT_LOG_ERROR, "the database is damaged",
            {{sdk::str("path"), sdk::str(options_.path)}, {sdk::str("fault"), sdk::str(fault)}});
  const std::string why_not = rebuild_from_live(db_, options_.path);
  if (!why_not.empty()) refuse_damaged(options_.path, fault + "; " + why_not);
  sqlite3_close_v2(std::exchange(db_, nullptr));
  put_rebuilt_in_place(options_.path);
  open(options_);
  log.write(FLT_LOG_WARN,
            "the database was built anew from its live data, all of which was read; history is gone",
            {{sdk::str("path"), sdk::str(options_.path)},
             {sdk::str("damaged"), sdk::str(options_.path + ".damaged")}});
}

// Format 1 had neither count nor fingerprint of what is live.
void Database::upgrade() {
  if (pragma("user_version") == kFormat) return;
  execute(db_,
          "BEGIN IMMEDIATE;"
          "ALTER TABLE meta ADD COLUMN keys INTEGER NOT NULL DEFAULT 0;"
          "ALTER TABLE meta ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;"
          "ALTER TABLE meta ADD COLUMN loading INTEGER NOT NULL DEFAULT 0");
  Content content;
  Statement all(db_, "SELECT key, mod_rev FROM live");
  while (all.step()) content.add(all.bytes(0), all.integer(1));
  Statement write(db_, "UPDATE meta SET keys = ?1, digest = ?2");
  write.bind(1, content.keys).bind(2, static_cast<std::int64_t>(content.digest)).run();
  execute(db_, "PRAGMA user_version = 2; COMMIT");
}

}  // namespace flotilla::plugins::storage
