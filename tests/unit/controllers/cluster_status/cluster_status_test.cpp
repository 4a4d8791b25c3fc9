// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/controllers/cluster_status/cluster_status_reconciler.hpp"

namespace flotilla::controllers {
namespace {

using std::chrono::seconds;

ClusterObservation seen(bool attached, bool reachable, bool healthy) {
  ClusterObservation observation;
  observation.attached = attached;
  observation.problem = "no credentials";
  observation.probe.reachable = reachable;
  observation.probe.healthy = healthy;
  return observation;
}

std::string text(const ReadyObservation& ready) {
  return ready.status + " " + ready.reason + ": " + ready.message;
}

TEST(ClusterStatus_Ready, has_karmadas_reasons) {
  EXPECT_EQ(text(ready_of(seen(false, false, false))), "False StatusCollectionFailed: no credentials");
  EXPECT_EQ(text(ready_of(seen(true, false, false))), "False ClusterNotReachable: cluster is not reachable");
  EXPECT_EQ(text(ready_of(seen(true, true, false))),
            "False ClusterNotReady: cluster is reachable but health endpoint responded without ok");
  EXPECT_EQ(text(ready_of(seen(true, true, true))),
            "True ClusterReady: cluster is healthy and ready to accept workloads");
}

class ClusterStatus_Smoothing : public testing::Test {
 protected:
  // What is shown after this was seen at that second.
  std::string see(const std::string& status, int second) {
    shown_ = smoother_.smooth("m", {status, "", ""}, shown_, SteadyTime() + seconds(second));
    return shown_.status;
  }

  ReadySmoother smoother_{seconds(30), seconds(20)};
  ReadyObservation shown_;
};

TEST_F(ClusterStatus_Smoothing, the_first_look_counts_at_once) {
  EXPECT_EQ(see("False", 0), "False");
}

TEST_F(ClusterStatus_Smoothing, each_direction_has_its_threshold) {
  EXPECT_EQ(see("True", 0), "True");
  EXPECT_EQ(see("False", 10), "True");
  EXPECT_EQ(see("False", 29), "True");
  EXPECT_EQ(see("False", 30), "False");
  EXPECT_EQ(see("True", 40), "False");
  EXPECT_EQ(see("True", 69), "False");
  EXPECT_EQ(see("True", 70), "True");
}

TEST_F(ClusterStatus_Smoothing, a_change_back_begins_anew) {
  EXPECT_EQ(see("True", 0), "True");
  EXPECT_EQ(see("False", 10), "True");
  EXPECT_EQ(see("True", 20), "True");
  EXPECT_EQ(see("False", 25), "True");
  EXPECT_EQ(see("False", 44), "True");
  EXPECT_EQ(see("False", 45), "False");
}

TEST_F(ClusterStatus_Smoothing, unknown_is_left_at_once) {
  EXPECT_EQ(see("True", 0), "True");
  shown_.status = "Unknown";
  EXPECT_EQ(see("False", 1), "False");
}

}  // namespace
}  // namespace flotilla::controllers
