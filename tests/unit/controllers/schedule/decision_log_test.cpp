// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/schedule/decision_log.hpp"

#include <gtest/gtest.h>

#include "core/controllers/decision_keys.hpp"
#include "core/controllers/kinds.hpp"
#include "core/store/writer.hpp"
#include "tests/fakes/in_tree_policies.hpp"
#include "tests/unit/scheduler/clusters.hpp"
#include "tests/unit/store/store_fixture.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using scheduler::cluster;

class Controllers_DecisionLog : public store::StoreFixture {
 protected:
  Controllers_DecisionLog() {
    options_.belonging = records_of;
    open(options_);
    table_ = scheduler::table_of({cluster("m1"), cluster("m2")});
    Json binding = *Json::parse(R"({"apiVersion":"work.karmada.io/v1alpha2","kind":"ResourceBinding",
        "metadata":{"name":"web","namespace":"d","uid":"u1"},"spec":{"replicas":2,
        "resource":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"placement":{}}})");
    run(store_->create(kBindings, std::move(binding), store::Durability::Wait)).value();
    start();
  }
  void start() {
    log_ = std::make_unique<DecisionLog>(*store_);
    ASSERT_TRUE(run(log_->load()).ok());
  }
  // One decision, written as the scheduler does it.
  bool decide(std::int64_t replicas) {
    Json binding = *store_->get(kBindings, "d", "web")->content();
    binding["spec"].set("replicas", replicas);
    const scheduler::Attempt tried = scheduler::attempt(binding, *table_, *policies_, {}, workspace_);
    scheduler::DecisionRecord record = log_->describe(tried, *table_, *policies_, {}, "default-scheduler");
    store::SideValues beside;
    const DecisionLog::Ticket ticket = log_->add(record, binding, beside);
    beside_ = beside.size();
    const bool written =
        run(store_->update(kBindings, binding, Revision(), store::Durability::Wait, beside)).ok();
    if (written) log_->written(ticket);
    return written;
  }
  std::vector<scheduler::DecisionRecord> kept() {
    std::vector<scheduler::DecisionRecord> records;
    const auto values = run(store_->side_values(decisions_prefix("u1")));
    for (const store::SideValue& value : *values) records.push_back(scheduler::decode(value.value).value());
    return records;
  }
  std::vector<std::string> names() { return read_names(*run(store_->side_values(kNamesPrefix))); }

  const store::Collection kBindings = kinds::kResourceBinding.collection();
  store::StoreOptions options_;
  fakes::InTreePolicies policies_;
  scheduler::Workspace workspace_;
  scheduler::ClusterTablePtr table_;
  std::unique_ptr<DecisionLog> log_;
  std::size_t beside_ = 0;
};

TEST_F(Controllers_DecisionLog, keeps_the_last_twenty_and_numbers_them) {
  for (int i = 1; i <= 25; ++i) ASSERT_TRUE(decide(i));
  const auto records = kept();
  ASSERT_EQ(records.size(), 20u);
  std::set<std::int64_t> numbers;
  for (const auto& record : records) {
    numbers.insert(record.number);
    EXPECT_EQ(record.replicas, record.number);
  }
  EXPECT_EQ(*numbers.begin(), 6);
  EXPECT_EQ(*numbers.rbegin(), 25);
  EXPECT_EQ(decision_number(*store_->get(kBindings, "d", "web")->content()), 25);
}

TEST_F(Controllers_DecisionLog, survives_a_restart_and_goes_with_its_binding) {
  ASSERT_TRUE(decide(1));
  ASSERT_TRUE(decide(2));
  EXPECT_EQ(beside_, 1u) << "names are written once";
  const auto before = names();
  close();
  open(options_);
  start();
  EXPECT_EQ(kept().size(), 2u);
  table_ = scheduler::table_of({cluster("m0"), cluster("m1"), cluster("m2")});
  ASSERT_TRUE(decide(3));
  const auto after = names();
  ASSERT_EQ(after.size(), before.size() + 1);
  EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin())) << "numbers stay";
  const auto records = kept();
  const auto last = std::max_element(records.begin(), records.end(),
                                     [](const auto& a, const auto& b) { return a.number < b.number; });
  EXPECT_EQ(after[last->clusters.at(0)], "m0");
  EXPECT_EQ(after[last->clusters.at(2)], "m2");
  EXPECT_EQ(after[last->scheduler], "default-scheduler");
  run(store_->remove(kBindings, {"d", "web"}, Revision(), store::Durability::Wait)).value();
  EXPECT_TRUE(kept().empty());
}

TEST_F(Controllers_DecisionLog, writes_names_again_when_their_commit_was_taken_back) {
  disk_->refuse_with("disk full");
  EXPECT_FALSE(decide(1));
  disk_->refuse_with("");
  while (store_->stats().read_only) std::this_thread::yield();
  ASSERT_TRUE(decide(1));
  EXPECT_EQ(beside_, 2u);
  EXPECT_FALSE(names().empty());
  ASSERT_EQ(kept().size(), 1u);
}

}  // namespace
}  // namespace flotilla::controllers
