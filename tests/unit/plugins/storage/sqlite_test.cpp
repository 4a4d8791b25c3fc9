// SPDX-License-Identifier: Apache-2.0
// What the sqlite backend promises beyond the conformance suite: its file.
#include <flotilla/abi/entry.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "sdk/conformance/storage_client.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_storage_sqlite;
}

namespace flotilla::conformance {
namespace {

class Storage_Sqlite : public testing::Test {
 protected:
  Storage_Sqlite() : folder_(testing::TempDir() + "sqlite-XXXXXX") {
    if (::mkdtemp(folder_.data()) == nullptr) std::abort();
  }
  ~Storage_Sqlite() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<StorageClient> client(std::string config = "{}") {
    return std::make_unique<StorageClient>(host_, *flt_plugin_storage_sqlite.components[0], std::move(config),
                                           folder_);
  }
  std::unique_ptr<StorageClient> started(std::string config = "{}") {
    auto made = client(std::move(config));
    const Answer answer = made->instance().start();
    EXPECT_TRUE(answer.ok()) << answer.message;
    return made;
  }
  std::string path() const { return folder_ + "/flotilla.db"; }
  std::int64_t query(const char* sql) const {
    sqlite3* db = nullptr;
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_prepare_v2(db, sql, -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW);
    const std::int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
  }

  // Keys k0.., each written twice.
  void fill(int keys) {
    const auto db = started();
    for (const char letter : {'a', 'b'}) {
      std::vector<TestHost::Pending> pending;
      for (int i = 0; i < keys; ++i)
        pending.push_back(db->begin(CommitSpec::put("k" + std::to_string(i), std::string(500, letter))));
      for (auto& one : pending) ASSERT_TRUE(one.wait().ok());
    }
  }
  void change(const char* sql) const {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
  // The page that `sql` names, and what lies behind its header is nonsense afterwards.
  void damage(const std::string& sql) const {
    const std::int64_t page = query(sql.c_str());
    std::FILE* file = std::fopen(path().c_str(), "r+b");
    ASSERT_NE(file, nullptr);
    std::fseek(file, static_cast<long>((page - 1) * 4096), SEEK_SET);
    for (int i = 0; i < 4096; ++i) std::fputc(0x5a, file);
    std::fclose(file);
  }

  TestHost host_;
  std::string folder_;
};

TEST_F(Storage_Sqlite, the_file_is_for_its_owner_alone) {
  started();
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(Storage_Sqlite, a_second_user_is_told_who_has_the_file) {
  const auto first = started();
  const auto second = client();
  const Answer answer = second->instance().start();
  EXPECT_EQ(answer.status, FLT_FAILED_PRECONDITION);
  EXPECT_EQ(answer.message, path() + " is in use by process " + std::to_string(::getpid()) +
                                "; stop it, or give this daemon a file of its own");
}

TEST_F(Storage_Sqlite, a_database_of_another_program_is_left_alone) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "CREATE TABLE theirs(x)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  const auto made = client();
  const Answer answer = made->instance().start();
  EXPECT_EQ(answer.status, FLT_FAILED_PRECONDITION);
  EXPECT_NE(answer.message.find("another program"), std::string::npos) << answer.message;
}

TEST_F(Storage_Sqlite, something_that_is_no_database_is_refused) {
  std::FILE* file = std::fopen(path().c_str(), "w");
  ASSERT_NE(file, nullptr);
  for (int i = 0; i < 1000; ++i) std::fputs("hello, this is text\n", file);
  std::fclose(file);
  const auto made = client();
  const Answer answer = made->instance().start();
  EXPECT_EQ(answer.status, FLT_DATA_LOSS);
  EXPECT_NE(answer.message.find("restore a backup"), std::string::npos) << answer.message;
}

// What is damaged but not the data itself is built anew from it.
TEST_F(Storage_Sqlite, a_damaged_index_or_history_is_rebuilt_from_live_data) {
  for (const char* damaged : {"sqlite_autoindex_live_1", "history"}) {
    SCOPED_TRACE(damaged);
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
    fill(300);
    damage(std::string("SELECT rootpage FROM sqlite_schema WHERE name = '") + damaged + "'");
    const auto db = started();
    const Ranged all = db->range({.key = "k"});
    ASSERT_TRUE(all.answer.ok()) << all.answer.message;
    EXPECT_EQ(all.kvs.size(), 300u);
    EXPECT_EQ(all.kvs[7].value, std::string(500, 'b'));
    EXPECT_EQ(db->status().revision, 601);
    EXPECT_TRUE(std::filesystem::exists(path() + ".damaged"));
    ASSERT_TRUE(db->commit(CommitSpec::put("k-after", "1")).succeeded);
  }
}

TEST_F(Storage_Sqlite, damaged_data_is_refused_with_the_next_command) {
  fill(300);
  damage("SELECT rootpage FROM sqlite_schema WHERE name = 'live'");
  const auto made = client();
  const Answer answer = made->instance().start();
  EXPECT_EQ(answer.status, FLT_DATA_LOSS);
  EXPECT_NE(answer.message.find("of 300 keys"), std::string::npos) << answer.message;
  EXPECT_NE(answer.message.find("flotillactl restore FILE --data-dir " + folder_), std::string::npos)
      << answer.message;
  EXPECT_FALSE(std::filesystem::exists(path() + ".damaged"));
}

TEST_F(Storage_Sqlite, a_file_of_the_format_before_is_taken_over) {
  fill(20);
  change(
      "ALTER TABLE meta DROP COLUMN keys; ALTER TABLE meta DROP COLUMN digest;"
      "ALTER TABLE meta DROP COLUMN loading; PRAGMA user_version = 1");
  started();
  EXPECT_EQ(query("PRAGMA user_version"), 2);
  EXPECT_EQ(query("SELECT keys FROM meta"), 20);
  EXPECT_NE(query("SELECT digest FROM meta"), 0);
}

TEST_F(Storage_Sqlite, history_and_file_stay_bounded_while_one_key_changes) {
  {
    const auto db = started(R"({"historyRevisions":50})");
    const std::string value(2000, 'x');
    std::vector<TestHost::Pending> pending;
    for (int i = 0; i < 20'000; ++i) {
      pending.push_back(db->begin(CommitSpec::put("key", value)));
      if (pending.size() < 500) continue;
      for (auto& one : pending) ASSERT_TRUE(one.wait().ok());
      pending.clear();
    }
    ASSERT_EQ(db->status().compacted, db->status().revision - 50);
    EXPECT_EQ(db->range({.key = "key", .end = "", .revision = db->status().compacted}).kvs.size(), 1u);
  }
  EXPECT_EQ(query("SELECT count(*) FROM live"), 1);
  // What a group leaves is deleted between the next ones.
  EXPECT_LE(query("SELECT count(*) FROM history"), 5000);
  EXPECT_LE(std::filesystem::file_size(path()), 32u << 20);
}

TEST_F(Storage_Sqlite, a_configuration_it_does_not_understand_is_refused_by_create) {
  const auto made = client(R"({"cacheMiB":"much"})");
  EXPECT_EQ(made->instance().self(), nullptr);
  EXPECT_EQ(made->instance().created().status, FLT_INVALID_ARGUMENT);
}

TEST_F(Storage_Sqlite, a_folder_that_is_not_there_is_named) {
  const auto made = client(R"({"path":"/nowhere/at/all.db"})");
  const Answer answer = made->instance().start();
  EXPECT_EQ(answer.status, FLT_UNAVAILABLE);
  EXPECT_NE(answer.message.find("/nowhere/at/all.db"), std::string::npos) << answer.message;
}

}  // namespace
}  // namespace flotilla::conformance
