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

constexpr int kCheckpointPages = 8000;        // 32 MB of log
constexpr std::int64_t kForgetAtOnce = 2048;  // rows of history, twice what a group can leave
constexpr std::int64_t kFreePagesKept = 1024;
constexpr std::size_t kVacant = 100'000;

}  // namespace

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

void Database::prepare() {
  begin_ = {db_, "BEGIN IMMEDIATE"};
  commit_ = {db_, "COMMIT"};
  rollback_ = {db_, "ROLLBACK"};
  find_ = {db_, "SELECT id, mod_rev, create_rev FROM live WHERE key = ?1"};
  read_ = {db_, "SELECT value, create_rev, mod_rev FROM live WHERE key = ?1"};
  insert_ = {db_, "INSERT INTO live(id, key, create_rev, mod_rev, value) VALUES(?4, ?1, ?2, ?2, ?3)"};
  update_ = {db_, "UPDATE live SET mod_rev = ?2, value = ?3 WHERE id = ?1"};
  remove_ = {db_, "DELETE FROM live WHERE id = ?1"};
  retire_ = {db_,
             "INSERT INTO history SELECT ?2, key, create_rev, mod_rev, ?3, value FROM live WHERE id = ?1"};
  write_meta_ = {db_, "UPDATE meta SET revision = ?1, compacted = ?2, keys = ?3, digest = ?4"};
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
  walk_ = {db_, "SELECT key, value, create_rev, mod_rev FROM live WHERE key >= ?1 ORDER BY key LIMIT ?2"};
  walk_past_ = {db_, "SELECT key, value, create_rev, mod_rev FROM history WHERE id = ?1"};
  read_meta();
}

void Database::read_meta() {
  Statement meta(db_, "SELECT revision, compacted, keys, digest, loading FROM meta");
  Row row(meta);
  if (!row) throw SqliteError(SQLITE_CORRUPT, "read meta", "the row is missing");
  now_ = {row->integer(0), row->integer(1), {row->integer(2), static_cast<std::uint64_t>(row->integer(3))}};
  saved_ = now_;
  loading_ = row->integer(4) != 0;
}

std::int64_t Database::pragma(const char* name) {
  Statement statement(db_, "PRAGMA " + std::string(name));
  Row row(statement);
  return row ? row->integer(0) : 0;
}

std::uint64_t file_size(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

// FNV-1a of the key, mixed with the revision so that sums of many tell any one apart.
std::uint64_t fingerprint(std::string_view key, std::int64_t mod_revision) {
  std::uint64_t hash = 14695981039346656037ull;
  for (const char byte : key) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211ull;
  hash += static_cast<std::uint64_t>(mod_revision) * 0x9e3779b97f4a7c15ull;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ull;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebull;
  return hash ^ (hash >> 31);
}

void Database::begin() {
  begin_.run();
}

bool Database::apply(const PendingCommit& commit, sdk::KvList* kvs) {
  const std::int64_t next = now_.revision + 1;
  bool holds = commit.expect_revision == 0 || commit.expect_revision == next;
  // The last guard's row: most commits are one write of the key that they guard.
  const std::string* guarded = nullptr;
  Found found;
  for (const PendingGuard& guard : commit.guards) {
    if (!holds) break;
    found = find(guard.key);
    holds = found.mod_revision == guard.mod_revision;
    guarded = &guard.key;
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
    const bool known = &op == &commit.ops.front() && guarded != nullptr && *guarded == op.key;
    write(op, known ? found : find(op.key), next, n);
  }
  now_.revision = next;
  now_.compacted = std::max(now_.compacted, next - options_.history_revisions);
  return true;
}

Database::Found Database::find(const std::string& key) {
  Row row(find_.bind(1, key));
  return row ? Found{row->integer(0), row->integer(1)} : Found{};
}

void Database::write(const PendingOp& op, const Found& old, std::int64_t next, std::int64_t& n) {
  if (old.id != 0) {
    const std::int64_t past = next * kOpsPerRevision + n++;
    retire_.bind(1, old.id).bind(2, past).bind(3, op.remove ? 1 : 0).run();
    for (Walk* walk : walks_) walk->note(op.key, old.mod_revision, past);
    now_.content.remove(op.key, old.mod_revision);
  }
  if (op.remove) {
    if (old.id == 0) return;
    remove_.bind(1, old.id).run();
    if (vacant_.size() < kVacant) vacant_.push_back(old.id);
    return;
  }
  now_.content.add(op.key, next);
  if (old.id != 0) {
    update_.bind(1, old.id).bind(2, next).bind(3, op.value).run();
  } else {
    insert_.bind(1, op.key).bind(2, next).bind(3, op.value);
    vacant_.empty() ? insert_.bind_null(4) : insert_.bind(4, vacant_.back());
    if (!vacant_.empty()) vacant_.pop_back();
    insert_.run();
  }
}

void Database::add_current(const std::string& key, sdk::KvList& kvs) {
  if (Row row(read_.bind(1, key)); row) kvs.add({key, row->bytes(0), row->integer(1), row->integer(2)});
}

void Database::save() {
  if (now_.revision != saved_.revision || now_.compacted != saved_.compacted) write_meta();
  commit_.run();
  saved_ = now_;
}

void Database::write_meta() {
  write_meta_.bind(1, now_.revision)
      .bind(2, now_.compacted)
      .bind(3, now_.content.keys)
      .bind(4, static_cast<std::int64_t>(now_.content.digest))
      .run();
}

void Database::roll_back() noexcept {
  now_ = saved_;
  vacant_.clear();  // some may be taken again
  try {
    if (sqlite3_get_autocommit(db_) == 0) rollback_.run();
    read_meta();
  } catch (const sdk::Failure&) {
    // The file cannot even be read now; probe() will tell when it can.
  }
}

Database::RangeTotals Database::range(const PendingRange& request, sdk::KvList& kvs) {
  RangeTotals totals;
  totals.revision = request.revision == 0 ? now_.revision : request.revision;
  if (totals.revision > now_.revision) sdk::refuse_future(totals.revision, now_.revision);
  if (totals.revision < now_.compacted) sdk::refuse_compacted(totals.revision, now_.compacted);
  PendingRange exact = request;
  if (exact.alone) exact.end = exact.key + '\0';
  totals.revision == now_.revision ? range_now(exact, totals, kvs) : range_past(exact, totals, kvs);
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
  if (revision > now_.revision) sdk::refuse_future(revision, now_.revision);
  if (revision <= now_.compacted) return;
  begin();
  now_.compacted = revision;
  save();
}

bool Database::tend() {
  const bool older = forget();
  const bool smaller = shrink();
  if (wal_pages_ > kCheckpointPages) checkpoint();
  return older || smaller;
}

// Old history, a little of it. What a walk may still read stays.
bool Database::forget() {
  std::int64_t oldest_kept = now_.compacted;
  for (const Walk* walk : walks_) oldest_kept = std::min(oldest_kept, walk->revision);
  const std::int64_t bound = (oldest_kept + 1) * kOpsPerRevision;
  const auto due = [&] { return static_cast<bool>(Row(oldest_.bind(1, bound))); };
  if (!due()) return false;
  begin();
  forget_.bind(1, bound).bind(2, kForgetAtOnce).run();
  save();
  return due();
}

bool Database::shrink() {
  free_pages_ = pragma("freelist_count");
  if (free_pages_ <= kFreePagesKept || free_pages_ <= pragma("page_count") / 5) return false;
  return give_back() > 0;
}

std::int64_t Database::give_back() {
  execute(db_, "PRAGMA incremental_vacuum(256)");
  return free_pages_ = pragma("freelist_count");
}

// Nobody else reads, so all of the log goes over and it starts again from its beginning; with `shorten` as an
// empty file.
void Database::checkpoint(bool shorten) {
  if (sqlite3_wal_checkpoint_v2(db_, nullptr,
                                shorten ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, nullptr,
                                nullptr) != SQLITE_OK)
    throw SqliteError(db_, "checkpoint");
  wal_pages_ = 0;
}

void Database::rebuild_file() {
  checkpoint();
  execute(db_, "VACUUM");
  checkpoint(true);
  free_pages_ = pragma("freelist_count");
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
