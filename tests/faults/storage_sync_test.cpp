// SPDX-License-Identifier: Apache-2.0
// A disk that takes bytes and then fails to keep them: what was not answered may be there or not, what was
// answered is, and nobody writes on top of what may be gone.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "tests/faults/sqlite_stage.hpp"

namespace {
std::atomic<bool> disk_fails = false;
}

// In front of the C library's, for this program and the libraries it loads.
extern "C" int fdatasync(int fd) {
  if (disk_fails.load()) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

namespace flotilla::faults {
namespace {

bool writes_again(store::Store& store) {
  for (int i = 0; i < 2000 && store.stats().read_only; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return !store.stats().read_only;
}

TEST(Faults_Storage, after_a_failed_sync_the_file_is_opened_anew) {
  std::string folder = testing::TempDir() + "sync-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::vector<std::string> answered;
  {
    SqliteStage stage(folder);
    ASSERT_TRUE(stage.open().ok());
    const auto create = [&](const std::string& name) {
      auto made = stage.run(stage.store().create(kThings, thing(name, "value"), store::Durability::Wait));
      if (made) answered.push_back(name);
      return made;
    };
    for (int round = 0; round < 3; ++round) {
      const std::string prefix = "r" + std::to_string(round);
      for (int i = 0; i < 20; ++i) ASSERT_TRUE(create(prefix + "-" + std::to_string(i)).ok());
      disk_fails = true;
      const auto refused = create(prefix + "-lost");
      ASSERT_FALSE(refused.ok());
      EXPECT_EQ(refused.error().code(), Code::Unavailable);
      EXPECT_TRUE(stage.store().stats().read_only);
      EXPECT_NE(stage.store().stats().read_only_reason.find("cannot be synced"), std::string::npos)
          << stage.store().stats().read_only_reason;
      EXPECT_FALSE(create(prefix + "-refused").ok());
      disk_fails = false;
      ASSERT_TRUE(writes_again(stage.store()));
      ASSERT_TRUE(create(prefix + "-after").ok());
    }
    for (const std::string& name : answered)
      EXPECT_NE(stage.store().get(kThings, "faults", name), nullptr) << name;
  }
  SqliteStage stage(folder);
  ASSERT_TRUE(stage.open().ok());
  for (const std::string& name : answered)
    EXPECT_NE(stage.store().get(kThings, "faults", name), nullptr) << name;
  for (const char* never : {"r0-refused", "r1-refused", "r2-refused"})
    EXPECT_EQ(stage.store().get(kThings, "faults", never), nullptr) << never;
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace flotilla::faults
