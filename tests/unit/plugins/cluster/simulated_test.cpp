// SPDX-License-Identifier: Apache-2.0
#include <flotilla/abi/entry.h>

#include "tests/unit/plugins/cluster/driver_fixture.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_cluster_simulated;
}

namespace flotilla::cluster::test {
namespace {

using ::testing::HasSubstr;

const Gvr kDeployments{"apps", "v1", "deployments"};
const Gvr kConfigMaps{"", "v1", "configmaps"};
const Gvr kNamespaces{"", "v1", "namespaces"};
const Gvr kNodes{"", "v1", "nodes"};
const Gvr kPods{"", "v1", "pods"};

constexpr const char kDeployment[] = R"({"apiVersion":"apps/v1","kind":"Deployment",
  "metadata":{"name":"web","namespace":"default","labels":{"app":"web"}},
  "spec":{"replicas":3,"template":{"metadata":{"labels":{"app":"web"}},
          "spec":{"containers":[{"name":"c","image":"nginx"}]}}}})";

class SimulatedTest : public DriverFixture {
 protected:
  void SetUp() override {
    open(flt_plugin_cluster_simulated);
    member_ = connect(endpoint());
    ASSERT_NE(member_, nullptr);
  }
  static ClusterEndpoint endpoint(std::string_view settings = "{}") {
    ClusterEndpoint endpoint;
    endpoint.cluster = "member1";
    endpoint.settings = json(settings);
    return endpoint;
  }
  Json config_map(const std::string& name) {
    return json(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"default","name":")" + name +
                R"("},"data":{"a":"1"}})");
  }
  Result<Json> create(const Gvr& gvr, Json object) {
    return run(member_->apply(gvr, std::move(object), ApplyMode::Create));
  }
  Result<Json> update(const Gvr& gvr, Json object) {
    return run(member_->apply(gvr, std::move(object), ApplyMode::Update));
  }
  std::shared_ptr<ClusterConnection> member_;
};

TEST_F(SimulatedTest, is_healthy_and_serves_the_usual_kinds) {
  const ProbeResult probe = run(member_->probe());
  EXPECT_TRUE(probe.reachable);
  EXPECT_TRUE(probe.healthy);
  EXPECT_EQ(probe.version, "v1.32.4");
  const auto discovery = run(member_->discover());
  ASSERT_TRUE(discovery.ok());
  EXPECT_TRUE(discovery->complete);
  bool found = false;
  for (const DiscoveredResource& resource : discovery->resources) {
    if (resource.resource != "deployments") continue;
    found = true;
    EXPECT_EQ(resource.kind, "Deployment");
    EXPECT_EQ(resource.group, "apps");
    EXPECT_TRUE(resource.namespaced);
    EXPECT_THAT(resource.verbs, ::testing::Contains("watch"));
  }
  EXPECT_TRUE(found);
}

TEST_F(SimulatedTest, makes_a_deployment_ready_at_once) {
  const auto created = create(kDeployments, json(kDeployment));
  ASSERT_TRUE(created.ok()) << created.error().message();
  EXPECT_FALSE((*created)["metadata"]["uid"].as_string().empty());
  EXPECT_EQ((*created)["metadata"]["generation"].as_int(), 1);
  const auto now = run(member_->get(kDeployments, "default", "web"));
  ASSERT_TRUE(now.ok());
  EXPECT_EQ((*now)["status"]["readyReplicas"].as_int(), 3);
  EXPECT_EQ((*now)["status"]["observedGeneration"].as_int(), 1);
  const auto pods = run(member_->list(kPods, {}));
  ASSERT_TRUE(pods.ok());
  ASSERT_EQ(pods->objects.size(), 3u);
  EXPECT_EQ(pods->objects[0]["metadata"]["labels"]["app"].as_string(), "web");
}

TEST_F(SimulatedTest, keeps_the_status_and_raises_the_generation_on_a_change) {
  ASSERT_TRUE(create(kDeployments, json(kDeployment)).ok());
  Json changed = *run(member_->get(kDeployments, "default", "web"));
  changed.make({"spec"}).set("replicas", 5);
  changed.erase("status");
  ASSERT_TRUE(update(kDeployments, changed).ok());
  const Json now = *run(member_->get(kDeployments, "default", "web"));
  EXPECT_EQ(now["metadata"]["generation"].as_int(), 2);
  EXPECT_EQ(now["status"]["availableReplicas"].as_int(), 5);
}

TEST_F(SimulatedTest, does_nothing_when_nothing_changes) {
  const Json created = *create(kConfigMaps, config_map("a"));
  const Json updated = *update(kConfigMaps, config_map("a"));
  EXPECT_EQ(updated["metadata"]["resourceVersion"], created["metadata"]["resourceVersion"]);
}

TEST_F(SimulatedTest, refuses_as_kubernetes_does) {
  ASSERT_TRUE(create(kConfigMaps, config_map("a")).ok());
  const auto twice = create(kConfigMaps, config_map("a"));
  EXPECT_EQ(twice.error().code(), Code::AlreadyExists);
  EXPECT_EQ(twice.error().message(), "configmaps \"a\" already exists");
  EXPECT_EQ(update(kConfigMaps, config_map("b")).error().code(), Code::NotFound);
  Json stale = config_map("a");
  stale.make({"metadata"}).set("resourceVersion", "1");
  EXPECT_EQ(update(kConfigMaps, stale).error().code(), Code::Conflict);
  Json elsewhere = config_map("a");
  elsewhere.make({"metadata"}).set("namespace", "nowhere");
  const auto homeless = create(kConfigMaps, elsewhere);
  EXPECT_EQ(homeless.error().code(), Code::NotFound);
  EXPECT_EQ(homeless.error().message(), "namespaces \"nowhere\" not found");
  EXPECT_EQ(run(member_->get({"x.io", "v1", "things"}, "default", "a")).error().code(), Code::NotFound);
  const Status other =
      run(member_->remove(kConfigMaps, "default", "a", {.uid = "somebody-else", .propagation = {}}));
  EXPECT_EQ(other.error().code(), Code::Conflict);
}

TEST_F(SimulatedTest, holds_an_object_back_until_its_finalizers_are_gone) {
  Json object = config_map("held");
  Json finalizers = Json::array({"example.org/hold"});
  object.make({"metadata"}).set("finalizers", finalizers);
  ASSERT_TRUE(create(kConfigMaps, object).ok());
  ASSERT_TRUE(run(member_->remove(kConfigMaps, "default", "held", {})).ok());
  Json held = *run(member_->get(kConfigMaps, "default", "held"));
  EXPECT_FALSE(held["metadata"]["deletionTimestamp"].is_null());
  held.make({"metadata"}).erase("finalizers");
  ASSERT_TRUE(update(kConfigMaps, held).ok());
  EXPECT_EQ(run(member_->get(kConfigMaps, "default", "held")).error().code(), Code::NotFound);
}

TEST_F(SimulatedTest, empties_a_namespace_with_it) {
  ASSERT_TRUE(
      create(kNamespaces, json(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"team"}})")).ok());
  Json object = config_map("a");
  object.make({"metadata"}).set("namespace", "team");
  ASSERT_TRUE(create(kConfigMaps, object).ok());
  ASSERT_TRUE(run(member_->remove(kNamespaces, "", "team", {})).ok());
  EXPECT_EQ(run(member_->get(kConfigMaps, "team", "a")).error().code(), Code::NotFound);
}

TEST_F(SimulatedTest, lists_by_namespace_and_label) {
  ASSERT_TRUE(create(kDeployments, json(kDeployment)).ok());
  ListSelector selector;
  selector.label_selector = "app in (web,api),!hidden";
  EXPECT_EQ(run(member_->list(kDeployments, selector))->objects.size(), 1u);
  selector.label_selector = "app!=web";
  EXPECT_EQ(run(member_->list(kDeployments, selector))->objects.size(), 0u);
  selector = {};
  selector.ns = "kube-system";
  EXPECT_EQ(run(member_->list(kDeployments, selector))->objects.size(), 0u);
}

TEST_F(SimulatedTest, watches_from_a_version) {
  const MemberList empty = *run(member_->list(kConfigMaps, {}));
  ASSERT_TRUE(create(kConfigMaps, config_map("a")).ok());
  auto watch = run(member_->watch(kConfigMaps, {}, empty.resource_version));
  ASSERT_TRUE(watch.ok()) << watch.error().message();
  ASSERT_TRUE(run(member_->remove(kConfigMaps, "default", "a", {})).ok());
  std::vector<MemberEvent> events;
  while (events.size() < 2) {
    auto more = run((*watch)->next());
    ASSERT_TRUE(more.ok());
    ASSERT_FALSE(more->empty());
    for (MemberEvent& event : *more) events.push_back(std::move(event));
  }
  EXPECT_EQ(events[0].type, MemberEvent::Type::Added);
  EXPECT_EQ(events[1].type, MemberEvent::Type::Deleted);
  EXPECT_EQ(events[1].object["data"]["a"].as_string(), "1");
}

TEST_F(SimulatedTest, says_expired_for_a_version_it_forgot) {
  EXPECT_EQ(run(member_->watch(kConfigMaps, {}, "3")).error().code(), Code::Gone);
}

TEST_F(SimulatedTest, keeps_events_of_a_slow_watcher_in_order) {
  auto watch = run(member_->watch(kConfigMaps, {}, ""));
  ASSERT_TRUE(watch.ok());
  constexpr int kCount = 3000;  // more than the credit of a watch
  for (int i = 0; i < kCount; ++i) ASSERT_TRUE(create(kConfigMaps, config_map("m" + std::to_string(i))).ok());
  int seen = 0;
  while (seen < kCount) {
    auto more = run((*watch)->next());
    ASSERT_TRUE(more.ok());
    for (const MemberEvent& event : *more) {
      ASSERT_EQ(event.object["metadata"]["name"].as_string(), "m" + std::to_string(seen));
      ++seen;
    }
  }
}

TEST_F(SimulatedTest, is_ready_later_when_told_so) {
  auto slow = connect(endpoint(R"({"readyDelayMs": 30})"));
  auto watch = run(slow->watch(kDeployments, {}, ""));
  ASSERT_TRUE(run(slow->apply(kDeployments, json(kDeployment), ApplyMode::Create)).ok());
  auto first = run((*watch)->next());
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE((*first)[0].object["status"].is_null());
  auto second = run((*watch)->next());
  ASSERT_TRUE(second.ok());
  EXPECT_EQ((*second)[0].object["status"]["readyReplicas"].as_int(), 3);
}

TEST_F(SimulatedTest, can_be_out_of_reach) {
  auto watch = run(member_->watch(kConfigMaps, {}, ""));
  auto dark = connect(endpoint(R"({"unreachable": true})"));
  EXPECT_FALSE(run(dark->probe()).reachable);
  EXPECT_EQ(run(dark->get(kConfigMaps, "default", "a")).error().code(), Code::Unavailable);
  EXPECT_TRUE(run((*watch)->next())->empty());
  auto back = connect(endpoint());
  EXPECT_TRUE(run(back->probe()).healthy);
}

TEST_F(SimulatedTest, has_the_nodes_of_its_settings) {
  auto large = connect(endpoint(R"({"nodes": 5, "node": {"cpu": "16"}})"));
  const auto nodes = run(large->list(kNodes, {}));
  ASSERT_EQ(nodes->objects.size(), 5u);
  EXPECT_EQ(nodes->objects[0]["status"]["allocatable"]["cpu"].as_string(), "16");
}

TEST_F(SimulatedTest, serves_custom_resources_once_they_are_defined) {
  const Gvr definitions{"apiextensions.k8s.io", "v1", "customresourcedefinitions"};
  const Gvr foos{"example.org", "v1", "foos"};
  ASSERT_TRUE(
      create(definitions, json(R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
    "metadata":{"name":"foos.example.org"},"spec":{"group":"example.org","scope":"Namespaced",
    "names":{"plural":"foos","kind":"Foo"},"versions":[{"name":"v1","served":true,"storage":true}]}})"))
          .ok());
  const auto made = create(foos, json(R"({"apiVersion":"example.org/v1","kind":"Foo",
    "metadata":{"name":"one","namespace":"default"},"spec":{"x":1}})"));
  EXPECT_TRUE(made.ok()) << made.error().message();
  const auto discovery = run(member_->discover());
  EXPECT_EQ(discovery->resources.back().kind, "Foo");
}

TEST_F(SimulatedTest, refuses_everything_after_close) {
  member_->close();
  EXPECT_EQ(run(member_->get(kConfigMaps, "default", "a")).error().code(), Code::Cancelled);
}

}  // namespace
}  // namespace flotilla::cluster::test
