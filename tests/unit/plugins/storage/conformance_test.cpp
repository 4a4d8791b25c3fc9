// SPDX-License-Identifier: Apache-2.0
// The conformance suite against the backends of this tree.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "sdk/conformance/storage_suite.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_storage_memory;
extern const flt_plugin_v1_t flt_plugin_storage_sqlite;
}

namespace flotilla::conformance {
namespace {

struct Case {
  const char* backend;
  const flt_plugin_v1_t* plugin;
  const StorageCheck* check;
};

class Storage_Conformance : public testing::TestWithParam<Case> {};

TEST_P(Storage_Conformance, holds) {
  std::string folder = testing::TempDir() + "storage-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  StorageSubject subject;
  subject.component = GetParam().plugin->components[0];
  subject.state_dir = folder;
  subject.seed = std::random_device()();
  const Verdict verdict = run_check(*GetParam().check, subject);
  std::filesystem::remove_all(folder);
  if (verdict.outcome == Verdict::NotApplicable) GTEST_SKIP() << verdict.why;
  EXPECT_EQ(verdict.why, "");
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const StorageCheck& check : storage_checks()) {
    all.push_back({"memory", &flt_plugin_storage_memory, &check});
    all.push_back({"sqlite", &flt_plugin_storage_sqlite, &check});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(, Storage_Conformance, testing::ValuesIn(cases()), [](const auto& info) {
  std::string name = std::string(info.param.backend) + "_" + info.param.check->id;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace flotilla::conformance
