// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/agency/lease_reconciler.hpp"

#include <gtest/gtest.h>

#include "tests/fakes/control_plane.hpp"

namespace flotilla::controllers {
namespace {

const Json kCluster = *Json::parse(
    R"({"apiVersion": "cluster.karmada.io/v1alpha1", "kind": "Cluster", "metadata": {"name": "m1", "uid": "u1"}})");
const WallTime kNow = *parse_time("2026-05-01T12:00:00Z");

TEST(Agency_Lease, belongs_to_its_cluster) {
  const Json lease = renewed_lease(Json(), kCluster, std::chrono::seconds(40), kNow);
  EXPECT_EQ(lease["metadata"]["namespace"].as_string(), "karmada-cluster");
  EXPECT_EQ(lease["metadata"]["name"].as_string(), "m1");
  EXPECT_EQ(lease["spec"]["holderIdentity"].as_string(), "m1");
  EXPECT_EQ(lease["spec"]["leaseDurationSeconds"].as_int(), 40);
  EXPECT_EQ(lease["spec"]["renewTime"].as_string(), "2026-05-01T12:00:00.000000Z");
  const Json& owner = lease["metadata"]["ownerReferences"].element(0);
  EXPECT_EQ(owner["kind"].as_string(), "Cluster");
  EXPECT_EQ(owner["uid"].as_string(), "u1");
}

TEST(Agency_Lease, keeps_what_it_does_not_know) {
  Json lease = renewed_lease(Json(), kCluster, std::chrono::seconds(40), kNow);
  lease["spec"].set("leaseTransitions", 3);
  const Json again =
      renewed_lease(lease, kCluster, std::chrono::seconds(40), kNow + std::chrono::seconds(10));
  EXPECT_EQ(again["spec"]["leaseTransitions"].as_int(), 3);
  EXPECT_EQ(again["spec"]["renewTime"].as_string(), "2026-05-01T12:00:10.000000Z");
}

struct LeaseTest : ::testing::Test {
  LeaseTest() {
    plane.context.agency = std::make_shared<Agency>();
    plane.context.agency->cluster = "m1";
  }
  Outcome reconcile() {
    return fakes::run_on(plane.executor, reconciler->reconcile({kinds::kCluster.collection(), {"", "m1"}}));
  }
  fakes::ControlPlane plane;
  std::unique_ptr<LeaseReconciler> reconciler;
};

TEST_F(LeaseTest, begins_when_the_member_was_seen_healthy_and_is_renewed_four_times_as_often_as_it_lasts) {
  reconciler = std::make_unique<LeaseReconciler>(plane.context);
  plane.start();
  plane.put(kinds::kCluster, R"({"metadata": {"name": "m1"}, "spec": {"syncMode": "Pull"}})");
  EXPECT_EQ(reconcile().kind(), Outcome::Kind::Again);
  EXPECT_FALSE(plane.context.get(kinds::kLease, {"karmada-cluster", "m1"}));
  plane.context.agency->seen_healthy = true;
  const Outcome outcome = reconcile();
  EXPECT_EQ(outcome.kind(), Outcome::Kind::Again);
  EXPECT_EQ(outcome.delay(), std::chrono::seconds(10));
  EXPECT_TRUE(plane.context.get(kinds::kLease, {"karmada-cluster", "m1"}));
  plane.stop();
}

TEST(Agency, says_whose_cluster_is_whose) {
  fakes::ControlPlane plane;
  const Json push = *Json::parse(R"({"metadata": {"name": "p"}, "spec": {"syncMode": "Push"}})");
  const Json pull = *Json::parse(R"({"metadata": {"name": "m1"}, "spec": {"syncMode": "Pull"}})");
  EXPECT_TRUE(is_served_here(plane.context, push));
  EXPECT_FALSE(is_served_here(plane.context, pull));
  plane.context.agency = std::make_shared<Agency>();
  plane.context.agency->cluster = "m1";
  EXPECT_FALSE(is_served_here(plane.context, push));
  EXPECT_TRUE(is_served_here(plane.context, pull));
  plane.stop();
}

}  // namespace
}  // namespace flotilla::controllers
