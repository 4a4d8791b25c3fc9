// SPDX-License-Identifier: Apache-2.0
// One decision as it is kept: what was asked, what every policy and estimator said of every cluster, what
// came of it. Selection and division are not in it: they follow from it (explain.hpp).
//
// Names of clusters and policies are numbers that whoever keeps records hands out: names would be most of it.
// The encoding (docs/design/decision-record.md) puts rows of one verdict together and keeps every column in
// its shortest form.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/scheduler/attempt.hpp"

namespace flotilla::scheduler {

using NameNumber = std::uint32_t;

struct NumberedTarget {
  NameNumber cluster = 0;
  std::int32_t replicas = 0;
  bool operator==(const NumberedTarget&) const = default;
};

// Why clusters do not fit. Without a policy: they are being removed.
struct RecordedReason {
  std::int32_t policy = -1;
  std::string text;
  bool operator==(const RecordedReason&) const = default;
};

struct RecordedScores {
  std::uint32_t policy = 0;
  std::int32_t weight = 1;
  std::vector<std::int64_t> scores;  // per candidate, as the policy gave them
  bool operator==(const RecordedScores&) const = default;
};

struct RecordedEstimates {
  std::int32_t policy = -1;  // -1: the general estimator
  bool failed = false;
  std::vector<std::int64_t> replicas;  // per candidate; -1: it does not know
  std::string remark = {};             // why it failed, or for which clusters
  bool operator==(const RecordedEstimates&) const = default;
};

struct DecisionRecord {
  // What was asked.
  std::int64_t number = 0;  // among the decisions about one binding, from 1 on
  std::int64_t time = 0;    // milliseconds since 1970
  NameNumber scheduler = 0;
  std::string trigger;  // why it was decided
  std::int64_t binding_revision = 0;
  std::int64_t binding_generation = 0;
  std::int64_t world_revision = 0;  // nothing that was looked at is newer
  std::string uid;                  // of the template: breaks ties
  std::string placement;            // JSON
  std::string requests;             // "cpu=100m,memory=1Gi"
  std::int32_t replicas = 0;
  bool divisible = false;
  bool components = false;  // the binding has several components: nothing is divided
  bool one_set = false;     // one whole set of components is asked for
  bool fresh = false;       // the previous answer is forgotten
  bool empty_targets = false;
  std::vector<NumberedTarget> previous;
  std::vector<NameNumber> evicting;

  // What was found.
  std::string affinity;  // the term of clusterAffinities that was tried last
  std::vector<NameNumber> policies;
  std::vector<NameNumber> clusters;  // of each row, by name
  std::vector<RecordedReason> reasons;
  std::vector<std::int64_t> verdicts;  // per row: 0 fits, else 1 + place among the reasons; empty: not asked
  // Per row that fits, in order of rows. Empty: the decision did not come so far.
  std::vector<std::int64_t> scores;
  std::vector<std::int64_t> room;
  std::vector<std::int64_t> available;  // room and what it has already
  std::vector<std::int64_t> tiers;      // overflow order
  std::vector<RecordedScores> by_policy;
  std::vector<RecordedEstimates> by_estimator;
  std::vector<std::int64_t> weights;    // where static weights divide; empty: all alike
  std::vector<std::string> regions;     // where regions, or other groups, are chosen
  std::vector<std::int64_t> region_of;  // 1 + place among the regions; 0: none
  std::array<std::int64_t, kSteps> nanoseconds{};

  // What came of it.
  std::vector<std::uint32_t> selected;  // places among the candidates, in order
  std::vector<NumberedTarget> targets;
  std::vector<Failure> failures;  // of each term that was tried in vain

  bool ok() const { return failures.empty(); }
  std::size_t candidates() const { return scores.size(); }
  // Rows that fit, ascending.
  std::vector<std::uint32_t> fitting_rows() const;
};

// The number of a name; equal names have equal numbers for ever.
using NumberOf = std::function<NameNumber(std::string_view name)>;

// Numbers of the rows of a table, kept while its clusters are the same.
struct RowNumbers {
  std::shared_ptr<const ClusterIdentity> identity;
  std::vector<NameNumber> numbers;
  const std::vector<NameNumber>& of(const ClusterTable& table, const NumberOf& number_of);
};

// Fills in all but number, time, scheduler, trigger and revisions. `rows`: the numbers of the table's
// clusters.
DecisionRecord describe(const Attempt& attempt, const ClusterTable& table, const Policies& policies,
                        const Options& options, std::vector<NameNumber> rows, const NumberOf& number_of);

std::string encode(const DecisionRecord& record);
// Errors: DataLoss.
Result<DecisionRecord> decode(std::string_view bytes);

}  // namespace flotilla::scheduler
