// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/roster.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fibers.hpp"
#include "tests/fakes/scripted_member.hpp"

namespace flotilla::cluster {
namespace {

using namespace std::chrono_literals;
using fakes::MemberScript;
using Type = MemberEvent::Type;

Json name_alone(const Json& object) {
  return Json::object({{"metadata", Json::object({{"name", object["metadata"]["name"]}})}});
}

class RosterTest : public ::testing::Test {
 protected:
  ~RosterTest() override {
    scope_.cancel();
    scope_.join_blocking();
  }
  void start() {
    scope_.spawn(roster_.run());
    ASSERT_TRUE(fakes::run_on(executor_, roster_.wait_synced(10s)));
  }
  std::string names() const {
    std::string names;
    for (const Json& object : roster_.list().objects) names += std::string(api::name_of(object)) + " ";
    return names;
  }
  bool eventually(const std::string& wanted) {
    const auto until = clock_.steady_now() + 10s;
    while (names() != wanted) {
      if (clock_.steady_now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }

  SystemClock clock_;
  Executor executor_{clock_};
  FiberScope scope_{executor_.strand(), "test"};
  std::shared_ptr<MemberScript> script_ = std::make_shared<MemberScript>();
  Roster roster_{"member1", Gvr{"", "v1", "pods"}, std::make_shared<fakes::ScriptedConnection>(script_),
                 name_alone};
};

TEST_F(RosterTest, keeps_what_is_left_of_each_object) {
  script_->objects["b"] = MemberScript::make("b", 6);
  script_->objects["a"] = MemberScript::make("a", 5);
  start();
  const Roster::Listing listing = roster_.list();
  ASSERT_EQ(listing.objects.size(), 2u);
  EXPECT_EQ(listing.objects[0], name_alone(MemberScript::make("a", 5)));
  EXPECT_EQ(listing.version, roster_.version());
}

TEST_F(RosterTest, counts_changes_of_what_is_left_alone) {
  script_->objects["a"] = MemberScript::make("a", 5);
  start();
  const std::uint64_t before = roster_.version();
  script_->change("a", Type::Modified);
  script_->change("b", Type::Added);
  ASSERT_TRUE(eventually("a b "));
  EXPECT_EQ(roster_.version(), before + 1) << "the first event changed nothing that is kept";
  script_->change("a", Type::Deleted);
  ASSERT_TRUE(eventually("b "));
  EXPECT_EQ(roster_.version(), before + 2);
}

}  // namespace
}  // namespace flotilla::cluster
