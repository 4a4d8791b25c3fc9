// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/audit/audit_log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

namespace flotilla::apiserver {
namespace {

class ApiServer_AuditLog : public testing::Test {
 protected:
  ApiServer_AuditLog() {
    std::string pattern = testing::TempDir() + "audit-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~ApiServer_AuditLog() override { std::filesystem::remove_all(folder_); }

  std::shared_ptr<AuditLog> open(AuditLogOptions options) {
    options.path = folder_ + "/audit.log";
    auto log = std::make_shared<AuditLog>(executor_, options);
    EXPECT_TRUE(log->open().ok());
    return log;
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator()));
  }
  std::size_t lines() const {
    std::ifstream file(folder_ + "/audit.log");
    std::size_t count = 0;
    for (std::string line; std::getline(file, line);) ++count;
    return count;
  }

  SystemClock clock_;
  Executor executor_{clock_};
  std::string folder_;
};

TEST_F(ApiServer_AuditLog, keeps_the_order_in_which_lines_came) {
  const auto log = open({});
  for (int i = 0; i < 3; ++i) log->write(std::to_string(i));
  log->flush();
  std::ifstream file(folder_ + "/audit.log");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(text, "0\n1\n2\n");
}

TEST_F(ApiServer_AuditLog, many_threads_lose_nothing) {
  const auto log = open({});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&log] {
      for (int j = 0; j < 500; ++j) log->write("line");
    });
  for (std::thread& thread : threads) thread.join();
  log->flush();
  EXPECT_EQ(lines(), 2000u);
}

TEST_F(ApiServer_AuditLog, drops_and_counts_what_nobody_takes_away) {
  AuditLogOptions options;
  options.max_pending = 2;
  const auto log = open(options);
  for (int i = 0; i < 5; ++i) log->write("x");
  EXPECT_EQ(log->dropped(), 3u);
  log->flush();
  EXPECT_EQ(lines(), 2u);
}

TEST_F(ApiServer_AuditLog, rotates_and_keeps_so_many) {
  AuditLogOptions options;
  options.max_bytes = 10;
  options.max_backups = 2;
  const auto log = open(options);
  for (int i = 0; i < 6; ++i) {
    log->write("12345678");
    log->flush();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // names differ in thousandths
  }
  EXPECT_EQ(files(), 3u);
  EXPECT_EQ(lines(), 1u);
}

}  // namespace
}  // namespace flotilla::apiserver
