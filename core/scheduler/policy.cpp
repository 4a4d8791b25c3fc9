// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/policy.hpp"

#include <algorithm>
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

Status Policy::prepare(const Workload&, std::span<std::uint64_t>, std::uint32_t&) const {
  return {};
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

Status Policy::select(const Workload&, std::span<const Candidate> candidates, std::span<Row> chosen,
                      std::size_t& count) const {
  for (const Candidate& candidate : candidates) chosen[count++] = candidate.row;
  return {};
}

Status Policy::assign(const Workload&, std::span<const Candidate>, std::span<Target>, std::size_t&) const {
  return Error(Code::Conflict, "nobody divides replicas");
}

void Policies::add(std::unique_ptr<Policy> policy, std::int32_t weight) {
  const Reason unsaid = reasons_.intern("cluster(s) were refused by policy " + std::string(policy->name()) +
                                        " without a reason");
  entries_.push_back({std::move(policy), std::clamp(weight, -kMaxWeight, kMaxWeight), unsaid});
  seen_identity_ = nullptr;
}

bool Policies::takes_part(const Workload& workload, std::size_t i, std::uint32_t step) const {
  const std::uint32_t skipped = i < workload.skipped.size() ? workload.skipped[i] : 0;
  return (entries_[i].policy->steps() & ~skipped & step) != 0;
}

const Policy* Policies::active(const Workload& workload, std::uint32_t step) const {
  const Policy* fallback = nullptr;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!takes_part(workload, i, step)) continue;
    const Policy* policy = entries_[i].policy.get();
    if (!policy->is_fallback()) return policy;
    if (fallback == nullptr) fallback = policy;
  }
  return fallback;
}

bool Policies::has_seen(const ClusterTable& table) const {
  return seen_identity_ == table.shared_identity() && seen_epoch_ == table.epoch();
}

void Policies::refresh(const ClusterTable& table) {
  if (!has_seen(table)) return;
  for (const Entry& entry : entries_) entry.policy->refresh(table);
}

Status Policies::observe(const ClusterTable& table) {
  if (has_seen(table)) return {};
  for (const Entry& entry : entries_) {
    Status seen = entry.policy->observe(table, reasons_);
    if (!seen) return std::move(seen).context("policy " + std::string(entry.policy->name()));
  }
  seen_identity_ = table.shared_identity();
  seen_epoch_ = table.epoch();
  return {};
}

}  // namespace flotilla::scheduler
