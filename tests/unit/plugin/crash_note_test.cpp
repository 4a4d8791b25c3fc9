// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/crash_note.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <csignal>
#include <flotilla/sdk/scheduler.hpp>
#include <fstream>

#include "core/plugin/registry.hpp"

namespace flotilla::plugin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Plugin_CrashNote : public ::testing::Test {
 protected:
  Plugin_CrashNote() {
    std::string name = ::testing::TempDir() + "flotilla-crash-XXXXXX";
    directory_ = ::mkdtemp(name.data());
  }
  ~Plugin_CrashNote() override { std::filesystem::remove_all(directory_); }
  // A process of its own that dies inside the component.
  void crash_inside(const char* component) {
    EXPECT_DEATH(
        {
          for (int signal : {SIGSEGV, SIGABRT}) std::signal(signal, SIG_DFL);
          note_crashes_in(file());
          const CrashNote note(component);
          std::abort();
        },
        std::string("crashed inside plugin component ") + component);
  }
  std::filesystem::path file() const { return directory_ / "plugin-crashes"; }

  std::filesystem::path directory_;
  WallTime now_{std::chrono::hours(1000)};
};

TEST_F(Plugin_CrashNote, one_crash_is_forgiven_two_are_not) {
  EXPECT_THAT(crashed_too_often(file(), now_), IsEmpty());
  crash_inside("bad");
  EXPECT_THAT(crashed_too_often(file(), now_), IsEmpty());
  crash_inside("good");
  EXPECT_THAT(crashed_too_often(file(), now_ + std::chrono::minutes(1)), IsEmpty());
  crash_inside("bad");
  EXPECT_THAT(crashed_too_often(file(), now_ + std::chrono::minutes(9)), ElementsAre("bad"));
  EXPECT_THAT(crashed_too_often(file(), now_ + std::chrono::minutes(12)), IsEmpty());
  EXPECT_THAT(crashed_too_often(file(), now_ + std::chrono::minutes(30)), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(Plugin_CrashNote, a_crash_outside_of_plugins_names_nobody) {
  { const CrashNote note("somebody"); }
  EXPECT_DEATH(
      {
        std::signal(SIGABRT, SIG_DFL);
        note_crashes_in(file());
        std::abort();
      },
      "");
  EXPECT_FALSE(std::filesystem::exists(file()));
}

class Innocent {
 public:
  static constexpr sdk::SchedulerInfo kInfo = {.name = "innocent", .summary = "Was there"};
  void score(sdk::Workload, sdk::Table, sdk::Scores) const {}
};
constexpr const flt_component_t* kComponents[] = {&sdk::scheduler_component<Innocent>};
constexpr flt_plugin_v1_t kPlugin =
    sdk::make_plugin({.id = "org.example.innocent", .version = "1.0.0", .name = "Innocent"}, kComponents, 1);

TEST_F(Plugin_CrashNote, who_crashed_too_often_is_left_out_with_the_reason) {
  SystemClock clock;
  Executor executor(clock, {.io_threads = 1, .blocking_threads = 1});
  HostEnvironment environment(executor, "flotilla test");
  Registry registry(environment);
  registry.distrust({"innocent"});
  EXPECT_FALSE(registry.adopt(&kPlugin).ok());
  EXPECT_EQ(registry.records().back().state, PluginState::Quarantined);
  EXPECT_THAT(registry.records().back().reason, HasSubstr("innocent crashed the daemon or hung twice"));
  EXPECT_EQ(registry.find(FLT_KIND_SCHEDULER, "innocent"), nullptr);
  executor.stop();
}

}  // namespace
}  // namespace flotilla::plugin
