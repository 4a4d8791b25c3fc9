// SPDX-License-Identifier: Apache-2.0
#include "core/search/fleet_keeper.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "tests/fakes/fibers.hpp"
#include "tests/fakes/memory_backend.hpp"
#include "tests/fakes/scripted_member.hpp"

namespace flotilla::search {
namespace {

using namespace std::chrono_literals;
using fakes::MemberScript;
using Type = cluster::MemberEvent::Type;

const Gvr kConfigMaps{"", "v1", "configmaps"};
const Gvr kPods{"", "v1", "pods"};

Task<bool> close_store(store::Store* store) {
  auto closing = store->close();
  co_await std::move(closing);
  co_return true;
}

// A store with clusters and registries, members that do what their scripts say, and the keeper in between.
class Search_FleetKeeper : public ::testing::Test {
 protected:
  Search_FleetKeeper() {
    EXPECT_TRUE(fakes::run_on(executor_, store_.open()).ok());
    clusters_.add_driver(driver_);
  }
  ~Search_FleetKeeper() override {
    keeper_->stop();
    informers_.stop();
    clusters_.stop();
    fakes::run_on(executor_, close_store(&store_));
  }
  void start(Duration timeout = 10s) {
    KeeperOptions options;
    options.initialization_timeout = timeout;
    const auto resources = [] {
      return std::shared_ptr<const api::Registry>(&api::Registry::builtin(), [](const api::Registry*) {});
    };
    keeper_ = std::make_unique<FleetKeeper>(
        KeeperContext{executor_, store_, informers_, clusters_, resources}, std::move(options));
    informers_.start();
    while (!informers_.synced()) std::this_thread::yield();
    keeper_->start();
  }
  void put(const char* group, const char* resource, const std::string& text) {
    const auto collection = store::collection_of(group, resource);
    Json object = *Json::parse(text);
    const auto known = store_.get(collection, "", api::name_of(object));
    auto writing =
        known ? store_.update(collection, std::move(object), known->revision(), store::Durability::Wait)
              : store_.create(collection, std::move(object), store::Durability::Wait);
    EXPECT_TRUE(fakes::run_on(executor_, std::move(writing)).ok());
  }
  void remove(const char* group, const char* resource, const std::string& name) {
    const auto collection = store::collection_of(group, resource);
    const auto known = store_.get(collection, "", name);
    auto removing = store_.remove(collection, known->key(), known->revision(), store::Durability::Wait);
    EXPECT_TRUE(fakes::run_on(executor_, std::move(removing)).ok());
  }
  void cluster(const std::string& name, bool ready = true) {
    put("cluster.karmada.io", "clusters",
        R"({"apiVersion":"cluster.karmada.io/v1alpha1","kind":"Cluster","metadata":{"name":")" + name +
            R"("},"status":{"conditions":[{"type":"Ready","status":")" + (ready ? "True" : "False") +
            R"("}]}})");
  }
  void attach(const std::string& name) {
    cluster::ClusterEndpoint endpoint;
    endpoint.cluster = name;
    endpoint.api_endpoint = "https://" + name;
    EXPECT_TRUE(clusters_.attach("scripted", endpoint).ok());
  }
  MemberScript& script(const std::string& name) {
    auto& script = driver_->scripts[name];
    if (!script) script = std::make_shared<MemberScript>();
    return *script;
  }
  void registry(const std::string& name, const std::string& kinds, const std::string& clusters = "") {
    std::string selectors;
    for (std::size_t at = 0; at < kinds.size(); at = kinds.find(' ', at) + 1) {
      const auto end = kinds.find(' ', at);
      selectors += (at == 0 ? "" : ",") + std::string(R"({"apiVersion":"v1","kind":")") +
                   kinds.substr(at, end - at) + "\"}";
      if (end == std::string::npos) break;
    }
    const std::string target = clusters.empty() ? "{}" : R"({"clusterNames":[")" + clusters + "\"]}";
    put("search.karmada.io", "resourceregistries",
        R"({"apiVersion":"search.karmada.io/v1alpha1","kind":"ResourceRegistry","metadata":{"name":")" +
            name + R"("},"spec":{"targetCluster":)" + target + R"(,"resourceSelectors":[)" + selectors +
            "]}}");
  }
  // "m1: a b; m2: c" of what is synced; "none": nobody named it.
  std::string seen(const Gvr& resource) const {
    const TopicPtr topic = keeper_->fleet()->topic(resource);
    if (!topic) return "none";
    std::string text;
    for (const auto& [cluster, source] : topic->sources) {
      if (!source.cache->synced()) continue;
      text += (text.empty() ? "" : "; ") + cluster + ":";
      for (const ObjectPtr& object : source.cache->list("").objects) text += " " + object->name();
    }
    return text;
  }
  template <typename Ask>
  static bool eventually(Ask ask) {
    const auto until = std::chrono::steady_clock::now() + 10s;
    while (!ask()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }
  bool becomes(const Gvr& resource, const std::string& wanted) const {
    return eventually([&] { return seen(resource) == wanted; });
  }

  SystemClock clock_;
  Executor executor_{clock_};
  store::Store store_{executor_, std::make_unique<store::MemoryBackend>()};
  informer::Informers informers_{executor_, store_};
  cluster::ClusterRegistry clusters_{executor_};
  std::shared_ptr<fakes::ScriptedDriver> driver_ = std::make_shared<fakes::ScriptedDriver>();
  std::unique_ptr<FleetKeeper> keeper_;
};

TEST_F(Search_FleetKeeper, caches_what_registries_name_of_members_that_are_ready) {
  script("m1").objects["a"] = MemberScript::make("a", 5);
  script("m2").objects["b"] = MemberScript::make("b", 5);
  attach("m1");
  attach("m2");
  cluster("m1");
  cluster("m2", false);
  start();
  EXPECT_TRUE(eventually([&] { return keeper_->fleet()->ready(); }));
  EXPECT_EQ(seen(kConfigMaps), "none");
  registry("r", "ConfigMap");
  EXPECT_TRUE(becomes(kConfigMaps, "m1: a")) << seen(kConfigMaps);
  cluster("m2");
  EXPECT_TRUE(becomes(kConfigMaps, "m1: a; m2: b")) << seen(kConfigMaps);
  script("m2").change("c", Type::Added);
  EXPECT_TRUE(becomes(kConfigMaps, "m1: a; m2: b c")) << seen(kConfigMaps);
  EXPECT_EQ(seen(kPods), "none");
}

TEST_F(Search_FleetKeeper, ends_one_by_one_what_is_no_longer_wanted) {
  attach("m1");
  cluster("m1");
  registry("r", "ConfigMap Pod");
  registry("s", "ConfigMap");
  start();
  ASSERT_TRUE(becomes(kConfigMaps, "m1:")) << seen(kConfigMaps);
  const TopicPtr before = keeper_->fleet()->topic(kConfigMaps);
  remove("search.karmada.io", "resourceregistries", "r");
  EXPECT_TRUE(becomes(kPods, "none"));
  EXPECT_EQ(keeper_->fleet()->topic(kConfigMaps), before) << "the other one goes on";
  cluster("m1", false);
  EXPECT_TRUE(becomes(kConfigMaps, ""));
  remove("search.karmada.io", "resourceregistries", "s");
  EXPECT_TRUE(becomes(kConfigMaps, "none"));
}

TEST_F(Search_FleetKeeper, counts_the_members_that_come) {
  attach("m1");
  attach("m2");
  cluster("m1");
  registry("r", "ConfigMap");
  start();
  ASSERT_TRUE(becomes(kConfigMaps, "m1:"));
  const std::uint64_t before = keeper_->fleet()->table()->arrivals;
  cluster("m2");
  ASSERT_TRUE(becomes(kConfigMaps, "m1:; m2:"));
  EXPECT_EQ(keeper_->fleet()->table()->arrivals, before + 1);
  registry("r", "ConfigMap Pod");
  ASSERT_TRUE(becomes(kPods, "m1:; m2:"));
  EXPECT_EQ(keeper_->fleet()->table()->arrivals, before + 1);
}

TEST_F(Search_FleetKeeper, a_member_that_does_not_answer_holds_up_itself_alone) {
  script("m1").objects["a"] = MemberScript::make("a", 5);
  script("m2").failure = Error(Code::Unavailable, "away");
  attach("m1");
  attach("m2");
  cluster("m1");
  cluster("m2");
  registry("r", "ConfigMap");
  start(300ms);
  EXPECT_TRUE(becomes(kConfigMaps, "m1: a"));
  EXPECT_TRUE(eventually([&] { return keeper_->fleet()->ready(); })) << "after the time that is allowed";
  script("m2").set([](MemberScript& script) { script.failure.reset(); });
  EXPECT_TRUE(becomes(kConfigMaps, "m1: a; m2:")) << seen(kConfigMaps);
}

TEST_F(Search_FleetKeeper, waits_for_members_that_are_not_attached_yet) {
  cluster("m1");
  registry("r", "ConfigMap");
  start();
  ASSERT_TRUE(becomes(kConfigMaps, ""));
  script("m1").objects["a"] = MemberScript::make("a", 5);
  attach("m1");
  EXPECT_TRUE(becomes(kConfigMaps, "m1: a"));
}

Task<http::Response> count_request(std::atomic<int>* count) {
  count->fetch_add(1);
  co_return http::Response();
}

TEST_F(Search_FleetKeeper, indexes_all_there_is_once_it_may) {
  std::atomic<int> asked = 0;
  http::Server server(executor_, http::ServerOptions(), [&](http::Request) { return count_request(&asked); });
  ASSERT_TRUE(server.start());
  script("m1").objects["a"] = MemberScript::make("a", 5);
  attach("m1");
  cluster("m1");
  put("search.karmada.io", "resourceregistries",
      R"({"apiVersion":"search.karmada.io/v1alpha1","kind":"ResourceRegistry","metadata":{"name":"r"},"spec":{
        "resourceSelectors":[{"apiVersion":"v1","kind":"ConfigMap"}],"backendStore":{"openSearch":{"addresses":["http://127.0.0.1:)" +
          std::to_string(server.port()) + R"("]}}}})");
  start();
  ASSERT_TRUE(becomes(kConfigMaps, "m1: a"));
  EXPECT_EQ(asked.load(), 0);
  keeper_->begin_to_index();
  EXPECT_TRUE(eventually([&] { return asked.load() == 2; })) << "the index and the document";
  keeper_->stop();
  server.stop(1s);
}

TEST_F(Search_FleetKeeper, what_is_known_stays_until_the_next_list) {
  script("m1").objects["a"] = MemberScript::make("a", 5);
  attach("m1");
  cluster("m1");
  registry("r", "ConfigMap");
  start();
  ASSERT_TRUE(becomes(kConfigMaps, "m1: a"));
  const TopicPtr topic = keeper_->fleet()->topic(kConfigMaps);
  ResourceCache::Place place;
  topic->sources.at("m1").cache->list_and_place("", place);
  script("m1").set([](MemberScript& script) {
    script.objects.clear();
    script.objects["b"] = MemberScript::make("b", 14);
    script.revision = 15;
    script.watch_ending = Error(Code::Gone, "too old");
  });
  EXPECT_TRUE(becomes(kConfigMaps, "m1: b"));
  const auto news = topic->sources.at("m1").cache->read(place);
  ASSERT_TRUE(news);
  ASSERT_EQ(news->events.size(), 2u);
  EXPECT_EQ(news->events[0].object->name(), "b");
  EXPECT_EQ(news->events[1].type, CacheEvent::Type::Deleted);
  EXPECT_EQ(news->events[1].revision, Revision(15));
}

}  // namespace
}  // namespace flotilla::search
