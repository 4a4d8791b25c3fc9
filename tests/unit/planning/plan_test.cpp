// SPDX-License-Identifier: Apache-2.0
#include "core/planning/plan.hpp"

#include <gmock/gmock.h>

#include "tests/unit/planning/small_world.hpp"

namespace flotilla::planning {
namespace {

using testing::HasSubstr;

std::string clusters_text(const Json& plan) {
  std::string out;
  for (const Json& one : plan["templates"].elements()) {
    for (const Json& cluster : one["clusters"].elements()) {
      out.append(one["name"].as_string()).append("@").append(cluster["cluster"].as_string());
      out.append(" ").append(cluster["action"].as_string()).append(";");
    }
  }
  return out;
}

class Planning_Plan : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world.opened.ok());
    for (const char* name : {"m1", "m2", "m3"}) world.add_cluster(name);
  }
  // A deployment on m1 and m2, at rest.
  void run_web() {
    world.put(SmallWorld::deployment("web", 4));
    world.put(SmallWorld::divided(R"(["m1","m2"])"));
    world.settle();
    ASSERT_NE(world.store.get(controllers::kinds::kResourceBinding.collection(), "default", "web-deployment"),
              nullptr);
  }
  SmallWorld world;
};

TEST_F(Planning_Plan, a_new_template_with_its_policy_is_created_on_every_cluster) {
  const Revision before = world.store.revision();
  const Json plan = world.plan(
      {world.change(SmallWorld::deployment("web", 4)), world.change(SmallWorld::divided(R"(["m1","m2"])"))});
  EXPECT_EQ(clusters_text(plan), "web@m1 create;web@m2 create;") << plan.dump_pretty();
  EXPECT_EQ(plan["summary"]["creates"].as_int(), 2);
  EXPECT_EQ(world.store.revision(), before) << "a plan writes nothing";
}

TEST_F(Planning_Plan, a_scaled_template_moves_replicas_and_shows_the_fields) {
  run_web();
  const Json plan = world.plan({world.change(SmallWorld::deployment("web", 10))});
  EXPECT_EQ(clusters_text(plan), "web@m1 update;web@m2 update;") << plan.dump_pretty();
  EXPECT_EQ(plan["templates"].element(0)["replicas"].size(), 2u);
  EXPECT_THAT(plan["templates"].dump(), HasSubstr("spec.replicas"));
  EXPECT_FALSE(plan.contains("underWay")) << plan["underWay"].dump();
}

TEST_F(Planning_Plan, a_policy_that_leaves_a_cluster_deletes_there) {
  run_web();
  const Json plan = world.plan({world.change(SmallWorld::divided(R"(["m1","m3"])"))});
  EXPECT_EQ(plan["summary"]["deletes"].as_int(), 1) << plan.dump_pretty();
  EXPECT_EQ(plan["summary"]["creates"].as_int(), 1);
  EXPECT_THAT(clusters_text(plan), HasSubstr("web@m2 delete"));
}

TEST_F(Planning_Plan, no_cluster_that_fits_is_said_with_the_schedulers_words) {
  run_web();
  const Json plan = world.plan({world.change(SmallWorld::divided(R"(["nowhere"])"))});
  EXPECT_THAT(plan["problems"].dump(), HasSubstr("NoClusterFit")) << plan.dump_pretty();
  EXPECT_THAT(plan["problems"].dump(), HasSubstr("0/3 clusters are available"));
}

TEST_F(Planning_Plan, a_template_without_a_policy_stays) {
  const Json plan = world.plan({world.change(SmallWorld::deployment("lonely", 1))});
  EXPECT_THAT(plan["problems"].dump(), HasSubstr("NoPolicyMatched"));
  EXPECT_EQ(plan["summary"]["creates"].as_int(), 0);
}

TEST_F(Planning_Plan, an_override_that_cannot_be_applied_names_policy_path_and_cluster) {
  run_web();
  const Json policy = SmallWorld::json(R"({"apiVersion":"policy.karmada.io/v1alpha1","kind":"OverridePolicy",
      "metadata":{"name":"bad","namespace":"default"},"spec":{
        "resourceSelectors":[{"apiVersion":"apps/v1","kind":"Deployment","name":"web"}],
        "overrideRules":[{"targetCluster":{"clusterNames":["m2"]},"overriders":{"plaintext":[
          {"path":"/spec/none/here","operator":"replace","value":1}]}}]}})");
  const Json plan = world.plan({world.change(policy)});
  const std::string problems = plan["problems"].dump();
  EXPECT_THAT(problems, HasSubstr("bad")) << plan.dump_pretty();
  EXPECT_THAT(problems, HasSubstr("/spec/none/here"));
  EXPECT_THAT(problems, HasSubstr("m2"));
}

TEST_F(Planning_Plan, a_deleted_template_takes_its_objects_along) {
  run_web();
  const Json plan = world.plan({world.removal(SmallWorld::deployment("web", 4))});
  EXPECT_EQ(clusters_text(plan), "web@m1 delete;web@m2 delete;") << plan.dump_pretty();
}

TEST_F(Planning_Plan, a_deleted_policy_leaves_the_workloads) {
  run_web();
  const Json plan = world.plan({world.removal(SmallWorld::divided("[]"))});
  EXPECT_EQ(plan["summary"]["deletes"].as_int(), 0) << plan.dump_pretty();
  EXPECT_EQ(plan["summary"]["changedPolicies"].as_int(), 1);
}

TEST_F(Planning_Plan, what_is_there_already_changes_nothing) {
  run_web();
  Change same = world.change(SmallWorld::deployment("web", 4));
  same.object = *world.store.get(same.kind.collection(), "default", "web")->content();
  const Json plan = world.plan({same});
  EXPECT_EQ(clusters_text(plan), "");
  EXPECT_EQ(plan["changes"].element(0)["action"].as_string(), "unchanged");
}

TEST_F(Planning_Plan, equal_worlds_and_questions_have_one_id_and_a_moved_world_another) {
  run_web();
  const Change scale = world.change(SmallWorld::deployment("web", 10));
  const std::string id(world.plan({scale})["id"].as_string());
  EXPECT_EQ(world.plan({scale})["id"].as_string(), id);
  EXPECT_NE(world.plan({world.change(SmallWorld::deployment("web", 11))})["id"].as_string(), id);
  world.put(SmallWorld::divided(R"(["m1","m2","m3"])"));
  world.settle();
  EXPECT_NE(world.plan({scale})["id"].as_string(), id);
}

TEST_F(Planning_Plan, what_only_reports_does_not_make_a_plan_stale) {
  run_web();
  const Change scale = world.change(SmallWorld::deployment("web", 10));
  const std::string id(world.plan({scale})["id"].as_string());
  auto reporting =
      world.writer.modify(scale.kind, store::Part::Status, scale.key, [](Json& object) -> Result<bool> {
        object.make({"status", "readyReplicas"}) = 3;
        return true;
      });
  ASSERT_TRUE(call_blocking(world.executor.strand(), std::move(reporting))->ok());
  world.settle();
  EXPECT_EQ(world.plan({scale})["id"].as_string(), id);
}

TEST_F(Planning_Plan, the_plan_of_one_template_reads_nothing_of_the_others) {
  for (int i = 0; i < 50; ++i) world.put(SmallWorld::deployment("other" + std::to_string(i), 2));
  run_web();
  const Json plan = world.plan({world.change(SmallWorld::deployment("web", 10))});
  EXPECT_LT(plan["resourceVersionSet"]["count"].as_int(), 20) << plan["resourceVersionSet"].dump();
  EXPECT_EQ(plan["summary"]["templates"].as_int(), 1);
}

TEST_F(Planning_Plan, a_policy_of_many_templates_is_counted_beyond_the_details) {
  for (int i = 0; i < 120; ++i) world.put(SmallWorld::deployment("d" + std::to_string(i), 4));
  world.put(SmallWorld::divided(R"(["m1","m2"])"));
  world.settle();
  const Json plan = world.plan({world.change(SmallWorld::divided(R"(["m1"])"))});
  EXPECT_EQ(plan["summary"]["deletes"].as_int(), 120) << plan["summary"].dump();
  EXPECT_EQ(plan["templates"].size(), 100u);
  EXPECT_EQ(plan["summary"]["templatesNotShown"].as_int(), 20);
}

TEST_F(Planning_Plan, a_cluster_that_loses_a_label_loses_what_asked_for_it) {
  world.add_cluster("gold", R"({"tier":"gold"})");
  world.put(SmallWorld::deployment("web", 4));
  world.put(SmallWorld::json(R"({"apiVersion":"policy.karmada.io/v1alpha1","kind":"PropagationPolicy",
      "metadata":{"name":"all","namespace":"default"},"spec":{
        "resourceSelectors":[{"apiVersion":"apps/v1","kind":"Deployment"}],
        "placement":{"clusterAffinity":{"labelSelector":{"matchLabels":{"tier":"gold"}}}}}})"));
  world.settle();
  const Collection clusters = controllers::kinds::kCluster.collection();
  Change change{
      controllers::kinds::kCluster, {"", "gold"}, *world.store.get(clusters, "", "gold")->content(), {}};
  change.object["metadata"].erase("labels");
  change.asked = change.object;
  const Json plan = world.plan({change});
  EXPECT_THAT(plan["problems"].dump(), HasSubstr("NoClusterFit")) << plan.dump_pretty();
}

}  // namespace
}  // namespace flotilla::planning
