// SPDX-License-Identifier: Apache-2.0
// Spreading by label, provider and zone (gate SpreadByLabel): chosen as regions are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/scheduler/attempt.hpp"
#include "core/scheduler/decision_record.hpp"
#include "core/scheduler/explain.hpp"
#include "core/scheduler/standing.hpp"
#include "tests/fakes/in_tree_policies.hpp"
#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;
using testing::ElementsAre;
using testing::HasSubstr;

// Every property says the same.
Json in_group(std::string_view name, std::string_view group, std::string_view cpu = "100") {
  Json made = cluster(name, group, cpu);
  if (group.empty()) return made;
  made.make({"metadata", "labels", "rack"}) = group;
  made.make({"spec", "provider"}) = group;
  made.make({"spec", "zones"}) = Json::array({group, "zz-another"});
  return made;
}

Json by(std::string_view what, int min, int max) {
  Json constraint = Json::object({{"minGroups", min}, {"maxGroups", max}});
  if (what.starts_with("label:")) {
    constraint.set("spreadByLabel", what.substr(6));
  } else {
    constraint.set("spreadByField", what);
  }
  return constraint;
}

Binding spread(const std::vector<Json>& constraints, int replicas = 4, bool divided = true) {
  Json spec = parsed(
      R"({"resource":{"apiVersion":"apps/v1","kind":"Deployment","namespace":"default","name":"web"},"placement":{}})");
  Json list = Json::array();
  for (const Json& constraint : constraints) list.push_back(constraint);
  spec["placement"].set("spreadConstraints", std::move(list));
  if (divided)
    spec["placement"].set("replicaScheduling", parsed(R"({"replicaSchedulingType":"Divided",
      "replicaDivisionPreference":"Aggregated"})"));
  spec["replicas"] = replicas;
  spec.make({"replicaRequirements", "resourceRequest", "cpu"}) = "1";
  return parse_binding(spec, Json());
}

class Scheduler_SpreadGroups : public testing::Test {
 protected:
  // "m1 m3", or what went wrong.
  std::string selected(const ClusterTable& table, const Binding& binding, bool gate = true) {
    options_.spread_by_any = gate;
    decision_ = schedule(table, binding, *policies_, options_, workspace_);
    if (!decision_.ok() && decision_.record.selected.empty()) return decision_.failure.message;
    std::string names;
    for (Row row : decision_.record.selected)
      names += (names.empty() ? "" : " ") + std::string(table.name(row));
    return names;
  }
  fakes::InTreePolicies policies_;
  Workspace workspace_;
  Options options_;
  Decision decision_;
};

TEST_F(Scheduler_SpreadGroups, are_chosen_as_regions_are) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 60; ++round) {
    std::vector<Json> clusters;
    const auto count = 2 + random() % 12;
    for (std::size_t i = 0; i < count; ++i) {
      clusters.push_back(in_group("m" + std::to_string(i), "g" + std::to_string(random() % 4),
                                  std::to_string(1 + random() % 9)));
    }
    const ClusterTablePtr table = table_of(clusters);
    const int min = 1 + static_cast<int>(random() % 3), max = min + static_cast<int>(random() % 3);
    const Json within = by("cluster", min, max + static_cast<int>(random() % 4));
    const int replicas = 1 + static_cast<int>(random() % 20);
    const bool divided = random() % 3 != 0;
    const std::string regions = selected(*table, spread({by("region", min, max), within}, replicas, divided));
    for (const char* what : {"label:rack", "provider", "zone"}) {
      std::string groups = selected(*table, spread({by(what, min, max), within}, replicas, divided));
      if (const auto at = groups.find("feasible");
          at != groups.npos && regions.find("feasible region") != regions.npos)
        groups = regions;  // told in the word of the property
      EXPECT_EQ(groups, regions) << what << " in round " << round;
    }
  }
}

TEST_F(Scheduler_SpreadGroups, are_karmadas_answers_without_the_gate) {
  const ClusterTablePtr table = table_of({in_group("m1", "a"), in_group("m2", "a"), in_group("m3", "b")});
  for (const char* what : {"label:rack", "provider", "zone"}) {
    EXPECT_EQ(selected(*table, spread({by(what, 1, 1)}), false),
              "failed to select clusters: just support cluster and region spread constraint");
    EXPECT_EQ(selected(*table, spread({by(what, 2, 2), by("cluster", 1, 2)}), false), "m1 m2")
        << "the constraint by cluster alone counts";
  }
}

TEST_F(Scheduler_SpreadGroups, give_way_to_the_region) {
  Json odd = in_group("m3", "b");
  odd["spec"].set("region", "a");
  const ClusterTablePtr table = table_of({in_group("m1", "a"), in_group("m2", "a"), odd});
  EXPECT_THAT(selected(*table, spread({by("label:rack", 2, 2), by("region", 2, 2), by("cluster", 2, 3)})),
              HasSubstr("the number of feasible region is less than"));
}

TEST_F(Scheduler_SpreadGroups, need_the_label) {
  const ClusterTablePtr table = table_of({in_group("m1", "a"), cluster("m2"), in_group("m3", "b")});
  EXPECT_EQ(selected(*table, spread({by("label:rack", 2, 2)})), "m1 m3");
  const Reason reason = decision_.record.reasons[1];
  EXPECT_EQ((*policies_).reason(reason), "cluster(s) did not have the label to spread by");
  EXPECT_EQ(selected(*table, spread({by("label:shelf", 1, 1)})),
            "0/3 clusters are available: 3 cluster(s) did not have the label to spread by.");
  EXPECT_EQ(selected(*table, spread({by("label:rack", 3, 3)})),
            "failed to select clusters: the number of feasible label value is less than "
            "spreadConstraint.MinGroups");
}

TEST_F(Scheduler_SpreadGroups, are_told) {
  const ClusterTablePtr table = table_of({in_group("m1", "a"), in_group("m2", "b"), in_group("m3", "b")});
  options_.spread_by_any = true;
  Attempt attempt = scheduler::attempt(spread({by("label:rack", 1, 1), by("cluster", 2, 2)}), *table,
                                       *policies_, options_, workspace_);
  std::vector<std::string> names;
  const NumberOf number_of = [&](std::string_view name) {
    names.emplace_back(name);
    return static_cast<NameNumber>(names.size() - 1);
  };
  std::vector<NameNumber> rows;
  for (Row row = 0; row < table->size(); ++row) rows.push_back(number_of(table->name(row)));
  const DecisionRecord record = describe(attempt, *table, *policies_, options_, rows, number_of);
  const Json told = explain_selection(record, [&](NameNumber number) { return names[number]; });
  EXPECT_EQ(told["by"].as_string(), "label rack") << told.dump();
  std::string chosen;
  for (const Json& group : told["groups"].elements())
    if (group["chosen"].as_bool()) chosen += group["name"].as_string();
  EXPECT_EQ(chosen, "b") << told.dump();
}

TEST_F(Scheduler_SpreadGroups, wake_what_is_spread_by_them) {
  const PlacementPtr placement = parse_placement(
      parsed(R"({"spreadConstraints":[{"spreadByLabel":"rack","minGroups":1,"maxGroups":1}]})"));
  const ClusterTablePtr a = table_of({in_group("m1", "a")}), b = table_of({in_group("m1", "b")});
  EXPECT_TRUE(standing_of(*a, 0, *placement, 0, false).label != kNoSym);
  ClusterTableBuilder builder;
  builder.update(in_group("m1", "a"));
  const ClusterTablePtr before = builder.snapshot();
  builder.update(in_group("m1", "b"));
  EXPECT_TRUE(differs(standing_of(*before, 0, *placement, 0, false),
                      standing_of(*builder.snapshot(), 0, *placement, 0, false)));
}

}  // namespace
}  // namespace flotilla::scheduler
