// SPDX-License-Identifier: Apache-2.0
// A daemon is an object: several live in one process and know nothing of each other.
#include "core/daemon/daemon.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "core/base/clock.hpp"
#include "core/controllers/kinds.hpp"
#include "core/store/store.hpp"

namespace flotilla::daemon {
namespace {

namespace fs = std::filesystem;

class Daemon_Object : public testing::Test {
 protected:
  Daemon_Object() {
    std::string name = (fs::temp_directory_path() / "flotilla-daemons-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Daemon_Object() override { fs::remove_all(folder_); }

  std::unique_ptr<Daemon> started(const std::string& name, const std::string& profile) {
    config::Settings settings;
    settings.data_dir = folder_ / name;
    settings.listen = "127.0.0.1:0";
    settings.profile = profile;
    settings.log.level = "error";
    settings.plugins.directories = {FLOTILLA_BUILT_PLUGINS};
    auto daemon = std::make_unique<Daemon>(std::move(settings), clock_);
    const Status status = daemon->start();
    EXPECT_TRUE(status.ok()) << (status.ok() ? std::string() : status.error().message());
    return daemon;
  }

  static bool has_namespace(Daemon& daemon, const std::string& name) {
    return daemon.store().get(store::collection_of("", "namespaces"), "", name) != nullptr;
  }

  const SystemClock clock_;
  fs::path folder_;
};

TEST_F(Daemon_Object, lives_beside_others_in_one_process) {
  const auto one = started("one", "control-plane");
  const auto two = started("two", "control-plane");
  const auto member = started("member", "member");
  EXPECT_NE(one->url(), two->url());
  EXPECT_NE(two->url(), member->url());
  for (Daemon* daemon : {one.get(), two.get(), member.get()}) {
    EXPECT_TRUE(has_namespace(*daemon, "default"));
    EXPECT_TRUE(fs::exists(daemon->kubeconfig_path()));
  }
  EXPECT_EQ(one->store().count(store::collection_of("", "nodes")), 0u);
  one->stop();
  EXPECT_TRUE(has_namespace(*two, "default"));
  EXPECT_EQ(member->store().count(store::collection_of("", "nodes")), 3u);
}

TEST_F(Daemon_Object, starts_again_where_it_stopped) {
  Revision before;
  {
    const auto first = started("same", "control-plane");
    before = first->store().revision();
  }
  const auto second = started("same", "control-plane");
  EXPECT_GE(second->store().revision(), before);
  EXPECT_TRUE(has_namespace(*second, "kube-system"));
}

TEST_F(Daemon_Object, refuses_a_data_directory_in_use) {
  const auto first = started("busy", "control-plane");
  config::Settings settings;
  settings.data_dir = folder_ / "busy";
  settings.listen = "127.0.0.1:0";
  settings.log.level = "off";
  settings.plugins.directories = {FLOTILLA_BUILT_PLUGINS};
  Daemon second(settings, clock_);
  const Status status = second.start();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message().find("busy"), std::string::npos) << status.error().message();
  EXPECT_TRUE(has_namespace(*first, "default"));
}

}  // namespace
}  // namespace flotilla::daemon
