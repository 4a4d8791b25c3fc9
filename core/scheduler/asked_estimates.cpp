// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/asked_estimates.hpp"

namespace flotilla::scheduler {
namespace {

constexpr std::size_t kMostNamed = 3;

}  // namespace

const AskedAnswer* EstimateSheet::find(std::size_t estimator, std::string_view cluster) const {
  const auto& answers = columns_[estimator].answers;
  const auto found = answers.find(cluster);
  return found == answers.end() ? nullptr : &found->second;
}

void EstimateSheet::want(std::size_t estimator, std::string_view cluster, bool whole_sets) {
  whole_sets_ = whole_sets;
  columns_[estimator].wanted.emplace(cluster);
}

bool EstimateSheet::lacks() const {
  for (const Column& column : columns_) {
    if (!column.wanted.empty()) return true;
  }
  return false;
}

void EstimateSheet::put(std::size_t estimator, std::string_view cluster, AskedAnswer answer) {
  Column& column = columns_[estimator];
  column.wanted.erase(std::string(cluster));
  column.answers.insert_or_assign(std::string(cluster), std::move(answer));
}

bool EstimateSheet::forget(const std::set<std::string, std::less<>>& clusters) {
  bool any = false;
  for (Column& column : columns_) {
    for (const std::string& cluster : clusters) any = column.answers.erase(cluster) > 0 || any;
  }
  return any;
}

bool room_matters(const Binding& binding, bool multiple_pod_templates) {
  if (binding.replicas == 0 && binding.components.empty()) return false;
  if (multiple_pod_templates && !binding.components.empty()) return true;
  const Placement& placement = *binding.placement;
  const bool by_room = placement.has_scheduling && (placement.strategy == Strategy::DynamicWeight ||
                                                    placement.strategy == Strategy::Aggregated);
  return by_room || (!placement.spread.empty() && !placement.ignores_spread());
}

std::string demand_of(const Binding& binding, bool whole_sets) {
  std::string demand = (whole_sets ? "sets " : "replicas ") + binding.resource_namespace;
  if (!whole_sets) return demand + '\n' + binding.requirements_text;
  for (const Component& component : binding.components) {
    demand +=
        '\n' + component.name + ' ' + std::to_string(component.replicas) + ' ' + component.requirements_text;
  }
  return demand;
}

Status AskedEstimator::estimate(const Workload& workload, RowRange, std::span<const std::uint64_t> fits,
                                std::span<std::int64_t> replicas) const {
  EstimateSheet* sheet = workload.binding->estimates.get();
  if (sheet == nullptr && memory_) {
    const std::string demand = demand_of(*workload.binding, workload.whole_sets);
    for_each_row(fits, [&](Row row) { replicas[row] = memory_(demand, workload.table->name(row)); });
  }
  if (sheet == nullptr || place_ >= sheet->size()) return {};
  for_each_row(fits, [&](Row row) {
    const std::string_view cluster = workload.table->name(row);
    if (const AskedAnswer* answer = sheet->find(place_, cluster)) {
      replicas[row] = answer->replicas;
    } else {
      sheet->want(place_, cluster, workload.whole_sets);
    }
  });
  return {};
}

std::string AskedEstimator::remark(const Workload& workload, std::span<const std::uint64_t> fits) const {
  const EstimateSheet* sheet = workload.binding->estimates.get();
  if (sheet == nullptr || place_ >= sheet->size()) return {};
  std::size_t asked = 0, failed = 0;
  std::string why;
  for_each_row(fits, [&](Row row) {
    ++asked;
    const std::string_view cluster = workload.table->name(row);
    const AskedAnswer* answer = sheet->find(place_, cluster);
    if (answer == nullptr || answer->failure.empty() || ++failed > kMostNamed) return;
    why += (why.empty() ? ": " : ", ") + std::string(cluster) + ": " + answer->failure;
  });
  if (failed == 0) return {};
  return "left out for " + std::to_string(failed) + " of " + std::to_string(asked) + " clusters" + why +
         (failed > kMostNamed ? ", ..." : "");
}

}  // namespace flotilla::scheduler
