// SPDX-License-Identifier: Apache-2.0
#include "statement.hpp"

namespace flotilla::plugins::storage {
namespace {

flt_status_t status_of(int result) {
  switch (result & 0xff) {
    case SQLITE_FULL:
      return FLT_RESOURCE_EXHAUSTED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return FLT_DATA_LOSS;
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return FLT_RESOURCE_EXHAUSTED;
    default:
      return FLT_UNAVAILABLE;
  }
}

const char* reason_of(int result) {
  return (result & 0xff) == SQLITE_FULL ? "NoSpace" : "";
}

}  // namespace

SqliteError::SqliteError(sqlite3* db, std::string_view doing)
    : SqliteError(sqlite3_extended_errcode(db), doing, sqlite3_errmsg(db)) {}

SqliteError::SqliteError(int result, std::string_view doing, const std::string& message)
    : sdk::Failure(status_of(result),
                   std::string(doing) + ": " + message + " (sqlite " + std::to_string(result) + ")",
                   reason_of(result)),
      result_(result & 0xff) {}

Statement::Statement(sqlite3* db, std::string_view sql) : db_(db) {
  if (sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement_,
                         nullptr) != SQLITE_OK)
    throw SqliteError(db, "prepare " + std::string(sql));
}

Statement& Statement::bind(int index, std::int64_t value) {
  if (sqlite3_bind_int64(statement_, index, value) != SQLITE_OK) throw SqliteError(db_, "bind");
  return *this;
}

Statement& Statement::bind(int index, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  if (sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_STATIC) != SQLITE_OK)
    throw SqliteError(db_, "bind");
  return *this;
}

Statement& Statement::bind_null(int index) {
  if (sqlite3_bind_null(statement_, index) != SQLITE_OK) throw SqliteError(db_, "bind");
  return *this;
}

bool Statement::step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  SqliteError error(db_, "execute");
  sqlite3_reset(statement_);
  throw error;
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void execute(sqlite3* db, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) throw SqliteError(db, sql);
}

}  // namespace flotilla::plugins::storage
