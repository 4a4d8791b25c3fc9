// SPDX-License-Identifier: Apache-2.0
#include "core/planning/decisions.hpp"

#include <gmock/gmock.h>

#include "core/controllers/decision_keys.hpp"
#include "core/planning/simulate.hpp"
#include "core/planning/why.hpp"
#include "tests/unit/planning/small_world.hpp"

namespace flotilla::planning {
namespace {

using testing::HasSubstr;
namespace k = controllers::kinds;

class Planning_Decisions : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(world.opened.ok());
    for (const char* name : {"m1", "m2", "m3"}) world.add_cluster(name);
    world.put(SmallWorld::deployment("web", 5));
    world.put(SmallWorld::divided(R"(["m1","m2"])"));
    world.settle();
    ASSERT_NE(binding(), nullptr);
  }
  ObjectPtr binding() {
    return world.store.get(k::kResourceBinding.collection(), "default", "web-deployment");
  }
  DecisionsPtr decisions() {
    return call_blocking(world.executor.strand(), read_decisions(&world.store, binding()))->value();
  }
  Json answer(DecisionQuery query) {
    const auto answer =
        call_blocking(world.executor.strand(), answer_decisions(&world.store, std::move(query)));
    return *answer ? **answer : Json(answer->error().message());
  }
  Json why(WhyQuestion question) {
    const Sources sources = world.sources();
    question.decisions = decisions();
    const auto subject =
        subject_of(sources, SmallWorld::kind_of(SmallWorld::deployment("web", 1)), {"default", "web"});
    const auto answer = explain(sources, *subject, question);
    return answer ? *answer : Json(answer.error().message());
  }
  Json simulate_it(SimulationQuestion question) {
    const Sources sources = world.sources();
    SimulationProgress progress;
    const auto answer = simulate(sources, question, progress);
    EXPECT_EQ(progress.looked.load(), progress.of.load());
    return answer ? *answer : Json(answer.error().message());
  }
  static std::string moves(const Json& simulation) {
    std::string text;
    for (const Json& one : simulation["templates"].elements()) {
      for (const Json& move : one["moves"].elements()) {
        text += std::string(move["cluster"].as_string()) + " " + std::to_string(move["before"].as_int()) +
                ">" + std::to_string(move["after"].as_int()) + ";";
      }
    }
    return text;
  }
  SmallWorld world;
};

TEST_F(Planning_Decisions, are_kept_with_their_binding_in_one_commit) {
  const DecisionsPtr kept = decisions();
  ASSERT_EQ(kept->kept.size(), 1u);
  EXPECT_EQ(kept->kept[0].revision, binding()->revision()) << "one write: the decision and its record";
  EXPECT_EQ(controllers::decision_number(*binding()->content()), 1);
  world.put(SmallWorld::deployment("web", 9));
  world.settle();
  EXPECT_EQ(decisions()->kept.size(), 2u);
}

TEST_F(Planning_Decisions, are_told_as_objects) {
  const Json whole = answer({"placementdecisions", "default", "web-deployment-1", {}, 0, {}});
  EXPECT_EQ(whole["kind"].as_string(), "PlacementDecision") << whole.dump();
  EXPECT_EQ(whole["status"]["result"].as_string(), "Scheduled");
  EXPECT_EQ(whole["status"]["fitting"].as_string(), "2/3");
  EXPECT_EQ(whole["status"]["targets"].size(), 2u);
  const Json& verdict = whole["status"]["verdicts"].element(0);
  EXPECT_EQ(verdict["policy"].as_string(), "cluster_affinity");
  EXPECT_EQ(verdict["clusters"].dump(), R"(["m3"])");
  EXPECT_EQ(whole["status"]["candidates"].size(), 2u);
  // Five on two of equal weight: the last seat is drawn.
  const Json& division = whole["status"]["division"].element(0);
  EXPECT_EQ(division["replicas"].as_int(), 5);
  EXPECT_THAT(std::string(division["tie"].as_string()), HasSubstr("by name gets it")) << division.dump();
  EXPECT_GT(whole["status"]["nanoseconds"]["total"].as_int(), 0);
  EXPECT_EQ(whole["metadata"]["ownerReferences"].element(0)["uid"].as_string(), binding()->uid());
}

TEST_F(Planning_Decisions, are_listed_page_by_page_without_details) {
  world.put(SmallWorld::deployment("api", 2));
  world.settle();
  world.put(SmallWorld::deployment("web", 9));
  world.settle();
  const Json all = answer({"placementdecisions", "", "", {}, 0, {}});
  ASSERT_EQ(all["items"].size(), 3u) << all.dump();
  EXPECT_FALSE(all["items"].element(0)["status"].contains("candidates"));
  const Json first = answer({"placementdecisions", "default", "", {}, 1, {}});
  ASSERT_EQ(first["items"].size(), 1u);
  const std::string more(first["metadata"]["continue"].as_string());
  EXPECT_FALSE(more.empty());
  const Json second = answer({"placementdecisions", "default", "", {}, 1, more});
  EXPECT_EQ(second["items"].size(), 2u);
  EXPECT_FALSE(second["metadata"].contains("continue"));
  EXPECT_EQ(answer({"placementdecisions", "default", "", "api-deployment", 0, {}})["items"].size(), 1u);
  EXPECT_EQ(answer({"clusterplacementdecisions", "", "", {}, 0, {}})["items"].size(), 0u);
  EXPECT_THAT(
      std::string(answer({"placementdecisions", "default", "web-deployment-7", {}, 0, {}}).as_string()),
      HasSubstr("not found"));
}

TEST_F(Planning_Decisions, describe_themselves_to_discovery) {
  const auto resources = decision_resources();
  ASSERT_EQ(resources.size(), 2u);
  EXPECT_TRUE(resources[0]->namespaced);
  EXPECT_FALSE(resources[1]->namespaced);
  for (const auto& resource : resources) {
    EXPECT_EQ(resource->verbs, (std::vector<std::string>{"get", "list"}));
    EXPECT_GT(resource->columns.size(), 3u);
  }
}

TEST_F(Planning_Decisions, explain_why_and_what_changed) {
  Json told = why({});
  EXPECT_EQ(told["decision"]["number"].as_int(), 1) << told.dump_pretty();
  EXPECT_EQ(told["decision"]["verdicts"].element(0)["count"].as_int(), 1);
  WhyQuestion diff;
  diff.diff = true;
  EXPECT_THAT(why(diff)["notes"].dump(), HasSubstr("one decision alone"));
  world.put(SmallWorld::deployment("web", 9));
  world.put(SmallWorld::divided(R"(["m1","m2","m3"])"));
  world.settle();
  world.settle();
  told = why(diff);
  EXPECT_THAT(told["diff"]["inputs"].dump() + told["diff"]["clusters"].dump(), HasSubstr("m3"))
      << told.dump_pretty();
  EXPECT_GT(told["diff"]["outcome"].size(), 0u);
}

TEST_F(Planning_Decisions, say_what_would_have_to_change) {
  Json tainted = *world.store.get(k::kCluster.collection(), "", "m3")->content();
  tainted["spec"].set("taints", SmallWorld::json(R"([{"key":"gpu","value":"a","effect":"NoSchedule"}])"));
  world.put(tainted);
  world.settle();
  WhyQuestion question;
  question.only = "m3";
  const Json openings = why(question)["openings"];
  EXPECT_TRUE(openings["target"].as_bool()) << openings.dump_pretty();
  ASSERT_GE(openings["obstacles"].size(), 2u);
  EXPECT_THAT(openings["obstacles"].dump(), HasSubstr("add m3 to clusterAffinity.clusterNames"));
  EXPECT_THAT(openings["obstacles"].dump(), HasSubstr("tolerate gpu=a:NoSchedule"));
  EXPECT_THAT(openings["obstacles"].dump(), HasSubstr("kubectl edit propagationpolicy all -n default"));
  EXPECT_GT(openings["replicas"].as_int(), 0);
}

TEST_F(Planning_Decisions, simulation_of_a_lost_cluster_moves_its_replicas_and_writes_nothing) {
  const Revision before = world.store.revision();
  SimulationQuestion question;
  question.lost = {"m1"};
  const Json simulation = simulate_it(question);
  EXPECT_THAT(moves(simulation), testing::AnyOf("m1 3>0;m2 2>5;", "m1 2>0;m2 3>5;"))
      << simulation.dump_pretty();
  EXPECT_EQ(simulation["summary"]["unplaceable"].as_int(), 0);
  EXPECT_EQ(world.store.revision(), before);
  question.lost = {"m1", "m2"};
  const Json nowhere = simulate_it(question);
  EXPECT_EQ(nowhere["summary"]["unplaceable"].as_int(), 1) << nowhere.dump_pretty();
  EXPECT_THAT(nowhere["templates"].dump(), HasSubstr("0/1 clusters are available"));
  question.lost = {"none"};
  EXPECT_THAT(std::string(simulate_it(question).as_string()), HasSubstr("not found"));
}

TEST_F(Planning_Decisions, simulation_of_more_replicas_taints_and_manifests) {
  SimulationQuestion scaled;
  scaled.scaled = ObjectKey{"default", "web"};
  scaled.scaled_kind = SmallWorld::kind_of(SmallWorld::deployment("web", 1));
  scaled.replicas = 8;
  EXPECT_EQ(simulate_it(scaled)["summary"]["gained"].as_int(), 3);

  const auto tainted = read_simulation(SmallWorld::json(R"({"taints":["m1=a=b:NoExecute"]})"));
  ASSERT_TRUE(tainted.ok());
  EXPECT_THAT(moves(simulate_it(*tainted)), testing::EndsWith(">5;"));
  const auto scheduled = read_simulation(SmallWorld::json(R"({"taints":["m1=a=b:NoSchedule"]})"));
  EXPECT_EQ(moves(simulate_it(*scheduled)), "") << "what is there stays";

  SimulationQuestion applied;
  applied.changes = {world.change(SmallWorld::divided(R"(["m3"])"))};
  const Json simulation = simulate_it(applied);
  EXPECT_THAT(moves(simulation), HasSubstr("m3 0>5;")) << simulation.dump_pretty();
}

TEST_F(Planning_Decisions, simulation_of_a_new_cluster_gives_it_replicas_when_all_is_divided_anew) {
  Json policy = SmallWorld::divided("[]");
  world.put(policy);
  world.settle();
  Json cluster = *world.store.get(k::kCluster.collection(), "", "m1")->content();
  cluster["metadata"].set("name", "m4");
  SimulationQuestion question;
  question.added = {cluster};
  question.anew = true;
  EXPECT_THAT(moves(simulate_it(question)), HasSubstr("m4 0>"));
}

TEST(Planning_SimulationQuestion, refuses_what_it_cannot_mean) {
  for (const char* body :
       {R"({"taints":["m1"]})", R"({"taints":["m1=a:Maybe"]})", R"({"taints":["=a:NoSchedule"]})",
        R"({"replicas":-1})", R"({"replicas":"many"})", R"({"replicas":2147483648})",
        R"({"clusters":[{"kind":"Pod","metadata":{"name":"x"}}]})"}) {
    EXPECT_FALSE(read_simulation(SmallWorld::json(body)).ok()) << body;
  }
  const auto off = read_simulation(SmallWorld::json(R"({"taints":["m1=a=b:NoSchedule-"]})"));
  ASSERT_TRUE(off.ok());
  EXPECT_TRUE(off->taints[0].removes);
  EXPECT_EQ(off->taints[0].taint["value"].as_string(), "b");
}

}  // namespace
}  // namespace flotilla::planning
