// SPDX-License-Identifier: Apache-2.0
#include "core/agent/remote_writer.hpp"

#include "core/api/conditions.hpp"
#include "tests/unit/agent/remote_world.hpp"

namespace flotilla::agent {
namespace {

using store::Part;

class Agent_RemoteWriter : public RemoteWorld {
 protected:
  static store::Writer::Change applied() {
    return [](Json& object) -> Result<bool> {
      return api::set_condition(object.make({"status", "conditions"}),
                                {"Applied", "True", "AppliedSuccessful", "yes"}, WallTime());
    };
  }
};

TEST_F(Agent_RemoteWriter, a_status_is_there_and_here_when_the_write_returns) {
  make_work("first");
  begin();
  const auto written =
      fakes::run_on(executor, writer->modify(kWork, Part::Status, {kSpace, "first"}, applied()));
  ASSERT_TRUE(written.ok()) << written.error().message();
  for (const auto& object : {over_there("first"), known("first")})
    EXPECT_TRUE(api::is_condition_true((*object->content())["status"]["conditions"], "Applied"));
}

TEST_F(Agent_RemoteWriter, what_changes_nothing_is_not_sent) {
  make_work("first");
  begin();
  const Revision before = there.revision();
  store::Writer::Change nothing = [](Json&) -> Result<bool> { return true; };
  const auto written = fakes::run_on(executor, writer->modify(kWork, Part::Main, {kSpace, "first"}, nothing));
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(there.revision(), before);
}

TEST_F(Agent_RemoteWriter, whoever_was_faster_is_not_overwritten) {
  make_work("first");
  begin();
  mirror->stop();  // what follows is not heard of
  label_work("first", "others");
  int asked = 0;
  store::Writer::Change change = [&asked](Json& object) -> Result<bool> {
    ++asked;
    object.make({"metadata", "annotations", "ours"}) = "yes";
    return true;
  };
  const auto written = fakes::run_on(executor, writer->modify(kWork, Part::Main, {kSpace, "first"}, change));
  ASSERT_TRUE(written.ok()) << written.error().message();
  EXPECT_EQ(asked, 2);
  const auto object = over_there("first")->content();
  EXPECT_EQ(api::label_of(*object, "seen"), "others");
  EXPECT_EQ(api::annotation_of(*object, "ours"), "yes");
}

TEST_F(Agent_RemoteWriter, the_last_finalizer_lets_go) {
  make_work("first");
  begin();
  (void)fakes::run_on(executor, api->writer().remove(kWork, {kSpace, "first"}));
  ASSERT_TRUE(eventually([&] { return known("first")->deleting(); }));
  store::Writer::Change free = [](Json& object) -> Result<bool> {
    object["metadata"].erase("finalizers");
    return true;
  };
  const auto freed = fakes::run_on(executor, writer->modify(kWork, Part::Main, {kSpace, "first"}, free));
  ASSERT_TRUE(freed.ok()) << freed.error().message();
  EXPECT_FALSE(over_there("first"));
  EXPECT_TRUE(eventually([&] { return !known("first"); }));
}

TEST_F(Agent_RemoteWriter, creates_and_removes) {
  begin();
  const Json work = *Json::parse(
      R"({"metadata": {"name": "made", "namespace": "karmada-es-m1"}, "spec": {"workload": {"manifests": []}}})");
  const auto made = fakes::run_on(executor, writer->create(kWork, work));
  ASSERT_TRUE(made.ok()) << made.error().message();
  EXPECT_TRUE(known("made"));
  const auto again = fakes::run_on(executor, writer->create(kWork, work));
  ASSERT_FALSE(again.ok());
  EXPECT_TRUE(again.error().is(Code::AlreadyExists));
  const auto removed = fakes::run_on(executor, writer->remove(kWork, {kSpace, "made"}));
  ASSERT_TRUE(removed.ok()) << removed.error().message();
  EXPECT_TRUE(removed->gone);
  EXPECT_FALSE(over_there("made"));
}

TEST_F(Agent_RemoteWriter, events_are_counted_without_being_read) {
  begin();
  const Json event = *Json::parse(
      R"({"metadata": {"name": "e", "namespace": "default"}, "reason": "R", "type": "Normal", "count": 1,
          "involvedObject": {"kind": "Work", "namespace": "default", "name": "w"}, "source": {"component": "c"}})");
  const auto made = fakes::run_on(executor, writer->create(kEvent, event));
  ASSERT_TRUE(made.ok()) << made.error().message();
  store::Writer::Change count = [](Json& object) -> Result<bool> {
    object.set("count", object["count"].as_int() + 1);
    return true;
  };
  ASSERT_TRUE(fakes::run_on(executor, writer->modify(kEvent, Part::Main, {"default", "e"}, count)).ok());
  ASSERT_TRUE(fakes::run_on(executor, writer->modify(kEvent, Part::Main, {"default", "e"}, count)).ok());
  EXPECT_EQ((*there.get(kEvent.collection(), "default", "e")->content())["count"].as_int(), 3);
}

TEST_F(Agent_RemoteWriter, says_so_when_the_control_plane_is_away) {
  make_work("first");
  begin();
  away();
  const auto written =
      fakes::run_on(executor, writer->modify(kWork, Part::Status, {kSpace, "first"}, applied()));
  ASSERT_FALSE(written.ok());
  EXPECT_TRUE(written.error().is(Code::Unavailable)) << written.error().message();
  EXPECT_FALSE(api::is_condition_true((*known("first")->content())["status"]["conditions"], "Applied"));
}

TEST(Agent_RemoteApi, errors_are_the_servers) {
  const Error error = error_of(
      409,
      R"({"kind": "Status", "reason": "AlreadyExists", "message": "works \"a\" already exists", "code": 409})");
  EXPECT_TRUE(error.is(Code::AlreadyExists));
  EXPECT_EQ(error.message(), "works \"a\" already exists");
  EXPECT_TRUE(error_of(409, "").is(Code::Conflict));
  EXPECT_TRUE(error_of(410, "").is(Code::Gone));
  EXPECT_TRUE(error_of(502, "<html>").is(Code::Unavailable));
}

TEST(Agent_RemoteApi, paths_are_those_of_the_api) {
  EXPECT_EQ(path_of(kWork, kSpace, "a:b", "status"),
            "/apis/work.karmada.io/v1alpha1/namespaces/karmada-es-m1/works/a%3Ab/status");
  EXPECT_EQ(path_of(kNamespace, {}, "x"), "/api/v1/namespaces/x");
  EXPECT_EQ(path_of(kEvent, "default"), "/api/v1/namespaces/default/events");
}

}  // namespace
}  // namespace flotilla::agent
