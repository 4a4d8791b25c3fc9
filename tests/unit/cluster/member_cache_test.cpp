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
    drift_ += change.drifted ? "!" : change.ours ? "o" : ".";
  }
  std::string heard() {
    std::lock_guard lock(mutex_);
    return heard_;
  }
  std::string drift() {
    std::lock_guard lock(mutex_);
    return drift_;
  }
  void tell(Json object, Type type) {
    script_->set([&](MemberScript& script) { script.events.push_back({type, std::move(object)}); });
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
  std::string drift_;  // of each change: "!" it drifted, "o" ours, "." its state alone
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

Json with(Json object, std::initializer_list<std::string_view> path, Json value) {
  object.make(path) = std::move(value);
  return object;
}

TEST_F(MemberCacheTest, status_and_bookkeeping_alone_are_no_drift) {
  script_->objects["a"] = MemberScript::make("a", 5);
  start();
  ASSERT_TRUE(eventually([&] { return script_->watches == 1; }));
  const Json a = MemberScript::make("a", 11);
  tell(with(with(a, {"status", "ready"}, 1), {"metadata", "generation"}, 2), Type::Modified);
  tell(with(MemberScript::make("a", 12), {"data", "key"}, "changed"), Type::Modified);
  tell(with(with(MemberScript::make("a", 13), {"data", "key"}, "changed"), {"metadata", "labels", "x"}, "y"),
       Type::Modified);
  tell(with(with(MemberScript::make("a", 14), {"data", "key"}, "changed"), {"metadata", "labels", "x"}, "y"),
       Type::Modified);
  EXPECT_TRUE(eventually([&] { return drift() == "!.!!."; })) << drift();
}

TEST_F(MemberCacheTest, what_we_wrote_is_no_news_when_the_watch_brings_it) {
  start();
  ASSERT_TRUE(synced());
  ASSERT_TRUE(eventually([&] { return script_->watches == 1; }));
  const Json manifest = MemberScript::make("a", 0);
  const Json answer = with(MemberScript::make("a", 11), {"data", "filled"}, "in by the member");
  cache_->writing({"default", "a"});
  EXPECT_FALSE(cache_->written(answer, manifest));
  EXPECT_TRUE(cache_->is_as_answered(manifest));
  tell(answer, Type::Added);
  tell(
      with(with(MemberScript::make("a", 12), {"data", "filled"}, "in by the member"), {"status", "ready"}, 1),
      Type::Modified);
  EXPECT_TRUE(eventually([&] { return heard() == "+a ~a "; })) << heard();
  EXPECT_EQ(drift(), "o.");
  EXPECT_TRUE(cache_->is_as_answered(manifest));
  EXPECT_FALSE(cache_->is_as_answered(with(manifest, {"data", "filled"}, "otherwise")));
  tell(with(MemberScript::make("a", 13), {"data", "filled"}, "by somebody"), Type::Modified);
  EXPECT_TRUE(eventually([&] { return drift() == "o.!"; })) << drift();
  EXPECT_FALSE(cache_->is_as_answered(manifest));
}

TEST_F(MemberCacheTest, a_watch_that_is_ahead_of_the_answer_is_believed) {
  start();
  ASSERT_TRUE(eventually([&] { return script_->watches == 1; }));
  const Json manifest = MemberScript::make("a", 0);
  cache_->writing({"default", "a"});
  tell(MemberScript::make("a", 11), Type::Added);
  tell(with(MemberScript::make("a", 12), {"data", "key"}, "by somebody"), Type::Modified);
  EXPECT_TRUE(eventually([&] { return drift() == ".."; })) << drift();
  EXPECT_TRUE(cache_->written(MemberScript::make("a", 11), manifest)) << "it has drifted since";
  EXPECT_EQ((**cache_->get("default", "a"))["data"]["key"].as_string(), "by somebody");

  cache_->writing({"default", "b"});
  tell(MemberScript::make("b", 13), Type::Added);
  tell(MemberScript::make("b", 14), Type::Deleted);
  EXPECT_TRUE(eventually([&] { return heard() == "+a ~a +b -b "; })) << heard();
  EXPECT_FALSE(cache_->written(MemberScript::make("b", 13), MemberScript::make("b", 0)));
  EXPECT_FALSE(cache_->get("default", "b")->has_value()) << "what is gone does not come back";
  EXPECT_EQ(drift(), "...!");
}

TEST_F(MemberCacheTest, a_write_that_failed_leaves_nothing_behind) {
  start();
  ASSERT_TRUE(eventually([&] { return script_->watches == 1; }));
  cache_->writing({"default", "a"});
  cache_->not_written({"default", "a"});
  script_->change("a", Type::Added);
  EXPECT_TRUE(eventually([&] { return drift() == "!"; })) << drift();
}

}  // namespace
}  // namespace flotilla::cluster
