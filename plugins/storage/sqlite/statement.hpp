// SPDX-License-Identifier: Apache-2.0
// Prepared statements and errors of SQLite, nothing more.
#pragma once

#include <sqlite3.h>
#include <flotilla/sdk/plugin.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace flotilla::plugins::storage {

// Says what was being done; disk full and I/O errors are told apart by code.
class SqliteError : public sdk::Failure {
 public:
  SqliteError(sqlite3* db, std::string_view doing);
  SqliteError(int result, std::string_view doing, const std::string& message);
  int result() const { return result_; }  // primary result code

 private:
  int result_;
};

class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* db, std::string_view sql);
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(Statement&& other) noexcept
      : db_(other.db_), statement_(std::exchange(other.statement_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(db_, other.db_);
    std::swap(statement_, other.statement_);
    return *this;
  }

  // Bound text and bytes must live until reset().
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view bytes);
  Statement& bind_null(int index);
  // True: a row is there.
  bool step();
  // Runs to the end and resets.
  void run();
  void reset() { sqlite3_reset(statement_); }

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string_view bytes(int column) const;

 private:
  sqlite3* db_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

// Resets a statement when the look at its row is over.
class Row {
 public:
  explicit Row(Statement& statement) : statement_(statement), there_(statement.step()) {}
  ~Row() { statement_.reset(); }
  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;
  explicit operator bool() const { return there_; }
  const Statement* operator->() const { return &statement_; }

 private:
  Statement& statement_;
  bool there_;
};

void execute(sqlite3* db, const char* sql);

}  // namespace flotilla::plugins::storage
