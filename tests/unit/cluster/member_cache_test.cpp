// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/member_cache.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/fibers.hpp"
#include "tests/fakes/scripted_member.hpp"

namespace flotilla::cluster {
namespace {

using namespace std::chrono_literals;
using fakes::MemberScript;
using Type = MemberEvent::Type;

class MemberCacheTest : public ::testing::Test {
 protected:
  ~MemberCacheTest() override {
    scope_.cancel();
    scope_.join_blocking();
  }
  void start() {
    cache_ = std::make_shared<MemberCache>("member1", Gvr{"", "v1", "configmaps"},
                                           std::make_shared<fakes::ScriptedConnection>(script_),
                                           [this](const MemberChange& change) { hear(change); });
    scope_.spawn(cache_->run());
  }
  void hear(const MemberChange& change) {
    std::lock_guard lock(mutex_);
    const char* words[] = {"+", "~", "-"};
    heard_ += words[static_cast<int>(change.type)] + std::string(api::name_of(*change.object)) + " ";
  }
  std::string heard() {
    std::lock_guard lock(mutex_);
    return heard_;
  }
  // Bounded; the caches change on their own strand.
  template <typename Condition>
  bool eventually(Condition condition) {
    const auto until = clock_.steady_now() + 10s;
    while (!condition()) {
      if (clock_.steady_now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }
  bool synced() { return fakes::run_on(executor_, cache_->wait_synced(10s)); }

  SystemClock clock_;
  Executor executor_{clock_};
  FiberScope scope_{executor_.strand(), "test"};
  std::shared_ptr<MemberScript> script_ = std::make_shared<MemberScript>();
  std::shared_ptr<MemberCache> cache_;
  std::mutex mutex_;
  std::string heard_;
};

TEST_F(MemberCacheTest, knows_nothing_before_the_first_list) {
  script_->failure = Error(Code::Unavailable, "not reached");
  start();
  EXPECT_TRUE(eventually([&] { return script_->lists > 0; }));
  const auto got = cache_->get("default", "a");
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code(), Code::Unavailable);
}

TEST_F(MemberCacheTest, tells_absent_from_present_once_it_has_listed) {
  script_->objects["a"] = MemberScript::make("a", 5);
  start();
  ASSERT_TRUE(synced());
  EXPECT_EQ(api::uid_of(**cache_->get("default", "a")), "uid-a");
  EXPECT_FALSE(cache_->get("default", "b")->has_value());
}

TEST_F(MemberCacheTest, follows_events) {
  start();
  ASSERT_TRUE(synced());
  ASSERT_TRUE(eventually([&] { return script_->watches == 1; }));
  script_->change("a", Type::Added);
  script_->change("a", Type::Modified);
  script_->change("a", Type::Deleted);
  EXPECT_TRUE(eventually([&] { return heard() == "+a ~a -a "; })) << heard();
  EXPECT_EQ(cache_->size(), 0u);
}

TEST_F(MemberCacheTest, watches_on_after_an_orderly_end) {
  start();
  ASSERT_TRUE(synced());
  script_->set([](MemberScript& script) { script.watch_ends_in_order = true; });
  ASSERT_TRUE(eventually([&] { return script_->watches == 2; }));
  EXPECT_EQ(script_->lists, 1);
  EXPECT_TRUE(cache_->synced());
  script_->change("a", Type::Added);
  EXPECT_TRUE(eventually([&] { return heard() == "+a "; }));
}

TEST_F(MemberCacheTest, lists_again_when_its_version_is_gone_and_notices_what_it_missed) {
  script_->objects["a"] = MemberScript::make("a", 5);
  script_->objects["b"] = MemberScript::make("b", 6);
  start();
  ASSERT_TRUE(eventually([&] { return script_->watches == 1; }));
  script_->set([](MemberScript& script) {
    script.objects.erase("a");
    script.objects["c"] = MemberScript::make("c", 20);
    script.watch_ending = Error(Code::Gone, "too old");
  });
  EXPECT_TRUE(eventually([&] { return heard() == "+a +b +c -a "; })) << heard();
  EXPECT_TRUE(cache_->synced());
}

TEST_F(MemberCacheTest, forgets_nothing_but_trusts_nothing_while_the_member_is_out_of_reach) {
  script_->objects["a"] = MemberScript::make("a", 5);
  start();
  ASSERT_TRUE(eventually([&] { return script_->watches == 1; }));
  script_->set([](MemberScript& script) {
    script.failure = Error(Code::Unavailable, "cut");
    script.watch_ending = Error(Code::Unavailable, "cut");
  });
  ASSERT_TRUE(eventually([&] { return !cache_->synced(); }));
  EXPECT_EQ(cache_->get("default", "a").error().code(), Code::Unavailable);
  EXPECT_EQ(heard(), "+a ");
  script_->set([](MemberScript& script) { script.failure.reset(); });
  EXPECT_TRUE(synced());
  EXPECT_TRUE(cache_->get("default", "a")->has_value());
  EXPECT_EQ(heard(), "+a ");
}

}  // namespace
}  // namespace flotilla::cluster
