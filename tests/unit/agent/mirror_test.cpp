// SPDX-License-Identifier: Apache-2.0
#include "core/agent/mirror.hpp"

#include "tests/unit/agent/remote_world.hpp"

namespace flotilla::agent {
namespace {

class Agent_Mirror : public RemoteWorld {};

TEST_F(Agent_Mirror, knows_what_is_there_and_follows_what_becomes_of_it) {
  const Json work = make_work("first");
  begin();
  ASSERT_TRUE(known("first"));
  EXPECT_EQ(remote_version(*known("first")->content()), work["metadata"]["resourceVersion"].as_string());
  EXPECT_EQ(known("first")->uid(), api::uid_of(work));
  make_work("second");
  EXPECT_TRUE(eventually([&] { return known("second") != nullptr; }));
  label_work("second", "yes");
  EXPECT_TRUE(eventually([&] { return known("second")->labels().find("seen") != nullptr; }));
  remove_work("first");
  EXPECT_TRUE(eventually([&] { return known("first") == nullptr; }));
}

TEST_F(Agent_Mirror, what_is_sent_has_the_version_of_over_there) {
  const Json work = make_work("first");
  begin();
  const Json sent = for_remote(*known("first")->content());
  EXPECT_EQ(sent["metadata"]["resourceVersion"], work["metadata"]["resourceVersion"]);
  EXPECT_TRUE(remote_version(sent).empty());
}

TEST_F(Agent_Mirror, keeps_what_it_knew_while_the_control_plane_is_away) {
  make_work("first");
  begin();
  away();
  remove_work("first");
  make_work("second");
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_TRUE(known("first"));
  serve();
  EXPECT_TRUE(eventually([&] { return known("second") && !known("first"); }));
}

TEST_F(Agent_Mirror, compares_everything_when_the_history_is_gone) {
  for (int i = 0; i < 20; ++i) make_work("w" + std::to_string(i));
  begin();
  EXPECT_EQ(here.count(kWork.collection()), 20u);
  away();
  for (int i = 0; i < 10; ++i) remove_work("w" + std::to_string(i));
  for (int i = 20; i < 30; ++i) make_work("w" + std::to_string(i));
  serve();
  EXPECT_TRUE(eventually([&] { return known("w29") && !known("w0") && !known("w9"); }));
  EXPECT_EQ(here.count(kWork.collection()), 20u);
}

TEST_F(Agent_Mirror, an_object_of_the_same_name_is_another) {
  const Json before = make_work("first");
  begin();
  away();
  remove_work("first");
  const Json after = make_work("first");
  serve();
  EXPECT_TRUE(eventually([&] { return known("first") && known("first")->uid() == api::uid_of(after); }));
  EXPECT_NE(api::uid_of(before), api::uid_of(after));
}

TEST_F(Agent_Mirror, an_answer_that_the_watch_has_gone_past_brings_nothing_back) {
  const Json work = make_work("first");
  begin();
  remove_work("first");
  EXPECT_TRUE(eventually([&] { return !known("first"); }));
  EXPECT_TRUE(fakes::run_on(executor, mirror->take(kWork, work)).ok());
  EXPECT_FALSE(known("first"));
}

}  // namespace
}  // namespace flotilla::agent
