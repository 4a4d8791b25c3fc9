// SPDX-License-Identifier: Apache-2.0
// The conformance suite against the etcd backend, over one member and over three.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>

#include "sdk/conformance/storage_suite.hpp"
#include "tests/fakes/etcd_server.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_storage_etcd;
}

namespace flotilla::conformance {
namespace {

struct Case {
  int members;
  const StorageCheck* check;
};

class Storage_Etcd_Conformance : public testing::TestWithParam<Case> {
 protected:
  static fakes::EtcdCluster& cluster(int members) {
    static std::unique_ptr<fakes::EtcdCluster> running;
    if (!running || running->size() != members) {
      running.reset();
      running = std::make_unique<fakes::EtcdCluster>(fakes::EtcdCluster::Options{.members = members});
    }
    return *running;
  }
};

TEST_P(Storage_Etcd_Conformance, holds) {
  StorageSubject subject;
  subject.component = flt_plugin_storage_etcd.components[0];
  subject.config_json = cluster(GetParam().members).config(std::string("/check/") + GetParam().check->id);
  subject.seed = std::random_device()();
  const Verdict verdict = run_check(*GetParam().check, subject);
  if (verdict.outcome == Verdict::NotApplicable) GTEST_SKIP() << verdict.why;
  EXPECT_EQ(verdict.why, "");
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const int members : {1, 3})
    for (const StorageCheck& check : storage_checks()) all.push_back({members, &check});
  return all;
}

INSTANTIATE_TEST_SUITE_P(, Storage_Etcd_Conformance, testing::ValuesIn(cases()), [](const auto& info) {
  std::string name = "members_" + std::to_string(info.param.members) + "_" + info.param.check->id;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace flotilla::conformance
