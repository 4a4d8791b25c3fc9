// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/policy.hpp"

#include <algorithm>
#include <limits>

namespace flotilla::scheduler {

Reasons& Reasons::operator=(Reasons&& other) noexcept {
  chunks_ = std::move(other.chunks_);
  size_.store(other.size_.exchange(0));
  numbers_ = std::move(other.numbers_);
  return *this;
}

Reason Reasons::intern(std::string_view text) {
  auto found = numbers_.find(std::string(text));
  if (found != numbers_.end()) return found->second;
  const std::size_t size = size_.load(std::memory_order_relaxed);
  if (size > std::numeric_limits<Reason>::max()) return kFits;
  std::unique_ptr<Chunk>& chunk = chunks_[size / kChunk];
  if (!chunk) chunk = std::make_unique<Chunk>();
  (*chunk)[size % kChunk] = text;
  size_.store(size + 1, std::memory_order_release);
  numbers_.emplace(text, static_cast<Reason>(size));
  return static_cast<Reason>(size);
}

std::string_view name_of_step(std::uint32_t step) {
  switch (step) {
    case kFilterStep:
      return "filter";
    case kScoreStep:
      return "score";
    case kEstimateStep:
      return "estimate";
    case kSelectStep:
      return "select";
    case kAssignStep:
      return "assign";
    case kPrepareStep:
      return "prepare";
    case kOutcomeStep:
      return "observe";
    default:
      return "table_changed";
  }
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
  watched_ = watched_ || policy->watched();
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

bool Policies::stuck() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const Entry& entry) { return entry.policy->stuck(); });
}

bool Policies::wants_outcomes() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const Entry& entry) { return (entry.policy->steps() & kOutcomeStep) != 0; });
}

std::size_t Policies::left_out() const {
  if (!watched_) return 0;
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
    return entry.policy->watched() && entry.policy->steps() == 0;
  }));
}

bool Policies::has_seen(const ClusterTable& table) const {
  return seen_identity_ == table.shared_identity() && seen_epoch_ == table.epoch();
}

void Policies::refresh(const ClusterTable& table) {
  if (!has_seen(table)) return;
  for (const Entry& entry : entries_) entry.policy->refresh(table);
}

Status Policies::observe(const ClusterTable& table, CallWatch* watch) {
  if (has_seen(table)) return {};
  const Error given_up(Code::Cancelled, "given up");
  for (const Entry& entry : entries_) {
    if (watch != nullptr && !watch->enter(*entry.policy, kObserveStep)) return given_up;
    Status seen = entry.policy->observe(table, reasons_);
    if (watch != nullptr && !watch->leave()) return given_up;
    if (!seen) return std::move(seen).context("policy " + std::string(entry.policy->name()));
  }
  seen_identity_ = table.shared_identity();
  seen_epoch_ = table.epoch();
  return {};
}

}  // namespace flotilla::scheduler
