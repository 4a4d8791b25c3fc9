// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/shared_verdicts.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/scheduler/clusters.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;

// Fits where the region is "good" or the workload is already; counts the rows it looks at.
Status ask_for_region(const Workload& workload, RowRange range, Verdicts& verdicts, int& asked) {
  const ClusterTable& table = *workload.table;
  for (Row row = range.first; row < range.last; ++row) {
    ++asked;
    if (has_bit(workload.targets, row)) continue;
    if (table.symbols().text(table.identity().regions[row]) == "good") continue;
    verdicts.fits.remove(row);
    verdicts.reasons[row] = 1;
  }
  return {};
}

struct Asked {
  explicit Asked(const ClusterTable& table) : none(table.size()), targets(table.size()) {
    binding.placement = parse_placement(Json::object());
    workload.table = &table;
    workload.binding = &binding;
    workload.targets = targets.words();
    workload.evicting = none.words();
  }
  Binding binding;
  RowSet none, targets;
  Workload workload;
};

// However clusters and targets change: the same as asking everybody anew, for far fewer questions.
TEST(Scheduler_SharedVerdicts, are_those_of_asking_anew) {
  for (unsigned seed : {5u, 20261122u}) {
    std::mt19937 random(seed);
    ClusterTableBuilder builder;
    constexpr int kClusters = 500;
    const auto name = [](int i) { return "m" + std::to_string(i); };
    for (int i = 0; i < kClusters; ++i) builder.update(cluster(name(i), i % 2 == 0 ? "good" : "bad"));
    SharedVerdicts shared;
    Policies policies;
    int asked = 0, asked_anew = 0;
    for (int step = 0; step < 200; ++step) {
      if (random() % 2 == 0)
        builder.update(
            cluster(name(static_cast<int>(random() % kClusters)), random() % 2 == 0 ? "good" : "bad"));
      if (random() % 40 == 0) builder.remove(name(static_cast<int>(random() % kClusters)));
      const ClusterTablePtr table = builder.snapshot();
      Asked one(*table);
      for (int i = 0; i < 3; ++i) one.targets.add(static_cast<Row>(random() % table->size()));
      Verdicts found, anew;
      const auto ask = [&](const Workload& workload, RowRange range, Verdicts& verdicts) {
        return ask_for_region(workload, range, verdicts, asked);
      };
      ASSERT_TRUE(shared.find(one.workload, policies, ask, found).ok());
      anew.reset(table->size());
      ASSERT_TRUE(ask_for_region(one.workload, {0, static_cast<Row>(table->size())}, anew, asked_anew).ok());
      ASSERT_EQ(names_of(*table, found.fits), names_of(*table, anew.fits)) << "seed " << seed;
      ASSERT_EQ(found.reasons, anew.reasons);
    }
    EXPECT_LT(asked, asked_anew * 2 / 3);
  }
}

TEST(Scheduler_SharedVerdicts, forget_what_could_not_be_asked) {
  const ClusterTablePtr table = table_of({cluster("m1", "good")});
  SharedVerdicts shared;
  Policies policies;
  Asked one(*table);
  Verdicts found;
  const auto fails = [](const Workload&, RowRange, Verdicts&) { return Status(internal("no")); };
  EXPECT_FALSE(shared.find(one.workload, policies, fails, found).ok());
  int asked = 0;
  const auto ask = [&](const Workload& workload, RowRange range, Verdicts& verdicts) {
    return ask_for_region(workload, range, verdicts, asked);
  };
  ASSERT_TRUE(shared.find(one.workload, policies, ask, found).ok());
  EXPECT_EQ(found.fits.count(), 1u);
}

}  // namespace
}  // namespace flotilla::scheduler
