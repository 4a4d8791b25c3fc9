// SPDX-License-Identifier: Apache-2.0
// A disk that takes no more: read-only with a reason, nothing answered is lost, writes go on by themselves.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "tests/faults/sqlite_stage.hpp"

namespace flotilla::faults {
namespace {

// No file may grow beyond this; the write then fails as on a broken or full disk.
void limit_file_size(rlim_t bytes) {
  struct rlimit limit {};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = std::min(bytes, limit.rlim_max);
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

TEST(Faults_Storage, a_full_disk_makes_the_store_read_only_until_there_is_room_again) {
  ::signal(SIGXFSZ, SIG_IGN);
  std::string folder = testing::TempDir() + "full-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::vector<std::string> answered;
  {
    SqliteStage stage(folder);
    ASSERT_TRUE(stage.open().ok());
    limit_file_size(400'000);
    const std::string large(4000, 'x');
    Error refused;
    for (int i = 0; refused.code() == Code::Ok; ++i) {
      ASSERT_LT(i, 1000) << "the limit on file size has no effect";
      const std::string name = "n" + std::to_string(i);
      auto made = stage.run(stage.store().create(kThings, thing(name, large), store::Durability::Wait));
      if (made) {
        answered.push_back(name);
      } else {
        refused = made.error();
      }
    }
    EXPECT_EQ(refused.code(), Code::Unavailable);
    EXPECT_TRUE(stage.store().stats().read_only);
    EXPECT_EQ(stage.store().count(kThings), answered.size()) << "what was refused is not shown";
    EXPECT_EQ(stage.store().revision(), stage.store().durable_revision());
    limit_file_size(RLIM_INFINITY);
    for (int i = 0; i < 2000 && stage.store().stats().read_only; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    auto made = stage.run(stage.store().create(kThings, thing("after", large), store::Durability::Wait));
    ASSERT_TRUE(made.ok()) << made.error().message();
    answered.push_back("after");
  }
  SqliteStage stage(folder);
  ASSERT_TRUE(stage.open().ok());
  EXPECT_EQ(stage.store().count(kThings), answered.size());
  for (const std::string& name : answered)
    EXPECT_NE(stage.store().get(kThings, "faults", name), nullptr) << name;
  std::filesystem::remove_all(folder);
}

TEST(Faults_Storage, a_damaged_file_is_refused_with_what_to_do) {
  std::string folder = testing::TempDir() + "damaged-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  {
    SqliteStage stage(folder);
    ASSERT_TRUE(stage.open().ok());
    for (int i = 0; i < 50; ++i) {
      const std::string name = "n" + std::to_string(i);
      ASSERT_TRUE(stage
                      .run(stage.store().create(kThings, thing(name, std::string(2000, 'x')),
                                                store::Durability::Wait))
                      .ok());
    }
  }
  const std::string path = folder + "/flotilla.db";
  std::FILE* file = std::fopen(path.c_str(), "r+b");
  ASSERT_NE(file, nullptr);
  for (long page = 4; page < 12; ++page) {
    std::fseek(file, page * 4096, SEEK_SET);
    for (int i = 0; i < 64; ++i) std::fputc(0x5a, file);
  }
  std::fclose(file);
  SqliteStage stage(folder);
  const Status opened = stage.open();
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), Code::DataLoss);
  EXPECT_NE(opened.error().message().find("restore a backup"), std::string::npos) << opened.error().message();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace flotilla::faults
