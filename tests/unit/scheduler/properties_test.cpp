// SPDX-License-Identifier: Apache-2.0
// What holds for any fleet and any binding. Each test draws its cases from a seed that it prints when it
// fails; FLOTILLA_SEED repeats one.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "core/scheduler/schedule.hpp"
#include "core/scheduler/select.hpp"
#include "tests/fakes/in_tree_policies.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;

constexpr int kRounds = 100;

unsigned seed_of_today() {
  const char* asked = std::getenv("FLOTILLA_SEED");
  return asked == nullptr ? std::random_device()() : static_cast<unsigned>(std::strtoul(asked, nullptr, 10));
}

// An arbitrary fleet and an arbitrary binding.
class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}

  int below(int most) { return static_cast<int>(random_() % static_cast<unsigned>(most)); }
  bool chance(int percent) { return below(100) < percent; }

  std::vector<Json> fleet() {
    std::vector<Json> clusters;
    const int count = chance(10) ? 100 + below(100) : 1 + below(12);
    for (int i = 0; i < count; ++i) {
      Json made = cluster("m" + std::to_string(100 + i), chance(80) ? "r" + std::to_string(below(4)) : "",
                          std::to_string(below(40)));
      made.make({"metadata", "labels", "tier"}) = chance(50) ? "gold" : "iron";
      if (chance(10)) made.make({"spec", "taints"}) = parsed(R"([{"key":"k","effect":"NoSchedule"}])");
      if (chance(5)) made.make({"metadata", "deletionTimestamp"}) = "2026-01-01T00:00:00Z";
      clusters.push_back(std::move(made));
    }
    return clusters;
  }

  Json spec(const std::vector<Json>& fleet, bool divided) {
    Json spec = parsed(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment","namespace":"d","name":"w"},
        "replicaRequirements":{"resourceRequest":{"cpu":"1"}}})");
    spec.make({"resource", "uid"}) = std::to_string(random_());
    spec["replicas"] = chance(5) ? below(100000) : 1 + below(60);
    Json& placement = spec["placement"];
    placement = Json::object();
    if (chance(30)) placement.make({"clusterAffinity", "labelSelector", "matchLabels", "tier"}) = "gold";
    placement["replicaScheduling"] = scheduling(divided);
    if (chance(40)) placement["spreadConstraints"] = spread();
    if (chance(50)) {
      Json clusters = Json::array();
      for (const Json& each : fleet) {
        if (!chance(25)) continue;
        clusters.push_back(
            Json::object({{"name", each["metadata"]["name"].as_string()}, {"replicas", 1 + below(20)}}));
      }
      spec["clusters"] = std::move(clusters);
    }
    return spec;
  }

 private:
  Json scheduling(bool divided) {
    if (!divided) return parsed(R"({"replicaSchedulingType":"Duplicated"})");
    switch (below(3)) {
      case 0:
        return parsed(R"({"replicaSchedulingType":"Divided","replicaDivisionPreference":"Aggregated"})");
      case 1:
        return parsed(R"({"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted",
          "weightPreference":{"dynamicWeight":"AvailableReplicas"}})");
      default: {
        Json made = parsed(R"({"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted",
          "weightPreference":{"staticWeightList":[{"targetCluster":{"labelSelector":{"matchLabels":
          {"tier":"gold"}}}},{"targetCluster":{}}]}})");
        for (Json& rule : made["weightPreference"]["staticWeightList"].elements()) {
          rule["weight"] = chance(10) ? INT64_MAX - below(9) : below(9);
        }
        return made;
      }
    }
  }
  Json spread() {
    Json list = Json::array();
    const int clusters = 1 + below(5);
    list.push_back(Json::object(
        {{"spreadByField", "cluster"}, {"minGroups", clusters}, {"maxGroups", clusters + below(4)}}));
    if (chance(50)) {
      const int regions = 1 + below(3);
      list.push_back(Json::object(
          {{"spreadByField", "region"}, {"minGroups", regions}, {"maxGroups", regions + below(2)}}));
    }
    return list;
  }

  std::mt19937 random_;
};

class Scheduler_Properties : public ::testing::Test {
 protected:
  Decision decide(const ClusterTable& table, const Binding& binding) {
    return schedule(table, binding, *policies_, {}, workspace_);
  }
  // each(table, binding, decision) for many decisions that succeed.
  template <typename Each>
  void for_many(bool divided, Each each) {
    const unsigned seed = seed_of_today();
    SCOPED_TRACE("FLOTILLA_SEED=" + std::to_string(seed));
    Draw draw(seed);
    int succeeded = 0;
    for (int round = 0; round < kRounds; ++round) {
      const std::vector<Json> fleet = draw.fleet();
      const ClusterTablePtr table = table_of(fleet);
      const Binding binding = parse_binding(draw.spec(fleet, divided), Json());
      const Decision decision = decide(*table, binding);
      if (!decision.ok()) {
        EXPECT_FALSE(decision.failure.message.empty());
        EXPECT_EQ(decision.failure.message.find("policy "), std::string::npos) << decision.failure.message;
        continue;
      }
      ++succeeded;
      each(*table, binding, decision);
      if (HasFailure()) break;
    }
    EXPECT_GT(succeeded, kRounds / 10);
  }

  fakes::InTreePolicies policies_;
  Workspace workspace_;
};

std::int64_t sum_of(const Decision& decision) {
  std::int64_t sum = 0;
  for (const Target& target : decision.targets) sum += target.replicas;
  return sum;
}

TEST_F(Scheduler_Properties, divided_replicas_are_all_given_out) {
  for_many(true, [](const ClusterTable&, const Binding& binding, const Decision& decision) {
    EXPECT_EQ(sum_of(decision), binding.replicas);
  });
}

TEST_F(Scheduler_Properties, duplicated_replicas_are_the_same_everywhere) {
  for_many(false, [](const ClusterTable&, const Binding& binding, const Decision& decision) {
    for (const Target& target : decision.targets) EXPECT_EQ(target.replicas, binding.replicas);
    EXPECT_EQ(decision.targets.size(), decision.record.selected.size());
  });
}

TEST_F(Scheduler_Properties, targets_are_selected_and_the_selected_fit) {
  for (bool divided : {false, true}) {
    for_many(divided, [](const ClusterTable& table, const Binding&, const Decision& decision) {
      RowSet selected(table.size());
      for (Row row : decision.record.selected) {
        EXPECT_FALSE(selected.has(row));
        EXPECT_EQ(decision.record.reasons[row], Reasons::kFits);
        EXPECT_FALSE(table.identity().deleting.has(row));
        selected.add(row);
      }
      Row next = 0;
      for (const Target& target : decision.targets) {
        EXPECT_TRUE(selected.has(target.row));
        EXPECT_GE(target.row, next);
        EXPECT_GT(target.replicas, 0);
        next = target.row + 1;
      }
    });
  }
}

// More than a cluster has room for is given only to what runs there already, and by static weights.
TEST_F(Scheduler_Properties, room_is_not_overcommitted) {
  for_many(true, [](const ClusterTable&, const Binding& binding, const Decision& decision) {
    if (binding.placement->strategy == Strategy::StaticWeight) return;
    for (const Target& target : decision.targets) {
      for (const Candidate& candidate : decision.record.candidates) {
        if (candidate.row == target.row) EXPECT_LE(target.replicas, candidate.available);
      }
    }
  });
}

TEST_F(Scheduler_Properties, equal_inputs_get_equal_answers) {
  for_many(true, [&](const ClusterTable& table, const Binding& binding, const Decision& decision) {
    EXPECT_EQ(decide(table, binding).targets, decision.targets);
    fakes::InTreePolicies others;
    EXPECT_EQ(schedule(table, binding, *others).targets, decision.targets);
  });
}

// What was decided is kept when it is asked for again.
TEST_F(Scheduler_Properties, an_answer_is_stable) {
  for_many(true, [&](const ClusterTable& table, const Binding& binding, const Decision& decision) {
    if (binding.placement->strategy == Strategy::StaticWeight || spreads(*binding.placement)) return;
    Binding again = binding;
    again.clusters.clear();
    for (const Target& target : decision.targets)
      again.clusters.push_back({std::string(table.name(target.row)), target.replicas});
    EXPECT_EQ(decide(table, again).targets, decision.targets);
  });
}

// With one replica more, nobody who keeps replicas loses one.
TEST_F(Scheduler_Properties, growing_takes_nothing_away) {
  for_many(true, [&](const ClusterTable& table, const Binding& binding, const Decision& decision) {
    if (binding.placement->strategy == Strategy::StaticWeight || spreads(*binding.placement)) return;
    Binding more = binding;
    more.clusters.clear();
    for (const Target& target : decision.targets)
      more.clusters.push_back({std::string(table.name(target.row)), target.replicas});
    ++more.replicas;
    const Decision grown = decide(table, more);
    if (!grown.ok()) return;
    for (const Target& before : decision.targets) {
      const auto after = std::find_if(grown.targets.begin(), grown.targets.end(),
                                      [&](const Target& target) { return target.row == before.row; });
      ASSERT_NE(after, grown.targets.end());
      EXPECT_GE(after->replicas, before.replicas);
    }
  });
}

// In which order clusters came, changed and went does not show.
TEST_F(Scheduler_Properties, an_answer_does_not_depend_on_how_the_fleet_came_about) {
  const unsigned seed = seed_of_today();
  SCOPED_TRACE("FLOTILLA_SEED=" + std::to_string(seed));
  Draw draw(seed);
  std::mt19937 shuffle(seed);
  for (int round = 0; round < kRounds / 4 && !HasFailure(); ++round) {
    const std::vector<Json> fleet = draw.fleet();
    const Binding binding = parse_binding(draw.spec(fleet, round % 2 == 0), Json());
    const ClusterTablePtr table = table_of(fleet);
    const Decision decision = decide(*table, binding);
    std::vector<Json> later = fleet;
    std::shuffle(later.begin(), later.end(), shuffle);
    ClusterTableBuilder builder;
    builder.update(cluster("a-guest", "r1", "900"));
    for (const Json& each : later) {
      Json before = each;
      before.make({"metadata", "labels", "was"}) = "young";
      before["status"].erase("resourceSummary");
      builder.update(before);
    }
    builder.snapshot();
    for (const Json& each : later) builder.update(each);
    builder.remove("a-guest");
    const Decision same = decide(*builder.snapshot(), binding);
    EXPECT_EQ(same.targets, decision.targets);
    EXPECT_EQ(same.failure.message, decision.failure.message);
  }
}

// One cluster more with plenty of room leaves nobody without a place.
TEST_F(Scheduler_Properties, more_room_makes_nothing_unplaceable) {
  const unsigned seed = seed_of_today();
  SCOPED_TRACE("FLOTILLA_SEED=" + std::to_string(seed));
  Draw draw(seed);
  for (int round = 0; round < kRounds / 4 && !HasFailure(); ++round) {
    std::vector<Json> fleet = draw.fleet();
    const Binding binding = parse_binding(draw.spec(fleet, true), Json());
    if (spreads(*binding.placement)) continue;
    const bool placed = decide(*table_of(fleet), binding).ok();
    fleet.push_back(cluster("zz-plenty", "r1", "100"));
    const Decision after = decide(*table_of(fleet), binding);
    EXPECT_TRUE(after.ok() || !placed) << after.failure.message;
  }
}

// What nobody can mean ends in a sentence, not in a crash.
TEST_F(Scheduler_Properties, absurd_numbers_end_in_a_sentence_or_an_answer) {
  std::vector<Json> fleet;
  for (int i = 0; i < 40; ++i)
    fleet.push_back(cluster("m" + std::to_string(100 + i), "r" + std::to_string(i % 20), "100"));
  const ClusterTablePtr table = table_of(fleet);
  for (std::int64_t replicas :
       {std::int64_t{0}, std::int64_t{-5}, std::int64_t{INT32_MAX}, std::int64_t{1} << 31, INT64_MAX}) {
    for (std::int64_t groups : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{INT32_MAX}, INT64_MAX}) {
      for (std::int64_t weight : {std::int64_t{0}, std::int64_t{1}, INT64_MAX}) {
        Json spec = parsed(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment"},"placement":{
            "replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted",
            "weightPreference":{"staticWeightList":[{"targetCluster":{}}]}}}})");
        spec["replicas"] = replicas;
        spec.make({"placement", "replicaScheduling", "weightPreference", "staticWeightList"}) =
            Json::array({Json::object({{"targetCluster", Json::object()}, {"weight", weight}})});
        const Decision weighed = decide(*table, parse_binding(spec, Json()));
        EXPECT_TRUE(weighed.ok()) << weighed.failure.message;
        for (std::string_view preference : {"Aggregated", "Weighted"}) {
          spec["placement"]["replicaScheduling"] =
              Json::object({{"replicaSchedulingType", "Divided"}, {"replicaDivisionPreference", preference}});
          spec["placement"]["replicaScheduling"].make({"weightPreference", "dynamicWeight"}) =
              "AvailableReplicas";
          spec["placement"]["spreadConstraints"] = Json::array(
              {Json::object({{"spreadByField", "cluster"}, {"minGroups", groups}, {"maxGroups", groups}}),
               Json::object({{"spreadByField", "region"}, {"minGroups", 1}, {"maxGroups", groups}})});
          const Decision decision = decide(*table, parse_binding(spec, Json()));
          EXPECT_TRUE(decision.ok() || !decision.failure.message.empty());
        }
      }
    }
  }
}

TEST_F(Scheduler_Properties, contradictions_are_told_as_karmada_tells_them) {
  const ClusterTablePtr table = table_of({cluster("m1", "r1"), cluster("m2", "r2")});
  const auto failed = [&](std::string_view constraints) {
    Json spec = parsed(R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment"},"replicas":3})");
    spec.make({"placement", "spreadConstraints"}) = parsed(constraints);
    return decide(*table, parse_binding(spec, Json())).failure.message;
  };
  EXPECT_EQ(failed(R"([{"spreadByField":"cluster","minGroups":3,"maxGroups":5}])"),
            "failed to select clusters: the number of feasible clusters is less than "
            "spreadConstraint.MinGroups");
  EXPECT_EQ(failed(R"([{"spreadByField":"cluster","minGroups":1,"maxGroups":0}])"),
            "failed to assign replicas: no clusters available to schedule");
  EXPECT_EQ(failed(R"([{"spreadByField":"region","minGroups":3,"maxGroups":3},
      {"spreadByField":"cluster","minGroups":3,"maxGroups":3}])"),
            "failed to select clusters: the number of feasible region is less than "
            "spreadConstraint.MinGroups");
  EXPECT_EQ(failed(R"([{"spreadByField":"region","minGroups":1,"maxGroups":1},
      {"spreadByField":"cluster","minGroups":2,"maxGroups":2}])"),
            "failed to select clusters: the number of clusters is less than the cluster "
            "spreadConstraint.MinGroups");
}

}  // namespace
}  // namespace flotilla::scheduler
