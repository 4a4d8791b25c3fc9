// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/decision_record.hpp"

#include <algorithm>

#include "core/scheduler/columns.hpp"

#include "core/scheduler/select.hpp"

namespace flotilla::scheduler {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kMostRows = 1u << 20;
constexpr std::size_t kMostTexts = 4096;
constexpr std::uint32_t kNotThere = 0xffffffffu;

enum Flag : std::uint64_t {
  kDivisible = 1,
  kComponents = 2,
  kOneSet = 4,
  kFresh = 8,
  kEmptyTargets = 16,
  kAllSelected = 32,
};

std::string requests_text(const Binding& binding) {
  std::string text;
  const auto add = [&](const std::vector<Request>& requests) {
    for (const Request& request : requests)
      text += (text.empty() ? "" : ",") + request.resource + "=" + request.amount.to_string();
  };
  add(binding.requests);
  for (const Component& component : binding.components) {
    text += (text.empty() ? "" : ";") + component.name + "*" + std::to_string(component.replicas);
    add(component.requests);
  }
  return text;
}

void describe_question(const Attempt& attempt, const Options& options, const NumberOf& number_of,
                       DecisionRecord& out) {
  const Binding& binding = attempt.binding;
  const SpreadConstraint* constraint = binding.placement->find_spread(SpreadField::Cluster);
  out.uid = binding.uid;
  out.placement = binding.placement->text;
  out.requests = requests_text(binding);
  out.replicas = binding.replicas;
  out.divisible = (binding.replicas > 0 || binding.has_requirements) && binding.components.size() <= 1;
  out.components = !binding.components.empty();
  out.one_set = options.multiple_pod_templates && !binding.components.empty() && constraint != nullptr &&
                constraint->min_groups == 1 && constraint->max_groups == 1;
  out.fresh = binding.reschedule;
  out.empty_targets = options.empty_workload_propagation;
  for (const TargetCluster& target : binding.clusters)
    out.previous.push_back({number_of(target.name), target.replicas});
  for (const std::string& name : binding.evicting) out.evicting.push_back(number_of(name));
  out.affinity = attempt.affinity_name;
}

void describe_verdicts(const Record& record, const ClusterTable& table, const Policies& policies,
                       DecisionRecord& out) {
  if (record.reasons.size() != table.size()) return;
  out.verdicts.assign(table.size(), 0);
  std::vector<std::uint32_t> known;  // policy << 16 | reason, by place
  const auto place_of = [&](std::uint32_t key, std::int32_t policy, std::string_view text) {
    // Neighbours tend to have the same verdict, and there are few.
    const auto it = std::find(known.begin(), known.end(), key);
    if (it != known.end()) return it - known.begin() + 1;
    known.push_back(key);
    out.reasons.push_back({policy, std::string(text)});
    return static_cast<std::ptrdiff_t>(known.size());
  };
  constexpr std::uint32_t kRemoved = 0xffffffffu;
  for (Row row = 0; row < table.size(); ++row) {
    const Reason reason = record.reasons[row];
    if (reason == Reasons::kFits) continue;
    const std::uint8_t policy = record.policies[row];
    out.verdicts[row] =
        place_of(static_cast<std::uint32_t>(policy) << 16 | reason, policy, policies.reason(reason));
  }
  table.identity().deleting.for_each(
      [&](Row row) { out.verdicts[row] = place_of(kRemoved, -1, "the cluster is being removed"); });
}

// Of the candidates' rows, ascending.
template <typename T>
std::vector<std::int64_t> pick(const std::vector<T>& column, const std::vector<Row>& rows) {
  std::vector<std::int64_t> picked(column.empty() ? 0 : rows.size());
  for (std::size_t i = 0; i < picked.size(); ++i) picked[i] = column[rows[i]];
  return picked;
}

void describe_regions(const ClusterTable& table, const SpreadConstraint& by, const std::vector<Row>& rows,
                      DecisionRecord& out) {
  std::vector<std::int64_t> place_of(table.symbols().size(), 0);
  out.region_of.reserve(rows.size());
  for (Row row : rows) {
    const Sym region = group_of(table, by, row);
    if (region != kNoSym && place_of[region] == 0) {
      out.regions.emplace_back(table.symbols().text(region));
      place_of[region] = static_cast<std::int64_t>(out.regions.size());
    }
    out.region_of.push_back(region == kNoSym ? 0 : place_of[region]);
  }
}

void describe_candidates(const Attempt& attempt, const ClusterTable& table, const Options& options,
                         DecisionRecord& out) {
  const Record& record = attempt.decision.record;
  if (record.candidates.empty()) return;
  std::vector<std::uint32_t> place(table.size(), kNotThere);
  for (std::uint32_t i = 0; i < record.candidates.size(); ++i) place[record.candidates[i].row] = i;
  const std::size_t count = record.candidates.size();
  std::vector<Row> rows(count);
  for (auto* column : {&out.scores, &out.room, &out.available, &out.tiers}) column->resize(count);
  std::uint32_t next = 0;
  for (Row row = 0; row < table.size(); ++row) {
    if (place[row] == kNotThere) continue;
    const Candidate& candidate = record.candidates[place[row]];
    place[row] = next;
    rows[next] = row;
    out.scores[next] = candidate.score;
    out.room[next] = candidate.allocatable;
    out.available[next] = candidate.available;
    out.tiers[next++] = candidate.overflow_order;
  }
  for (const ScoreColumn& column : record.scores)
    out.by_policy.push_back({column.policy, column.weight, pick(column.scores, rows)});
  for (const EstimateColumn& column : record.estimates) {
    out.by_estimator.push_back({column.policy == kGeneralEstimator ? -1 : std::int32_t{column.policy},
                                column.failed, pick(column.replicas, rows), column.remark});
  }
  out.weights = pick(record.weights, rows);
  if (const SpreadConstraint* by = grouping(*attempt.binding.placement, options.spread_by_any))
    describe_regions(table, *by, rows, out);
  out.selected.reserve(record.selected.size());
  for (Row row : record.selected) out.selected.push_back(place[row]);
}

template <typename T>
void put(ByteWriter& out, const std::vector<T>& values) {
  out.column(std::vector<std::int64_t>(values.begin(), values.end()));
}

void put_targets(ByteWriter& out, const std::vector<NumberedTarget>& targets) {
  std::vector<std::int64_t> clusters, replicas;
  for (const NumberedTarget& target : targets) {
    clusters.push_back(target.cluster);
    replicas.push_back(target.replicas);
  }
  out.column(clusters);
  out.column(replicas);
}

std::vector<NumberedTarget> take_targets(ByteReader& in) {
  const std::vector<std::int64_t> clusters = in.column(kMostRows);
  const std::vector<std::int64_t> replicas = in.column(kMostRows);
  std::vector<NumberedTarget> targets;
  for (std::size_t i = 0; i < clusters.size() && i < replicas.size(); ++i)
    targets.push_back({static_cast<NameNumber>(clusters[i]), static_cast<std::int32_t>(replicas[i])});
  return targets;
}

template <typename T>
std::vector<T> take(ByteReader& in) {
  const std::vector<std::int64_t> values = in.column(kMostRows);
  std::vector<T> taken;
  taken.reserve(values.size());
  for (std::int64_t value : values) taken.push_back(static_cast<T>(value));
  return taken;
}

std::size_t take_count(ByteReader& in) {
  const std::uint64_t count = in.number();
  return count > kMostTexts ? 0 : static_cast<std::size_t>(count);
}

// Differences from what follows from other columns are mostly zeros.
std::vector<std::int64_t> minus(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  std::vector<std::int64_t> out(a);
  for (std::size_t i = 0; i < out.size() && i < b.size(); ++i)
    out[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(a[i]) - static_cast<std::uint64_t>(b[i]));
  return out;
}
std::vector<std::int64_t> plus(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  std::vector<std::int64_t> out(a);
  for (std::size_t i = 0; i < out.size() && i < b.size(); ++i)
    out[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(a[i]) + static_cast<std::uint64_t>(b[i]));
  return out;
}

std::vector<std::int64_t> first_word(const DecisionRecord& record) {
  return record.by_estimator.empty() ? std::vector<std::int64_t>() : record.by_estimator.front().replicas;
}

bool selects_all(const DecisionRecord& record) {
  if (record.selected.size() != record.candidates() || record.selected.empty()) return false;
  for (std::uint32_t i = 0; i < record.selected.size(); ++i)
    if (record.selected[i] != i) return false;
  return true;
}

void encode_question(const DecisionRecord& record, ByteWriter& out) {
  out.signed_number(record.number);
  out.signed_number(record.time);
  out.number(record.scheduler);
  out.text(record.trigger);
  for (std::int64_t revision : {record.binding_revision, record.binding_generation, record.world_revision,
                                std::int64_t{record.replicas}})
    out.signed_number(revision);
  for (const std::string* text : {&record.uid, &record.placement, &record.requests, &record.affinity})
    out.text(*text);
  out.number((record.divisible ? kDivisible : 0) | (record.components ? kComponents : 0) |
             (record.one_set ? kOneSet : 0) | (record.fresh ? kFresh : 0) |
             (record.empty_targets ? kEmptyTargets : 0) | (selects_all(record) ? kAllSelected : 0));
  put_targets(out, record.previous);
  put(out, record.evicting);
}

std::uint64_t decode_question(ByteReader& in, DecisionRecord& record) {
  record.number = in.signed_number();
  record.time = in.signed_number();
  record.scheduler = static_cast<NameNumber>(in.number());
  record.trigger = in.text();
  for (std::int64_t* revision :
       {&record.binding_revision, &record.binding_generation, &record.world_revision})
    *revision = in.signed_number();
  record.replicas = static_cast<std::int32_t>(in.signed_number());
  for (std::string* text : {&record.uid, &record.placement, &record.requests, &record.affinity})
    *text = in.text();
  const std::uint64_t flags = in.number();
  record.divisible = (flags & kDivisible) != 0;
  record.components = (flags & kComponents) != 0;
  record.one_set = (flags & kOneSet) != 0;
  record.fresh = (flags & kFresh) != 0;
  record.empty_targets = (flags & kEmptyTargets) != 0;
  record.previous = take_targets(in);
  record.evicting = take<NameNumber>(in);
  return flags;
}

void encode_candidates(const DecisionRecord& record, ByteWriter& out) {
  out.column(record.scores);
  // The first estimator's word is mostly the last one.
  out.column(minus(record.room, first_word(record)));
  out.column(minus(record.available, record.room));
  out.column(record.tiers);
  out.number(record.by_policy.size());
  for (const RecordedScores& scores : record.by_policy) {
    out.number(scores.policy);
    out.signed_number(scores.weight);
    out.column(scores.scores);
  }
  out.number(record.by_estimator.size());
  for (const RecordedEstimates& estimates : record.by_estimator) {
    out.signed_number(estimates.policy);
    out.number(estimates.failed ? 1 : 0);
    out.column(estimates.replicas);
  }
  out.column(record.weights);
  out.number(record.regions.size());
  for (const std::string& region : record.regions) out.text(region);
  out.column(record.region_of);
  if (!selects_all(record)) put(out, record.selected);
}

void decode_candidates(ByteReader& in, bool all_selected, DecisionRecord& record) {
  record.scores = in.column(kMostRows);
  record.room = in.column(kMostRows);
  record.available = in.column(kMostRows);
  record.tiers = in.column(kMostRows);
  for (std::size_t left = take_count(in); left > 0 && in.ok(); --left) {
    RecordedScores& scores = record.by_policy.emplace_back();
    scores.policy = static_cast<std::uint32_t>(in.number());
    scores.weight = static_cast<std::int32_t>(in.signed_number());
    scores.scores = in.column(kMostRows);
  }
  for (std::size_t left = take_count(in); left > 0 && in.ok(); --left) {
    RecordedEstimates& estimates = record.by_estimator.emplace_back();
    estimates.policy = static_cast<std::int32_t>(in.signed_number());
    estimates.failed = in.number() != 0;
    estimates.replicas = in.column(kMostRows);
  }
  record.room = plus(record.room, first_word(record));
  record.available = plus(record.available, record.room);
  record.weights = in.column(kMostRows);
  for (std::size_t left = take_count(in); left > 0 && in.ok(); --left) record.regions.push_back(in.text());
  record.region_of = in.column(kMostRows);
  if (!all_selected) record.selected = take<std::uint32_t>(in);
  for (std::uint32_t i = 0; all_selected && i < record.candidates(); ++i) record.selected.push_back(i);
}

// What estimators remarked, at the end, where there is anything: records without look as they always did.
void encode_remarks(const DecisionRecord& record, ByteWriter& out) {
  const auto remarks = [](const RecordedEstimates& estimates) { return !estimates.remark.empty(); };
  if (std::none_of(record.by_estimator.begin(), record.by_estimator.end(), remarks)) return;
  for (const RecordedEstimates& estimates : record.by_estimator) out.text(estimates.remark);
}

void decode_remarks(ByteReader& in, DecisionRecord& record) {
  if (in.at_end()) return;
  for (RecordedEstimates& estimates : record.by_estimator) estimates.remark = in.text();
}

// Columns fit together and places are places: whoever reads a record need not look again.
bool is_sound(const DecisionRecord& record) {
  const std::size_t count = record.candidates();
  const auto as_long = [&](const std::vector<std::int64_t>& column, bool may_be_empty = false) {
    return column.size() == count || (may_be_empty && column.empty());
  };
  const auto below = [](const auto& column, std::size_t end) {
    return std::all_of(column.begin(), column.end(),
                       [end](auto place) { return place >= 0 && static_cast<std::uint64_t>(place) < end; });
  };
  bool sound = as_long(record.room) && as_long(record.available) && as_long(record.tiers) &&
               as_long(record.weights, true) && as_long(record.region_of, true) &&
               below(record.verdicts, record.reasons.size() + 1) &&
               below(record.region_of, record.regions.size() + 1) && below(record.selected, count);
  sound = sound && (record.verdicts.empty() || record.verdicts.size() == record.clusters.size());
  if (count > 0)
    sound = sound &&
            static_cast<std::size_t>(std::count(record.verdicts.begin(), record.verdicts.end(), 0)) == count;
  const auto policies = static_cast<std::int64_t>(record.policies.size());
  for (const RecordedReason& reason : record.reasons) sound = sound && reason.policy < policies;
  for (const RecordedScores& scores : record.by_policy)
    sound = sound && scores.policy < record.policies.size() && as_long(scores.scores);
  for (const RecordedEstimates& estimates : record.by_estimator)
    sound = sound && estimates.policy < policies && as_long(estimates.replicas, estimates.failed);
  return sound;
}

}  // namespace

std::vector<std::uint32_t> DecisionRecord::fitting_rows() const {
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < verdicts.size(); ++row)
    if (verdicts[row] == 0) rows.push_back(row);
  return rows;
}

const std::vector<NameNumber>& RowNumbers::of(const ClusterTable& table, const NumberOf& number_of) {
  if (identity != table.shared_identity()) {
    identity = table.shared_identity();
    numbers.clear();
    for (Row row = 0; row < table.size(); ++row) numbers.push_back(number_of(table.name(row)));
  }
  return numbers;
}

DecisionRecord describe(const Attempt& attempt, const ClusterTable& table, const Policies& policies,
                        const Options& options, std::vector<NameNumber> rows, const NumberOf& number_of) {
  DecisionRecord out;
  describe_question(attempt, options, number_of, out);
  for (const Policies::Entry& entry : policies.entries())
    out.policies.push_back(number_of(entry.policy->name()));
  out.clusters = std::move(rows);
  describe_verdicts(attempt.decision.record, table, policies, out);
  describe_candidates(attempt, table, options, out);
  out.nanoseconds = attempt.decision.record.nanoseconds;
  for (const Target& target : attempt.decision.targets)
    out.targets.push_back({out.clusters[target.row], target.replicas});
  out.failures = attempt.failures;
  return out;
}

std::string encode(const DecisionRecord& record) {
  ByteWriter out;
  out.number(kVersion);
  encode_question(record, out);
  put(out, record.policies);
  put(out, record.clusters);
  out.number(record.reasons.size());
  for (const RecordedReason& reason : record.reasons) {
    out.signed_number(reason.policy);
    out.text(reason.text);
  }
  out.column(record.verdicts);
  encode_candidates(record, out);
  for (std::int64_t took : record.nanoseconds) out.signed_number(took);
  put_targets(out, record.targets);
  out.number(record.failures.size());
  for (const Failure& failure : record.failures) {
    out.number(static_cast<std::uint64_t>(failure.kind));
    out.text(failure.message);
  }
  encode_remarks(record, out);
  return out.take();
}

Result<DecisionRecord> decode(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.number() != kVersion) return Error(Code::DataLoss, "a decision record of an unknown version");
  DecisionRecord record;
  const std::uint64_t flags = decode_question(in, record);
  record.policies = take<NameNumber>(in);
  record.clusters = take<NameNumber>(in);
  for (std::size_t left = take_count(in); left > 0 && in.ok(); --left) {
    RecordedReason& reason = record.reasons.emplace_back();
    reason.policy = static_cast<std::int32_t>(in.signed_number());
    reason.text = in.text();
  }
  record.verdicts = in.column(kMostRows);
  decode_candidates(in, (flags & kAllSelected) != 0, record);
  for (std::int64_t& took : record.nanoseconds) took = in.signed_number();
  record.targets = take_targets(in);
  for (std::size_t left = take_count(in); left > 0 && in.ok(); --left) {
    Failure& failure = record.failures.emplace_back();
    failure.kind = static_cast<FailureKind>(std::min<std::uint64_t>(in.number(), 3));
    failure.message = in.text();
  }
  decode_remarks(in, record);
  if (!in.ok() || !in.at_end() || !is_sound(record))
    return Error(Code::DataLoss, "a decision record that cannot be read");
  return record;
}

}  // namespace flotilla::scheduler
