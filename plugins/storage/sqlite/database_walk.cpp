// SPDX-License-Identifier: Apache-2.0
// All of the database at once: walks for snapshots and checks, and filling an empty one.
#include <algorithm>

#include "database.hpp"

namespace flotilla::plugins::storage {
namespace {

constexpr std::int64_t kRowsAtOnce = 512;

}  // namespace

void Database::begin_walk(Walk& walk) {
  walk.revision = now_.revision;
  walk.content = now_.content;
  walk.next.clear();
  walk.replaced.clear();
  walks_.push_back(&walk);
}

void Database::end_walk(Walk& walk) noexcept {
  std::erase(walks_, &walk);
}

// What stands in live at the walk's revision or before is told from there; what was replaced or deleted since
// from history, where it lies until the walk ends.
bool Database::walk(Walk& walk, std::size_t bytes, const Take& take) {
  std::size_t told = 0;
  std::int64_t rows = 0;
  walk_.bind(1, walk.next).bind(2, kRowsAtOnce);
  while (told < bytes && walk_.step()) {
    ++rows;
    const std::string key(walk_.bytes(0));
    tell_replaced(walk, &key, told, take);
    if (walk_.integer(3) <= walk.revision) {
      take({key, walk_.bytes(1), walk_.integer(2), walk_.integer(3)});
      told += key.size() + walk_.bytes(1).size();
    }
    walk.next = key + '\0';
  }
  walk_.reset();
  if (rows == kRowsAtOnce || told >= bytes) return true;
  while (!walk.replaced.empty() && told < bytes) tell_replaced(walk, nullptr, told, take);
  return !walk.replaced.empty();
}

// Those up to a key, or one.
void Database::tell_replaced(Walk& walk, const std::string* until, std::size_t& bytes, const Take& take) {
  while (!walk.replaced.empty() && (until == nullptr || walk.replaced.begin()->first <= *until)) {
    const auto first = walk.replaced.begin();
    Row row(walk_past_.bind(1, first->second));
    if (!row) throw SqliteError(SQLITE_CORRUPT, "walk", "a row of history is missing");
    take({first->first, row->bytes(1), row->integer(2), row->integer(3)});
    bytes += first->first.size() + row->bytes(1).size();
    walk.next = first->first + '\0';
    walk.replaced.erase(first);
    if (until == nullptr) return;
  }
}

std::vector<std::string> Database::faults() {
  std::vector<std::string> found;
  Statement check(db_, "PRAGMA integrity_check(100)");
  while (check.step()) {
    if (check.bytes(0) != "ok") found.emplace_back(check.bytes(0));
  }
  return found;
}

void Database::begin_load() {
  if (!loading_ && now_.content.keys != 0) {
    throw sdk::Failure(FLT_FAILED_PRECONDITION,
                       options_.path + " has " + std::to_string(now_.content.keys) +
                           " keys; only an empty database takes a backup",
                       "NotEmpty");
  }
  begin();
  execute(db_, "DELETE FROM live; DELETE FROM history; UPDATE meta SET loading = 1");
  now_ = Meta();
  vacant_.clear();
  write_meta();
  commit_.run();
  saved_ = now_;
  loading_ = true;
}

void Database::load(std::span<const sdk::StoredValue> values) {
  Statement insert(db_, "INSERT INTO live(key, create_rev, mod_rev, value) VALUES(?1, ?2, ?3, ?4)");
  begin();
  for (const sdk::StoredValue& value : values) {
    insert.bind(1, value.key)
        .bind(2, value.create_revision)
        .bind(3, value.mod_revision)
        .bind(4, value.value)
        .run();
    now_.content.add(value.key, value.mod_revision);
  }
  write_meta();
  commit_.run();
  saved_ = now_;
  if (wal_pages_ > 2000) checkpoint();
}

void Database::end_load(std::int64_t revision) {
  begin();
  now_.revision = now_.compacted = revision;
  write_meta();
  execute(db_, "UPDATE meta SET loading = 0");
  commit_.run();
  saved_ = now_;
  sync();
  loading_ = false;
}

}  // namespace flotilla::plugins::storage
