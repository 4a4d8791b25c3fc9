// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/registry.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "tests/fakes/fibers.hpp"
#include "tests/fakes/scripted_member.hpp"

namespace flotilla::cluster {
namespace {

class RegistryTest : public ::testing::Test {
 protected:
  RegistryTest() { registry_.add_driver(driver_); }
  static ClusterEndpoint endpoint(const std::string& where) {
    ClusterEndpoint endpoint;
    endpoint.cluster = "member1";
    endpoint.api_endpoint = where;
    return endpoint;
  }

  SystemClock clock_;
  Executor executor_{clock_};
  std::shared_ptr<fakes::ScriptedDriver> driver_ = std::make_shared<fakes::ScriptedDriver>();
  ClusterRegistry registry_{executor_};
};

TEST_F(RegistryTest, keeps_a_member_whose_endpoint_is_the_same) {
  const auto first = registry_.attach("scripted", endpoint("https://a"));
  const auto again = registry_.attach("scripted", endpoint("https://a"));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*first, *again);
  EXPECT_EQ(driver_->connects, 1);
  EXPECT_EQ(registry_.find("member1"), *first);
}

TEST_F(RegistryTest, connects_anew_when_the_endpoint_changes) {
  const auto first = *registry_.attach("scripted", endpoint("https://a"));
  (void)first->cache({"", "v1", "configmaps"});
  const auto second = *registry_.attach("scripted", endpoint("https://b"));
  EXPECT_NE(first, second);
  EXPECT_TRUE(driver_->scripts["member1"]->closed);
  EXPECT_EQ(registry_.find("member1"), second);
}

TEST_F(RegistryTest, follows_on_what_was_followed_when_the_endpoint_changes) {
  const auto first = *registry_.attach("scripted", endpoint("https://a"));
  auto syncing = first->cache({"", "v1", "configmaps"})->wait_synced(std::chrono::seconds(5));
  ASSERT_TRUE(fakes::run_on(executor_, std::move(syncing)));
  const auto script = driver_->scripts["member1"];
  const int lists = script->lists;
  const auto second = *registry_.attach("scripted", endpoint("https://b"));
  const auto now = driver_->scripts["member1"];
  const int wanted = now == script ? lists + 1 : 1;
  for (int i = 0; i < 1000 && now->lists < wanted; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_GE(now->lists, wanted);
}

TEST_F(RegistryTest, keeps_the_old_connection_when_the_new_one_cannot_be_made) {
  const auto first = *registry_.attach("scripted", endpoint("https://a"));
  const auto broken = registry_.attach("scripted", endpoint("broken"));
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().code(), Code::Invalid);
  EXPECT_EQ(registry_.find("member1"), first);
}

TEST_F(RegistryTest, names_the_drivers_there_are) {
  const auto unknown = registry_.attach("carrier-pigeon", endpoint("x"));
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().message(),
            "cluster member1: no driver \"carrier-pigeon\" is loaded (there are: scripted)");
}

TEST_F(RegistryTest, detaches) {
  (void)registry_.attach("scripted", endpoint("https://a"));
  registry_.detach("member1");
  EXPECT_EQ(registry_.find("member1"), nullptr);
  EXPECT_TRUE(driver_->scripts["member1"]->closed);
}

TEST_F(RegistryTest, keeps_the_last_known_facts_when_discovery_fails) {
  const auto member = *registry_.attach("scripted", endpoint("https://a"));
  auto& script = *driver_->scripts["member1"];
  script.discovery.resources.push_back({"apps", "v1", "deployments", "Deployment", true, {}});
  const auto found = fakes::run_on(executor_, member->resource_of({"apps", "v1", "Deployment"}));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->resource, "deployments");
  script.discovery_failure = Error(Code::Unavailable, "cut");
  EXPECT_FALSE(fakes::run_on(executor_, member->discover()).ok());
  EXPECT_TRUE(fakes::run_on(executor_, member->resource_of({"apps", "v1", "Deployment"})).ok());
  const auto unknown = fakes::run_on(executor_, member->resource_of({"x.io", "v1", "Thing"}));
  EXPECT_EQ(unknown.error().code(), Code::Unavailable);
}

}  // namespace
}  // namespace flotilla::cluster
