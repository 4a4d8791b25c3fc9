// SPDX-License-Identifier: Apache-2.0
// Room that only somebody else can tell: answers of accurate estimators, which are asked over a network. A
// decision never waits. It reads what was answered from the binding's sheet and writes down what it lacked;
// whoever decides has that asked, and decides again.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/scheduler/policy.hpp"

namespace flotilla::scheduler {

// What an estimator said of one cluster.
struct AskedAnswer {
  std::int64_t replicas = kUnknownEstimate;
  std::string failure;  // why nothing is known, where that is a failure
};

// The answers for one binding, per estimator by its place. Thread: one at a time.
class EstimateSheet {
 public:
  explicit EstimateSheet(std::size_t estimators) : columns_(estimators) {}

  std::size_t size() const { return columns_.size(); }
  // The decision's side.
  const AskedAnswer* find(std::size_t estimator, std::string_view cluster) const;
  void want(std::size_t estimator, std::string_view cluster, bool whole_sets);

  // The asker's side: an answer is no longer wanted.
  bool lacks() const;
  const std::set<std::string, std::less<>>& wanted(std::size_t estimator) const {
    return columns_[estimator].wanted;
  }
  bool whole_sets() const { return whole_sets_; }
  void put(std::size_t estimator, std::string_view cluster, AskedAnswer answer);
  // Answers about these clusters are no longer true. True: there were any.
  bool forget(const std::set<std::string, std::less<>>& clusters);

 private:
  struct Column {
    std::map<std::string, AskedAnswer, std::less<>> answers;
    std::set<std::string, std::less<>> wanted;
  };
  std::vector<Column> columns_;
  bool whole_sets_ = false;
};

// Can the answer depend on how much room clusters have? Then estimators are asked. So it is where replicas
// are divided by room, spread constraints choose, or whole sets have to fit.
bool room_matters(const Binding& binding, bool multiple_pod_templates);

// What is asked for a binding, as a text: equal texts, equal answers.
std::string demand_of(const Binding& binding, bool whole_sets);

// Stands for one estimator among the policies; the minimum of what is known counts. Where nobody asks, as in
// plans and simulations, it says what `memory` knows from earlier questions (kUnknownEstimate: nothing).
class AskedEstimator final : public Policy {
 public:
  using Memory = std::function<std::int64_t(const std::string& demand, std::string_view cluster)>;

  AskedEstimator(std::string name, std::size_t place, Memory memory = {})
      : name_(std::move(name)), place_(place), memory_(std::move(memory)) {}

  std::string_view name() const override { return name_; }
  std::uint32_t steps() const override { return kEstimateStep; }
  Status estimate(const Workload& workload, RowRange rows, std::span<const std::uint64_t> fits,
                  std::span<std::int64_t> replicas) const override;
  // "left out for 2 of 5 clusters: member1: no answer in time, member4: ..."
  std::string remark(const Workload& workload, std::span<const std::uint64_t> fits) const override;

 private:
  std::string name_;
  std::size_t place_;
  Memory memory_;
};

}  // namespace flotilla::scheduler
