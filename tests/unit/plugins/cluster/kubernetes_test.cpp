// SPDX-License-Identifier: Apache-2.0
#include <flotilla/abi/entry.h>

#include "core/plugin/http_service.hpp"
#include "tests/unit/plugins/cluster/driver_fixture.hpp"
#include "tests/unit/plugins/cluster/fake_api_server.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_cluster_kubernetes;
}

namespace flotilla::cluster::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

const Gvr kConfigMaps{"", "v1", "configmaps"};

class KubernetesTest : public DriverFixture {
 protected:
  void SetUp() override {
    http_ = std::make_unique<plugin::HttpService>(environment_);
    open(flt_plugin_cluster_kubernetes);
    member_ = connect(endpoint());
    ASSERT_NE(member_, nullptr);
  }
  void TearDown() override {
    member_.reset();
    driver_.reset();
    http_->stop();
  }
  ClusterEndpoint endpoint() {
    ClusterEndpoint endpoint;
    endpoint.cluster = "member1";
    endpoint.api_endpoint = api_.url();
    endpoint.ca_pem = api_.authority().certificate_pem;
    endpoint.bearer_token = "secret-token";
    return endpoint;
  }
  static Json config_map(const std::string& name) {
    return json(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name +
                R"(","namespace":"default"},"data":{"a":"b"}})");
  }
  static std::string event(const std::string& type, const std::string& name, int version) {
    return R"({"type":")" + type +
           R"(","object":{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name +
           R"(","namespace":"default","resourceVersion":")" + std::to_string(version) + R"("}}})";
  }

  FakeApiServer api_{executor_, clock_};
  std::unique_ptr<plugin::HttpService> http_;
  std::shared_ptr<ClusterConnection> member_;
};

TEST_F(KubernetesTest, asks_for_health_and_version) {
  const ProbeResult probe = run(member_->probe());
  EXPECT_TRUE(probe.reachable);
  EXPECT_TRUE(probe.healthy) << probe.message;
  EXPECT_EQ(probe.version, "v1.32.9+fake");
  EXPECT_GT(probe.latency.count(), 0);
}

TEST_F(KubernetesTest, falls_back_to_healthz) {
  api_.behaviour.has_readyz = false;
  EXPECT_TRUE(run(member_->probe()).healthy);
}

TEST_F(KubernetesTest, tells_unhealthy_from_unreachable) {
  api_.behaviour.ready = false;
  const ProbeResult sick = run(member_->probe());
  EXPECT_TRUE(sick.reachable);
  EXPECT_FALSE(sick.healthy);
  EXPECT_THAT(sick.message, HasSubstr("etcd failed"));
  api_.stop();
  const ProbeResult gone = run(member_->probe());
  EXPECT_FALSE(gone.reachable);
  EXPECT_THAT(gone.message, HasSubstr("refused"));
}

TEST_F(KubernetesTest, reads_aggregated_discovery_with_two_requests) {
  const auto discovery = run(member_->discover());
  ASSERT_TRUE(discovery.ok()) << discovery.error().message();
  EXPECT_TRUE(discovery->complete);
  ASSERT_EQ(discovery->resources.size(), 2u);
  EXPECT_EQ(discovery->resources[0].kind, "ConfigMap");
  EXPECT_EQ(discovery->resources[1].group, "apps");
  EXPECT_EQ(discovery->resources[1].resource, "deployments");
  EXPECT_EQ(api_.requests().size(), 2u);
}

TEST_F(KubernetesTest, reads_plain_discovery_of_older_servers) {
  api_.behaviour.aggregated_discovery = false;
  const auto discovery = run(member_->discover());
  ASSERT_TRUE(discovery.ok()) << discovery.error().message();
  EXPECT_TRUE(discovery->complete);
  ASSERT_EQ(discovery->resources.size(), 2u);
  EXPECT_EQ(discovery->resources[1].version, "v1");
}

TEST_F(KubernetesTest, says_that_discovery_is_incomplete) {
  api_.behaviour.broken_group = true;
  EXPECT_FALSE(run(member_->discover())->complete);
  api_.behaviour.aggregated_discovery = false;
  const auto plain = run(member_->discover());
  EXPECT_FALSE(plain->complete);
  EXPECT_EQ(plain->resources.size(), 2u);
}

TEST_F(KubernetesTest, gets_an_object) {
  api_.put("a");
  const auto object = run(member_->get(kConfigMaps, "default", "a"));
  ASSERT_TRUE(object.ok()) << object.error().message();
  EXPECT_EQ((*object)["data"]["k"].as_string(), "v \"quoted\" {[,]}");
  EXPECT_EQ(api_.last_headers().get("authorization"), "Bearer secret-token");
  const auto absent = run(member_->get(kConfigMaps, "default", "b"));
  EXPECT_EQ(absent.error().code(), Code::NotFound);
  EXPECT_EQ(absent.error().message(), "configmaps \"b\" not found");
}

TEST_F(KubernetesTest, lists_all_pages_and_names_the_kind_of_members) {
  for (const char* name : {"a", "b", "c", "d", "e"}) api_.put(name);
  ListSelector selector;
  selector.ns = "default";
  selector.label_selector = "x=y";
  const auto list = run(member_->list(kConfigMaps, selector));
  ASSERT_TRUE(list.ok()) << list.error().message();
  ASSERT_EQ(list->objects.size(), 5u);
  EXPECT_EQ(list->objects[4]["metadata"]["name"].as_string(), "e");
  EXPECT_EQ(list->objects[4]["kind"].as_string(), "ConfigMap");
  EXPECT_EQ(list->objects[4]["apiVersion"].as_string(), "v1");
  EXPECT_EQ(list->resource_version, "15");
  EXPECT_EQ(api_.requests().size(), 3u);
  EXPECT_THAT(api_.requests()[0], HasSubstr("labelSelector=x%3Dy"));
}

TEST_F(KubernetesTest, writes_and_deletes) {
  const auto created = run(member_->apply(kConfigMaps, config_map("a"), ApplyMode::Create));
  ASSERT_TRUE(created.ok()) << created.error().message();
  EXPECT_EQ((*created)["metadata"]["uid"].as_string(), "uid-a");
  EXPECT_EQ(run(member_->apply(kConfigMaps, config_map("a"), ApplyMode::Create)).error().code(),
            Code::AlreadyExists);
  EXPECT_TRUE(run(member_->apply(kConfigMaps, config_map("a"), ApplyMode::Update)).ok());
  EXPECT_EQ(run(member_->apply(kConfigMaps, config_map("b"), ApplyMode::Update)).error().code(),
            Code::NotFound);
  EXPECT_TRUE(
      run(member_->remove(kConfigMaps, "default", "a", {.uid = "uid-a", .propagation = "Background"})).ok());
  EXPECT_EQ(run(member_->remove(kConfigMaps, "default", "a", {})).error().code(), Code::NotFound);
}

TEST_F(KubernetesTest, patches_for_server_side_apply) {
  ASSERT_TRUE(run(member_->apply(kConfigMaps, config_map("a"), ApplyMode::ServerSideApply)).ok());
  EXPECT_EQ(api_.requests().back(),
            "PATCH /api/v1/namespaces/default/configmaps/a?fieldManager=flotilla&force=true");
  EXPECT_EQ(api_.last_headers().get("content-type"), "application/apply-patch+yaml");
}

TEST_F(KubernetesTest, passes_on_what_the_member_says) {
  api_.behaviour.fail_with = 429;
  const auto refused = run(member_->get(kConfigMaps, "default", "a"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::ResourceExhausted);
  EXPECT_EQ(refused.error().message(), "slow down");
  ASSERT_NE(refused.error().details(), nullptr);
  EXPECT_EQ(refused.error().details()->retry_after_seconds, 3);
}

TEST_F(KubernetesTest, watches_with_bookmarks_until_the_server_ends_it) {
  auto watch = run(member_->watch(kConfigMaps, {.ns = "default"}, "7"));
  ASSERT_TRUE(watch.ok()) << watch.error().message();
  EXPECT_THAT(api_.requests().back(), HasSubstr("resourceVersion=7"));
  api_.send_event(event("ADDED", "a", 8));
  auto first = run((*watch)->next());
  ASSERT_TRUE(first.ok());
  EXPECT_EQ((*first)[0].type, MemberEvent::Type::Added);
  EXPECT_EQ((*first)[0].object["metadata"]["name"].as_string(), "a");
  api_.send_event(event("BOOKMARK", "", 20));
  auto second = run((*watch)->next());
  EXPECT_EQ((*second)[0].type, MemberEvent::Type::Bookmark);
  EXPECT_EQ((*second)[0].object["metadata"]["resourceVersion"].as_string(), "20");
  api_.end_watches();
  EXPECT_TRUE(run((*watch)->next())->empty());
}

TEST_F(KubernetesTest, says_gone_for_an_expired_watch) {
  auto watch = run(member_->watch(kConfigMaps, {.ns = "default"}, "7"));
  api_.send_event(
      R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}})");
  EXPECT_EQ(run((*watch)->next()).error().code(), Code::Gone);
  api_.behaviour.watch_is_expired = true;
  EXPECT_EQ(run(member_->watch(kConfigMaps, {.ns = "default"}, "7")).error().code(), Code::Gone);
}

TEST_F(KubernetesTest, notices_when_a_watch_is_cut) {
  auto watch = run(member_->watch(kConfigMaps, {.ns = "default"}, "7"));
  ASSERT_TRUE(watch.ok());
  api_.cut_connections();
  const auto next = run((*watch)->next());
  ASSERT_FALSE(next.ok());
  EXPECT_EQ(next.error().code(), Code::Unavailable);
}

TEST_F(KubernetesTest, brakes_a_watch_that_nobody_reads) {
  auto watch = run(member_->watch(kConfigMaps, {.ns = "default"}, "7"));
  ASSERT_TRUE(watch.ok());
  constexpr int kCount = 5000;
  for (int i = 0; i < kCount; ++i) api_.send_event(event("ADDED", "m" + std::to_string(i), 100 + i));
  int seen = 0;
  while (seen < kCount) {
    auto more = run((*watch)->next());
    ASSERT_TRUE(more.ok()) << more.error().message();
    ASSERT_FALSE(more->empty());
    for (const MemberEvent& each : *more) {
      ASSERT_EQ(each.object["metadata"]["name"].as_string(), "m" + std::to_string(seen++));
    }
  }
}

TEST_F(KubernetesTest, closes_the_request_of_a_watch_that_is_dropped) {
  auto watch = run(member_->watch(kConfigMaps, {.ns = "default"}, "7"));
  ASSERT_TRUE(watch.ok());
  EXPECT_EQ(http_->running(), 1u);
  watch->reset();
  const auto until = clock_.steady_now() + 5s;
  while (http_->running() > 0 && clock_.steady_now() < until) std::this_thread::yield();
  EXPECT_EQ(http_->running(), 0u);
}

TEST_F(KubernetesTest, reuses_its_connection) {
  api_.put("a");
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(run(member_->get(kConfigMaps, "default", "a")).ok());
  EXPECT_EQ(api_.connections(), 1u);
}

TEST_F(KubernetesTest, impersonates) {
  ClusterEndpoint as = endpoint();
  as.impersonate_user = "system:admin";
  api_.put("a");
  ASSERT_TRUE(run(connect(as)->get(kConfigMaps, "default", "a")).ok());
  EXPECT_EQ(api_.last_headers().get("impersonate-user"), "system:admin");
}

TEST_F(KubernetesTest, does_not_trust_another_ca) {
  ClusterEndpoint wrong = endpoint();
  wrong.ca_pem = http::make_authority("other", {clock_.now()})->certificate_pem;
  const auto refused = run(connect(wrong)->get(kConfigMaps, "default", "a"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::Unauthorized);
  wrong.insecure_skip_verify = true;
  EXPECT_EQ(run(connect(wrong)->get(kConfigMaps, "default", "a")).error().code(), Code::NotFound);
}

TEST_F(KubernetesTest, is_unavailable_when_nobody_answers) {
  api_.stop();
  EXPECT_EQ(run(member_->get(kConfigMaps, "default", "a")).error().code(), Code::Unavailable);
  EXPECT_EQ(run(member_->list(kConfigMaps, {})).error().code(), Code::Unavailable);
  EXPECT_EQ(run(member_->watch(kConfigMaps, {}, "")).error().code(), Code::Unavailable);
  EXPECT_EQ(run(member_->discover()).error().code(), Code::Unavailable);
}

TEST_F(KubernetesTest, says_which_pem_is_broken) {
  ClusterEndpoint broken = endpoint();
  broken.client_certificate_pem = "nonsense";
  broken.client_key_pem = "nonsense";
  const auto refused = run(connect(broken)->get(kConfigMaps, "default", "a"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), Code::Invalid);
  EXPECT_THAT(refused.error().message(), HasSubstr("client identity: certificate"));
}

}  // namespace
}  // namespace flotilla::cluster::test
