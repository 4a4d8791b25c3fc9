// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/data_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "core/daemon/pki.hpp"

namespace flotilla::daemon {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Daemon_DataDir : public testing::Test {
 protected:
  Daemon_DataDir() {
    std::string name = (fs::temp_directory_path() / "flotilla-data-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Daemon_DataDir() override { fs::remove_all(folder_); }
  std::string folder_;
};

TEST_F(Daemon_DataDir, is_made_for_the_owner_alone) {
  const auto opened = DataDir::open(folder_ + "/a/b");
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(fs::status(folder_ + "/a/b").permissions(), fs::perms::owner_all);
}

TEST_F(Daemon_DataDir, belongs_to_one_daemon_at_a_time) {
  auto first = DataDir::open(folder_);
  ASSERT_TRUE(first.ok());
  const auto second = DataDir::open(folder_);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message(),
              HasSubstr("in use by the daemon with pid " + std::to_string(getpid())));
  { const DataDir gone = std::move(*first); }
  EXPECT_TRUE(DataDir::open(folder_).ok());
}

TEST_F(Daemon_DataDir, names_the_folder_that_cannot_be_made) {
  const auto opened = DataDir::open("/proc/flotilla");
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().message(), HasSubstr("/proc/flotilla"));
  EXPECT_FALSE(DataDir::open("").ok());
}

TEST_F(Daemon_DataDir, keeps_its_authority_and_renews_the_serving_certificate_for_new_names) {
  const ManualClock clock(WallTime(std::chrono::seconds(1'750'000'000)));
  const auto directory = DataDir::open(folder_);
  ASSERT_TRUE(directory.ok());
  const auto first = Pki::load_or_make(*directory, {"localhost", "127.0.0.1"}, clock);
  ASSERT_TRUE(first.ok());
  const auto again = Pki::load_or_make(*directory, {"localhost"}, clock);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->server.certificate_pem, first->server.certificate_pem);
  const auto wider = Pki::load_or_make(*directory, {"localhost", "fleet.example.org"}, clock);
  ASSERT_TRUE(wider.ok());
  EXPECT_EQ(wider->authority.certificate_pem, first->authority.certificate_pem);
  EXPECT_NE(wider->server.certificate_pem, first->server.certificate_pem);
  struct stat info {};
  ASSERT_EQ(stat((folder_ + "/pki/ca.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(Daemon_DataDir, renews_a_certificate_that_nears_its_end) {
  ManualClock clock(WallTime(std::chrono::seconds(1'750'000'000)));
  const auto directory = DataDir::open(folder_);
  const auto first = Pki::load_or_make(*directory, {"localhost"}, clock);
  clock.advance(std::chrono::hours(24 * 340));
  const auto later = Pki::load_or_make(*directory, {"localhost"}, clock);
  ASSERT_TRUE(first.ok() && later.ok());
  EXPECT_NE(later->server.certificate_pem, first->server.certificate_pem);
}

}  // namespace
}  // namespace flotilla::daemon
