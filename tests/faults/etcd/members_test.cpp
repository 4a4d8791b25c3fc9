// SPDX-License-Identifier: Apache-2.0
// Members of etcd that are killed, stopped, cut off and started again under load.
#include <gtest/gtest.h>

#include "tests/faults/etcd/load.hpp"

namespace flotilla::faults {
namespace {

using std::chrono::milliseconds;

constexpr const char* kQuick = R"("requestTimeoutMs":2000,"dialTimeoutMs":500)";

TEST(Etcd_Members, a_killed_member_is_replaced_by_the_next) {
  EtcdCluster etcd({.members = 3});
  Load load(etcd.config("/killed/", kQuick));
  load.wait_for(200);
  etcd.kill(0);  // the one in use
  EXPECT_LT(load.wait_for(100), milliseconds(10'000));
  etcd.start(0);
  load.wait_for(200);
  etcd.kill(1);
  EXPECT_LT(load.wait_for(100), milliseconds(10'000));
  load.expect_nothing_lost();
}

TEST(Etcd_Members, a_member_that_hangs_is_left_within_the_request_timeout) {
  EtcdCluster etcd({.members = 3});
  Load load(etcd.config("/hangs/", kQuick));
  load.wait_for(200);
  etcd.pause(0);
  EXPECT_LT(load.wait_for(100), milliseconds(10'000));
  etcd.resume(0);
  load.wait_for(200);
  load.expect_nothing_lost();
}

TEST(Etcd_Members, a_restart_loses_no_answered_write_and_no_event) {
  EtcdCluster etcd;
  Load load(etcd.config("/restart/", kQuick));
  for (int round = 0; round < 4; ++round) {
    load.wait_for(150);
    etcd.kill();
    etcd.start();
  }
  load.wait_for(150);
  load.expect_nothing_lost();
}

TEST(Etcd_Members, without_a_majority_it_says_so_and_goes_on_when_it_is_back) {
  EtcdCluster etcd({.members = 3});
  Load load(etcd.config("/majority/", kQuick));
  load.wait_for(100);
  etcd.kill(1);
  etcd.pause(2);
  std::string refused;
  for (int tries = 0; tries < 100 && refused.empty(); ++tries) {
    const auto made = load.subject()->commit(CommitSpec::put("probe", "probe-" + std::to_string(tries)));
    if (!made.answer.ok()) refused = made.answer.message;
    if (!made.answer.ok()) EXPECT_EQ(made.answer.status, FLT_UNAVAILABLE);
  }
  for (int i = 0; i < 3; ++i) EXPECT_NE(refused.find(etcd.endpoint(i)), std::string::npos) << refused;
  etcd.resume(2);
  etcd.start(1);
  EXPECT_LT(load.wait_for(100), milliseconds(15'000));
}

TEST(Etcd_Members, a_watch_that_compaction_passes_while_it_is_cut_off_ends_with_compacted) {
  EtcdCluster etcd;
  Subject subject(subject_of(etcd.config("/behind/", kQuick)));
  const std::int64_t before = subject->status().revision;
  {
    // One unread batch, so that it reads nothing more.
    conformance::StorageWatch watch(subject.client(), {.start = before + 1, .credit = 1});
    subject.put("a", "0");
    std::int64_t last = 0;
    for (int i = 0; i < 3000; ++i) last = subject.put("a", std::string(2000, 'x') + std::to_string(i));
    etcd.kill();
    etcd.start();
    ASSERT_TRUE(subject->compact(last).ok());
    while (watch.next(std::chrono::seconds(10))) {
    }
    ASSERT_TRUE(watch.ended());
    EXPECT_EQ(watch.ended()->reason, "Compacted");
    EXPECT_EQ(watch.ended()->status, FLT_OUT_OF_RANGE);
  }
  subject.finish();
}

TEST(Etcd_Members, what_cannot_be_reached_is_named) {
  const int port = fakes::free_port();
  const std::string config = R"({"endpoints":["127.0.0.1:)" + std::to_string(port) + R"("],)" + kQuick + "}";
  conformance::TestHost host;
  conformance::StorageClient client(host, *flt_plugin_storage_etcd.components[0], config, "");
  const conformance::Answer answer = client.instance().start();
  EXPECT_EQ(answer.status, FLT_UNAVAILABLE);
  EXPECT_NE(answer.message.find("127.0.0.1:" + std::to_string(port)), std::string::npos) << answer.message;
  EXPECT_NE(answer.message.find("check that it runs"), std::string::npos) << answer.message;
}

TEST(Etcd_Members, fleets_with_different_prefixes_do_not_see_each_other) {
  EtcdCluster etcd;
  Subject one(subject_of(etcd.config("/fleets/one")));
  Subject two(subject_of(etcd.config("/fleets/two/")));
  Subject nested(subject_of(etcd.config("/fleets/one/inner")));
  {
    conformance::StorageWatch watch(one.client(), {.start = one->status().revision + 1});
    two.put("a", "2");
    nested.put("a", "3");
    const std::int64_t made = one.put("a", "1");
    EXPECT_EQ(watch.until(made).size(), 1u);
    ASSERT_EQ(one.all().size(), 1u);
    EXPECT_EQ(one.all()[0].value, "1");
    EXPECT_EQ(two.all()[0].value, "2");
  }
  for (Subject* each : {&one, &two, &nested}) each->finish();
}

}  // namespace
}  // namespace flotilla::faults
