// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/policy.hpp"

#include <limits>

namespace flotilla::scheduler {

Reason Reasons::intern(std::string_view text) {
  auto found = numbers_.find(std::string(text));
  if (found != numbers_.end()) return found->second;
  if (texts_.size() > std::numeric_limits<Reason>::max()) return kFits;
  auto number = static_cast<Reason>(texts_.size());
  texts_.emplace_back(text);
  numbers_.emplace(texts_.back(), number);
  return number;
}

Status Policy::filter(const Workload&, RowRange, std::span<std::uint64_t>, std::span<Reason>) const {
  return {};
}

Status Policy::score(const Workload&, RowRange, std::span<const std::uint64_t>,
                     std::span<std::int32_t>) const {
  return {};
}

Status Policy::estimate(const Workload&, RowRange, std::span<const std::uint64_t>,
                        std::span<std::int64_t>) const {
  return {};
}

void Policies::add(std::unique_ptr<Policy> policy, std::int32_t weight) {
  entries_.push_back({std::move(policy), weight});
  seen_identity_ = nullptr;
}

Status Policies::observe(const ClusterTable& table) {
  if (seen_identity_ == table.shared_identity() && seen_epoch_ == table.epoch()) return {};
  for (const Entry& entry : entries_) {
    Status seen = entry.policy->observe(table, reasons_);
    if (!seen) return std::move(seen).context("policy " + std::string(entry.policy->name()));
  }
  seen_identity_ = table.shared_identity();
  seen_epoch_ = table.epoch();
  return {};
}

}  // namespace flotilla::scheduler
