// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/schedule/bindings_by_placement.hpp"

#include <gtest/gtest.h>

#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using scheduler::ClusterTableBuilder;
using scheduler::ClusterTablePtr;
using scheduler::parsed;

reconcile::Key key(const std::string& name) {
  return {store::Collection("work.karmada.io/resourcebindings"), {"default", name}};
}

// A fleet of three and the bindings of a case; what wakes after one cluster has become another.
class Controllers_BindingsByPlacement : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"m1", "m2", "m3"}) builder.update(labelled(name, "prod"));
  }
  static Json labelled(std::string_view name, std::string_view env) {
    Json made = scheduler::cluster(name, "", "10");
    made.make({"metadata", "labels", "env"}) = env;
    return made;
  }
  void know(const std::string& name, std::string_view placement, bool failed = false, bool reruns = true,
            std::size_t term = 0) {
    bindings.put(key(name), {scheduler::parse_placement(parsed(placement)), term, failed, reruns, 0});
  }
  std::string woken_by(const Json& cluster) {
    const ClusterTablePtr before = builder.snapshot();
    const std::string name(cluster["metadata"]["name"].as_string());
    const scheduler::ClusterChange change = builder.update(cluster);
    return texts(bindings.wake(*before, *builder.snapshot(), {{name, change}}));
  }
  static std::string texts(const Wakening& wakening) {
    std::string all;
    for (const auto& woken : wakening.woken) all += (all.empty() ? "" : " ") + woken.key.object.name;
    return all;
  }
  ClusterTableBuilder builder;
  BindingsByPlacement bindings;
};

constexpr const char* kProd = R"({"clusterAffinity":{"labelSelector":{"matchLabels":{"env":"prod"}}}})";
constexpr const char* kNamed = R"({"clusterAffinity":{"clusterNames":["m1","m2"]}})";

TEST_F(Controllers_BindingsByPlacement, a_label_wakes_those_it_means) {
  know("by-label", kProd);
  know("by-name", kNamed);
  know("divided", kProd, false, false);
  know("everywhere", "{}");
  EXPECT_EQ(woken_by(labelled("m1", "test")), "by-label");
  EXPECT_EQ(woken_by(labelled("m1", "test")), "");
  EXPECT_EQ(woken_by(labelled("m1", "prod")), "by-label");
  Json other = labelled("m1", "prod");
  other.make({"metadata", "labels", "rack"}) = "7";
  EXPECT_EQ(woken_by(other), "");
}

TEST_F(Controllers_BindingsByPlacement, a_taint_wakes_those_that_do_not_tolerate_it) {
  know("tolerant", R"({"clusterTolerations":[{"key":"busy","operator":"Exists"}]})");
  know("proud", "{}");
  Json tainted = labelled("m1", "prod");
  tainted.make({"spec", "taints"}) = parsed(R"([{"key":"busy","effect":"NoSchedule"}])");
  EXPECT_EQ(woken_by(tainted), "proud");
  tainted.make({"spec", "taints"}) = parsed(R"([{"key":"busy","effect":"PreferNoSchedule"}])");
  EXPECT_EQ(woken_by(tainted), "proud");
  EXPECT_EQ(woken_by(labelled("m1", "prod")), "");
}

TEST_F(Controllers_BindingsByPlacement, a_region_wakes_those_spread_by_it_and_a_weight_those_weighed) {
  know("spread", R"({"spreadConstraints":[{"spreadByField":"region","minGroups":1,"maxGroups":1}]})");
  know("weighed",
       R"({"replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted",
    "weightPreference":{"staticWeightList":[{"targetCluster":{"labelSelector":{"matchLabels":{"env":"test"}}},"weight":2}]}}})");
  Json moved = labelled("m1", "prod");
  moved.make({"spec", "region"}) = "north";
  EXPECT_EQ(woken_by(moved), "spread");
  moved.make({"metadata", "labels", "env"}) = "test";
  EXPECT_EQ(woken_by(moved), "weighed");
}

TEST_F(Controllers_BindingsByPlacement, room_and_apis_wake_those_that_have_no_clusters) {
  know("placed", kNamed);
  know("waiting", kNamed, true, false);
  know("elsewhere", R"({"clusterAffinity":{"clusterNames":["m3"]}})", true, false);
  Json roomy = labelled("m1", "prod");
  roomy.make({"status", "resourceSummary", "allocatable", "cpu"}) = "20";
  EXPECT_EQ(woken_by(roomy), "waiting");
  roomy.make({"status", "resourceSummary", "allocatable", "cpu"}) = "5";
  EXPECT_EQ(woken_by(roomy), "");
  roomy["status"]["apiEnablements"].push_back(
      parsed(R"({"groupVersion":"batch/v1","resources":[{"name":"jobs","kind":"Job"}]})"));
  EXPECT_EQ(woken_by(roomy), "waiting");
}

TEST_F(Controllers_BindingsByPlacement, only_the_term_in_use_counts_unless_all_have_failed) {
  constexpr const char* kTerms =
      R"({"clusterAffinities":[{"affinityName":"a","clusterNames":["m1"]},{"affinityName":"b","clusterNames":["m2"]}]})";
  know("on-first", kTerms, false, true, 0);
  know("on-second", kTerms, false, true, 1);
  know("failed", kTerms, true, true, 0);
  know("failed-late", kTerms, true, true, 1);
  Json tainted = labelled("m1", "prod");
  tainted.make({"spec", "taints"}) = parsed(R"([{"key":"busy","effect":"NoSchedule"}])");
  EXPECT_EQ(woken_by(tainted), "on-first failed");
  Json second = labelled("m2", "prod");
  second.make({"spec", "taints"}) = parsed(R"([{"key":"busy","effect":"NoSchedule"}])");
  EXPECT_EQ(woken_by(second), "failed on-second failed-late");
}

TEST_F(Controllers_BindingsByPlacement, a_cluster_that_leaves_wakes_all_that_may_be_there) {
  know("divided", kNamed, false, false);
  know("elsewhere", R"({"clusterAffinity":{"clusterNames":["m3"]}})");
  Json leaving = labelled("m1", "prod");
  leaving.make({"metadata", "deletionTimestamp"}) = "2026-01-01T00:00:00Z";
  EXPECT_EQ(woken_by(leaving), "divided");
  const ClusterTablePtr before = builder.snapshot();
  builder.remove("m2");
  EXPECT_EQ(texts(bindings.wake(*before, *builder.snapshot(), {{"m2", {.came = true, .identity = true}}})),
            "divided");
  EXPECT_EQ(woken_by(labelled("m4", "prod")), "");
}

TEST_F(Controllers_BindingsByPlacement, forgets) {
  know("a", kProd);
  know("a", kNamed);
  EXPECT_EQ(bindings.placements(), 1u);
  bindings.forget(key("a"));
  EXPECT_EQ(bindings.size(), 0u);
  EXPECT_EQ(bindings.placements(), 0u);
}

}  // namespace
}  // namespace flotilla::controllers
