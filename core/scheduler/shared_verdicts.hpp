// SPDX-License-Identifier: Apache-2.0
// What the filters say of every cluster, shared by all workloads with the same placement and API: worked out
// once, and again only for the rows whose identity or APIs have changed since.
//
// Sound only where each verdict depends on the cluster, the placement, the API, and whether the workload is
// there already or being evicted (Policy::filters_by_placement); rows of that last sort are asked anew for
// each workload, in blocks of 64.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/result.hpp"
#include "core/scheduler/decision.hpp"
#include "core/scheduler/policy.hpp"
#include "core/scheduler/workload.hpp"

namespace flotilla::scheduler {

struct Verdicts {
  RowSet fits;
  std::vector<Reason> reasons;           // per row
  std::vector<std::uint8_t> refused_by;  // per row: the policy whose reason it is

  // Every row fits, nothing is said.
  void reset(std::size_t rows);
  void reset(RowRange range);
};

// Thread: one at a time.
class SharedVerdicts {
 public:
  // Asks all filters about the rows of a range, which have been reset.
  using Ask = std::function<Status(const Workload&, RowRange, Verdicts&)>;

  // As if `ask` had been called for all rows. Errors: those of `ask`.
  // `workload` is the same afterwards.
  Status find(Workload& workload, const Policies& policies, const Ask& ask, Verdicts& out);
  std::uint64_t asked_blocks() const { return asked_blocks_; }  // of 64 rows, so far

 private:
  struct Entry {
    std::shared_ptr<const void> lineage;
    std::uint64_t epoch = 0;
    Verdicts verdicts;
  };
  Status refresh(Entry& entry, Workload& workload, const Ask& ask);
  Status ask_blocks(const Workload& workload, const Ask& ask, const RowSet& blocks, Verdicts& verdicts);

  std::unordered_map<std::string, Entry> entries_;
  RowSet blocks_, nobody_;
  std::uint64_t asked_blocks_ = 0;
};

}  // namespace flotilla::scheduler
