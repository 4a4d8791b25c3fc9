// SPDX-License-Identifier: Apache-2.0
#include "repair.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>

#include "database.hpp"

namespace flotilla::plugins::storage {
namespace {

struct Whole {
  std::int64_t revision = 0;
  Content content;
};

using Take = std::function<void(const Statement& row)>;

// Everything that is live, in the order of the table or of the index. False: damage on the way.
bool read_live(sqlite3* db, const char* order, const Take& take) {
  try {
    Statement all(db, std::string("SELECT key, value, create_rev, mod_rev FROM live ") + order);
    while (all.step()) take(all);
    return true;
  } catch (const SqliteError&) {
    return false;
  }
}

// Two ways to the same rows; either may be the damaged one.
constexpr std::array kOrders = {"NOT INDEXED ORDER BY id", "ORDER BY key"};

const char* whole_order(sqlite3* db, const Whole& whole, Content& most) {
  for (const char* order : kOrders) {
    Content found;
    const bool read =
        read_live(db, order, [&](const Statement& row) { found.add(row.bytes(0), row.integer(3)); });
    if (read && found == whole.content) return order;
    if (found.keys > most.keys) most = found;
  }
  return nullptr;
}

void sync_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!synced) throw sdk::Failure(FLT_UNAVAILABLE, path + ": cannot be synced: " + std::strerror(errno));
}

using Owned = std::unique_ptr<sqlite3, decltype(&sqlite3_close_v2)>;

void copy_live(sqlite3* from, const char* order, const Whole& whole, const std::string& path) {
  ::unlink(path.c_str());
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr);
  const Owned to(raw, sqlite3_close_v2);
  if (opened != SQLITE_OK) throw SqliteError(raw, "open " + path);
  execute(raw,
          "PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = OFF; PRAGMA "
          "synchronous = OFF");
  create_schema(raw);
  execute(raw, "BEGIN IMMEDIATE");
  {
    Statement insert(raw, "INSERT INTO live(key, value, create_rev, mod_rev) VALUES(?1, ?2, ?3, ?4)");
    const bool read = read_live(from, order, [&](const Statement& row) {
      insert.bind(1, row.bytes(0))
          .bind(2, row.bytes(1))
          .bind(3, row.integer(2))
          .bind(4, row.integer(3))
          .run();
    });
    if (!read) throw sdk::Failure(FLT_DATA_LOSS, "the second reading failed");
    Statement meta(raw, "UPDATE meta SET revision = ?1, compacted = ?1, keys = ?2, digest = ?3, clean = 0");
    meta.bind(1, whole.revision)
        .bind(2, whole.content.keys)
        .bind(3, static_cast<std::int64_t>(whole.content.digest))
        .run();
  }
  execute(raw, "COMMIT");
}

}  // namespace

std::string rebuild_from_live(sqlite3* db, const std::string& path) {
  const std::string rebuilt = path + ".rebuilt";
  try {
    Whole whole;
    {
      Statement meta(db, "SELECT revision, keys, digest, loading FROM meta");
      Row row(meta);
      if (!row || row->integer(3) != 0) return "what it should hold is not known";
      whole = {row->integer(0), {row->integer(1), static_cast<std::uint64_t>(row->integer(2))}};
    }
    Content most;
    const char* order = whole_order(db, whole, most);
    if (order == nullptr) {
      return "of " + std::to_string(whole.content.keys) + " keys " + std::to_string(most.keys) +
             " could be read, not all as they were written";
    }
    copy_live(db, order, whole, rebuilt);
    sync_file(rebuilt);
    // Nothing of the old log may be left for the new file.
    if (sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr) != SQLITE_OK ||
        file_size(path + "-wal") != 0)
      return "its log cannot be taken over";
    return {};
  } catch (const sdk::Failure& failure) {
    ::unlink(rebuilt.c_str());
    return failure.what();
  }
}

void put_rebuilt_in_place(const std::string& path) {
  const std::string damaged = path + ".damaged";
  ::unlink(damaged.c_str());
  if (::link(path.c_str(), damaged.c_str()) != 0 ||
      std::rename((path + ".rebuilt").c_str(), path.c_str()) != 0)
    throw sdk::Failure(FLT_UNAVAILABLE, path + ".rebuilt: cannot be put in place: " + std::strerror(errno));
  sync_file(path.substr(0, path.rfind('/') + 1));
}

}  // namespace flotilla::plugins::storage
