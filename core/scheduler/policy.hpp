// SPDX-License-Identifier: Apache-2.0
// The seam to scheduling policies. A policy sees one workload and all clusters in one call; the order of
// policies changes nothing but which reason is reported for a cluster that several refuse.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/scheduler/call_watch.hpp"
#include "core/scheduler/cluster_table.hpp"
#include "core/scheduler/decision.hpp"
#include "core/scheduler/workload.hpp"

namespace flotilla::scheduler {

// [first, last) of a table; first is a multiple of 64, so two ranges never share a word of a set.
struct RowRange {
  Row first = 0;
  Row last = 0;
};

// Texts of reasons, once each. A policy asks for its numbers when it is bound or the table changes. Thread:
// intern() one at a time; texts that are there may be read meanwhile.
class Reasons {
 public:
  static constexpr Reason kFits = 0;

  Reasons() { intern(""); }
  Reasons(Reasons&& other) noexcept { *this = std::move(other); }
  Reasons& operator=(Reasons&& other) noexcept;
  Reason intern(std::string_view text);  // kFits once 65,535 are taken
  std::string_view text(Reason reason) const { return (*chunks_[reason / kChunk])[reason % kChunk]; }
  std::size_t size() const { return size_.load(std::memory_order_acquire); }

 private:
  static constexpr std::size_t kChunk = 256;
  using Chunk = std::array<std::string, kChunk>;

  std::array<std::unique_ptr<Chunk>, kChunk> chunks_;  // texts never move
  std::atomic<std::size_t> size_{0};
  std::unordered_map<std::string, Reason> numbers_;
};

// Steps a policy takes part in; it is called for no other.
inline constexpr std::uint32_t kFilterStep = 1;
inline constexpr std::uint32_t kScoreStep = 2;
inline constexpr std::uint32_t kEstimateStep = 4;
inline constexpr std::uint32_t kSelectStep = 8;
inline constexpr std::uint32_t kAssignStep = 16;
inline constexpr std::uint32_t kAnyOrder = 32;  // in prepare(): the order of candidates does not matter to it
inline constexpr std::uint32_t kPrepareStep = 64;
inline constexpr std::uint32_t kOutcomeStep = 128;
inline constexpr std::uint32_t kObserveStep = 256;

// "filter", "score", ...: the word for one step.
std::string_view name_of_step(std::uint32_t step);

inline constexpr std::int64_t kUnknownEstimate = -1;
// What score() writes at most; a policy's part of the sum is 0..100 times its weight.
inline constexpr std::int32_t kMaxScore = 1000;
inline constexpr std::int32_t kMaxWeight = 1'000'000;

enum class Outcome : std::uint8_t { Scheduled, Failed, RolledBack };

class Policy {
 public:
  virtual ~Policy() = default;

  virtual std::string_view name() const = 0;
  virtual std::uint32_t steps() const = 0;
  // Selects and assigns only where no other policy does.
  virtual bool is_fallback() const { return false; }
  // Its filter looks at nothing of a workload but its placement, its API, and whether it is on a cluster
  // already or being evicted from it: workloads that share those share its verdicts.
  virtual bool filters_by_placement() const { return false; }

  // A table that this policy has not seen; serial. An error fails the decisions over this table.
  virtual Status observe(const ClusterTable&, Reasons&) { return {}; }

  // Between decisions; serial: what it knows beside the table may have changed. It must not change otherwise,
  // so that decisions between two calls find the same.
  virtual void refresh(const ClusterTable&) {}

  // All that follows may be called concurrently, for any ranges, and is checked by the caller: what is wrong
  // fails the decision and is charged. So does an error, but for those that select and assign name.
  //
  // Before the other steps: may clear bits of `rows` and write into `skipped` which steps are not for this
  // workload (k…Step), and kAnyOrder.
  virtual Status prepare(const Workload&, std::span<std::uint64_t> rows, std::uint32_t& skipped) const;
  // Clears the bit of each row in `fits` that must not get the workload and writes why into `reasons` (both
  // indexed by row). Rows already cleared are left alone.
  virtual Status filter(const Workload&, RowRange, std::span<std::uint64_t> fits,
                        std::span<Reason> reasons) const;
  // Writes 0..kMaxScore for rows that fit.
  virtual Status score(const Workload&, RowRange, std::span<const std::uint64_t> fits,
                       std::span<std::int32_t> scores) const;
  // Writes how many further replicas each row that fits can take, or kUnknownEstimate.
  virtual Status estimate(const Workload&, RowRange, std::span<const std::uint64_t> fits,
                          std::span<std::int64_t> replicas) const;
  // What people should know of the last estimate for this workload; empty: nothing. For the record.
  virtual std::string remark(const Workload&, std::span<const std::uint64_t> /*fits*/) const { return {}; }
  // Writes the rows of the chosen candidates, best first, and their number. Errors: Conflict: cannot be met,
  // with a message for the user.
  virtual Status select(const Workload&, std::span<const Candidate>, std::span<Row> chosen,
                        std::size_t& count) const;
  // Writes targets and their number. Errors: ResourceExhausted: not enough room, Conflict: cannot be divided
  // so; with a message for the user.
  virtual Status assign(const Workload&, std::span<const Candidate> chosen, std::span<Target> targets,
                        std::size_t& count) const;
  // What became of a decision.
  virtual void outcome(const Workload&, Outcome, std::span<const Target>) const {}

  // Its answer was wrong: counts against it.
  virtual void charge(std::string_view /*what*/) const {}

  // Its calls may never return: they are made where somebody waits with a bound (CallWatch).
  virtual bool watched() const { return false; }
  // A call of it did not return and was given up: counts against it. `call` is held until it has returned.
  virtual void hung(std::uint32_t /*step*/, std::weak_ptr<const void> /*call*/) const {}
  // Calls that were given up have still not returned.
  virtual bool stuck() const { return false; }
};

// The policies in force, in order, with their reasons. Thread: add() and observe() alone; decisions over a
// table that was observed may run side by side.
class Policies {
 public:
  struct Entry {
    std::unique_ptr<Policy> policy;
    std::int32_t weight = 1;  // at most kMaxWeight either way
    Reason unsaid = 0;        // for what it refuses without a reason
  };

  void add(std::unique_ptr<Policy> policy, std::int32_t weight = 1);
  // Some policy's calls may never return.
  bool watched() const { return watched_; }
  bool stuck() const;
  bool wants_outcomes() const;
  // How many of the watched take part in nothing any more: who keeps verdicts has to ask anew when it
  // changes.
  std::size_t left_out() const;
  std::span<const Entry> entries() const { return entries_; }
  std::string_view reason(Reason reason) const { return reasons_.text(reason); }
  std::size_t reasons() const { return reasons_.size(); }

  // Does policy `i` have this step, and did not pass it for this workload?
  bool takes_part(const Workload& workload, std::size_t i, std::uint32_t step) const;
  // The one policy that selects, or assigns; null: nobody.
  const Policy* active(const Workload& workload, std::uint32_t step) const;

  // Shows a table to every policy unless they have seen it. Errors: of a policy; Cancelled: given up.
  Status observe(const ClusterTable& table, CallWatch* watch = nullptr);
  bool has_seen(const ClusterTable& table) const;
  // Lets them take over what has changed beside the table, if it is one they have seen.
  void refresh(const ClusterTable& table);

 private:
  std::vector<Entry> entries_;
  Reasons reasons_;
  bool watched_ = false;
  std::shared_ptr<const ClusterIdentity> seen_identity_;
  std::uint64_t seen_epoch_ = 0;
};

}  // namespace flotilla::scheduler
