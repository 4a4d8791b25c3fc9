// SPDX-License-Identifier: Apache-2.0
#include "core/planning/decisions.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "core/base/log.hpp"
#include "core/controllers/decision_keys.hpp"
#include "core/scheduler/explain.hpp"

namespace flotilla::planning {
namespace {

namespace c = controllers;
namespace k = controllers::kinds;
using scheduler::DecisionRecord;
using scheduler::NumberedTarget;

const Logger kLog("planning");

constexpr std::size_t kMostPerPage = 500;
constexpr const char* kVersion = "flotilla.io/v1alpha1";
constexpr const char* kBindingLabel = "flotilla.io/binding";
constexpr std::size_t kLongestLabel = 63;

using Names = std::shared_ptr<const std::vector<std::string>>;

Task<Result<Names>> load_names(store::Store* store) {
  auto reading = store->side_values(c::kNamesPrefix);
  const auto chunks = co_await std::move(reading);
  if (!chunks) co_return chunks.error();
  auto names = std::make_shared<std::vector<std::string>>(c::read_names(*chunks));
  co_return Names(std::move(names));
}

scheduler::NameNumber highest(const DecisionRecord& record) {
  scheduler::NameNumber most = record.scheduler;
  for (const auto* numbers : {&record.clusters, &record.policies, &record.evicting})
    for (scheduler::NameNumber number : *numbers) most = std::max(most, number);
  for (const auto* targets : {&record.previous, &record.targets})
    for (const NumberedTarget& target : *targets) most = std::max(most, target.cluster);
  return most;
}

// `names`: read before; read again if they do not suffice.
Task<Result<DecisionsPtr>> read_with(store::Store* store, ObjectPtr binding, Names names) {
  auto settling = store->durable(binding->revision());
  if (const Status settled = co_await std::move(settling); !settled) co_return settled.error();
  auto out = std::make_shared<Decisions>();
  auto reading = store->side_values(c::decisions_prefix(binding->uid()));
  const auto values = co_await std::move(reading);
  if (!values) co_return values.error();
  scheduler::NameNumber most = 0;
  for (const store::SideValue& value : *values) {
    auto record = scheduler::decode(value.value);
    if (!record) {
      kLog.warn("a decision record is left out", {{"key", value.key}, {"error", record.error().message()}});
      continue;
    }
    most = std::max(most, highest(*record));
    out->kept.push_back({*std::move(record), value.revision});
  }
  std::sort(out->kept.begin(), out->kept.end(),
            [](const KeptDecision& a, const KeptDecision& b) { return a.revision < b.revision; });
  if (names == nullptr || most >= names->size()) {
    auto naming = load_names(store);
    auto read = co_await std::move(naming);
    if (!read) co_return read.error();
    names = *std::move(read);
  }
  out->binding = std::move(binding);
  out->names = std::move(names);
  co_return DecisionsPtr(std::move(out));
}

const char* result_of(const DecisionRecord& record) {
  if (record.ok()) return "Scheduled";
  switch (record.failures.back().kind) {
    case scheduler::FailureKind::NoClusterFit:
      return "NoClusterFit";
    case scheduler::FailureKind::Unschedulable:
      return "Unschedulable";
    default:
      return "SchedulerError";
  }
}

Json targets_to_json(const Decisions& decisions, const std::vector<NumberedTarget>& targets) {
  Json list = Json::array();
  for (const NumberedTarget& target : targets) {
    Json entry = Json::object({{"name", decisions.name(target.cluster)}});
    if (target.replicas != 0) entry.set("replicas", target.replicas);
    list.push_back(std::move(entry));
  }
  return list;
}

// "member1:4, member2:2, and 3 more".
std::string short_targets(const Decisions& decisions, const DecisionRecord& record) {
  constexpr std::size_t kShown = 4;
  std::string text;
  for (std::size_t i = 0; i < record.targets.size() && i < kShown; ++i) {
    const NumberedTarget& target = record.targets[i];
    text += (i == 0 ? "" : ", ") + decisions.name(target.cluster);
    if (target.replicas != 0) text += ":" + std::to_string(target.replicas);
  }
  if (record.targets.size() > kShown)
    text += ", and " + std::to_string(record.targets.size() - kShown) + " more";
  return text.empty() ? "none" : text;
}

Json asked_to_json(const Decisions& decisions, const DecisionRecord& record, bool whole) {
  const auto content = decisions.binding->content();
  const Json& resource = (*content)["spec"]["resource"];
  Json about = Json::object({{"apiVersion", resource["apiVersion"]}, {"kind", resource["kind"]}});
  if (!resource["namespace"].as_string().empty()) about.set("namespace", resource["namespace"]);
  about.set("name", resource["name"]);
  about.set("uid", record.uid);
  Json out =
      Json::object({{"binding", Json::object({{"kind", (*content)["kind"]},
                                              {"name", decisions.binding->name()},
                                              {"uid", decisions.binding->uid()},
                                              {"generation", record.binding_generation},
                                              {"resourceVersion", std::to_string(record.binding_revision)}})},
                    {"resource", std::move(about)},
                    {"number", record.number},
                    {"trigger", record.trigger},
                    {"schedulerName", decisions.name(record.scheduler)},
                    {"worldRevision", std::to_string(record.world_revision)},
                    {"replicas", record.replicas}});
  if (!record.requests.empty()) out.set("requests", record.requests);
  if (record.fresh) out.set("fresh", true);
  if (!whole) return out;
  const auto placement = Json::parse(record.placement);
  out.set("placement", placement ? *placement : Json(record.placement));
  out.set("previous", targets_to_json(decisions, record.previous));
  Json evicting = Json::array();
  for (scheduler::NameNumber cluster : record.evicting) evicting.push_back(decisions.name(cluster));
  if (!evicting.empty()) out.set("evicting", std::move(evicting));
  Json policies = Json::array();
  for (scheduler::NameNumber policy : record.policies) policies.push_back(decisions.name(policy));
  out.set("policies", std::move(policies));
  return out;
}

std::string estimator_name(const Decisions& decisions, const DecisionRecord& record, std::int32_t policy) {
  return policy < 0 ? "general" : decisions.name(record.policies[static_cast<std::size_t>(policy)]);
}

Json candidates_to_json(const Decisions& decisions, const DecisionRecord& record) {
  std::vector<bool> selected(record.candidates(), false);
  for (std::uint32_t place : record.selected) selected[place] = true;
  std::map<scheduler::NameNumber, std::int32_t> targets;
  for (const NumberedTarget& target : record.targets) targets[target.cluster] = target.replicas;
  const std::vector<std::uint32_t> rows = record.fitting_rows();
  Json list = Json::array();
  for (std::size_t i = 0; i < record.candidates(); ++i) {
    const scheduler::NameNumber cluster = record.clusters[rows[i]];
    Json entry = Json::object({{"cluster", decisions.name(cluster)}, {"score", record.scores[i]}});
    Json scores = Json::object();
    for (const scheduler::RecordedScores& column : record.by_policy) {
      scores.set(decisions.name(record.policies[column.policy]),
                 Json::object({{"score", column.scores[i]}, {"weight", column.weight}}));
    }
    if (!record.by_policy.empty()) entry.set("scores", std::move(scores));
    Json estimates = Json::object();
    for (const scheduler::RecordedEstimates& column : record.by_estimator) {
      const std::string name = estimator_name(decisions, record, column.policy);
      if (column.failed)
        estimates.set(name, "failed");
      else if (column.replicas[i] >= 0)
        estimates.set(name, column.replicas[i]);
    }
    if (!record.by_estimator.empty()) {
      entry.set("estimates", std::move(estimates));
      entry.set("room", record.room[i]);
      entry.set("available", record.available[i]);
    }
    if (record.tiers[i] != 0) entry.set("tier", record.tiers[i]);
    if (!record.weights.empty()) entry.set("weight", record.weights[i]);
    if (!record.region_of.empty() && record.region_of[i] > 0)
      entry.set("region", record.regions[static_cast<std::size_t>(record.region_of[i] - 1)]);
    entry.set("selected", static_cast<bool>(selected[i]));
    if (const auto it = targets.find(cluster); it != targets.end()) entry.set("replicas", it->second);
    list.push_back(std::move(entry));
  }
  return list;
}

// Why estimators were left out, by name.
Json remarks_to_json(const Decisions& decisions, const DecisionRecord& record) {
  Json remarks = Json::object();
  for (const scheduler::RecordedEstimates& column : record.by_estimator) {
    if (!column.remark.empty()) remarks.set(estimator_name(decisions, record, column.policy), column.remark);
  }
  return remarks;
}

Json timings_to_json(const DecisionRecord& record) {
  constexpr const char* kNames[] = {"filter", "score", "estimate", "select", "assign"};
  Json out = Json::object();
  std::int64_t all = 0;
  for (std::size_t i = 0; i < record.nanoseconds.size(); ++i) {
    out.set(kNames[i], record.nanoseconds[i]);
    all += record.nanoseconds[i];
  }
  out.set("total", all);
  return out;
}

Json outcome_to_json(const Decisions& decisions, const DecisionRecord& record, bool whole) {
  const auto fitting = record.verdicts.empty()
                           ? std::ptrdiff_t{0}
                           : std::count(record.verdicts.begin(), record.verdicts.end(), 0);
  Json out =
      Json::object({{"result", result_of(record)},
                    {"fitting", std::to_string(fitting) + "/" + std::to_string(record.clusters.size())},
                    {"summary", short_targets(decisions, record)}});
  if (!record.affinity.empty()) out.set("affinityName", record.affinity);
  if (record.ok()) out.set("targets", targets_to_json(decisions, record.targets));
  Json failures = Json::array();
  for (const scheduler::Failure& failure : record.failures) failures.push_back(failure.message);
  if (!failures.empty()) out.set("failures", std::move(failures));
  out.set("verdicts", verdicts_to_json(decisions, record, whole));
  out.set("nanoseconds", timings_to_json(record));
  if (!whole) return out;
  const auto name_of = [&](scheduler::NameNumber number) { return decisions.name(number); };
  out.set("candidates", candidates_to_json(decisions, record));
  if (Json remarks = remarks_to_json(decisions, record); !remarks.empty())
    out.set("estimators", std::move(remarks));
  if (Json selection = scheduler::explain_selection(record, name_of); selection.is_object())
    out.set("selection", std::move(selection));
  if (Json division = scheduler::explain_division(record, name_of); division.is_array())
    out.set("division", std::move(division));
  return out;
}

// Of a label no more than fits into one.
std::string label_value(std::string name) {
  if (name.size() > kLongestLabel) name.resize(kLongestLabel);
  while (!name.empty() && std::isalnum(static_cast<unsigned char>(name.back())) == 0) name.pop_back();
  return name;
}

const StoredKind& bindings_of(std::string_view resource) {
  return resource == "placementdecisions" ? k::kResourceBinding : k::kClusterResourceBinding;
}

Error unknown_decision(const DecisionQuery& query) {
  return not_found(query.resource + ".flotilla.io \"" + query.name + "\" not found");
}

Task<Result<Json>> answer_one(store::Store* store, DecisionQuery query) {
  const std::size_t dash = query.name.rfind('-');
  std::int64_t number = 0;
  if (dash == query.name.npos) co_return unknown_decision(query);
  const char* end = query.name.data() + query.name.size();
  const auto read = std::from_chars(query.name.data() + dash + 1, end, number);
  if (read.ec != std::errc() || read.ptr != end) co_return unknown_decision(query);
  const ObjectPtr binding =
      store->get(bindings_of(query.resource).collection(), query.ns, query.name.substr(0, dash));
  if (!binding) co_return unknown_decision(query);
  auto reading = read_decisions(store, binding);
  const auto decisions = co_await std::move(reading);
  if (!decisions) co_return decisions.error();
  for (const KeptDecision& kept : (*decisions)->kept) {
    if (kept.record.number == number) co_return decision_to_json(**decisions, kept, true);
  }
  co_return unknown_decision(query);
}

}  // namespace

Task<Result<DecisionsPtr>> read_decisions(store::Store* store, ObjectPtr binding) {
  auto reading = read_with(store, std::move(binding), nullptr);
  co_return co_await std::move(reading);
}

Json verdicts_to_json(const Decisions& decisions, const DecisionRecord& record, bool with_clusters) {
  std::vector<std::vector<std::uint32_t>> rows(record.reasons.size() + 1);
  for (std::uint32_t row = 0; row < record.verdicts.size(); ++row)
    rows[static_cast<std::size_t>(record.verdicts[row])].push_back(row);
  std::vector<std::size_t> order;
  for (std::size_t i = 1; i < rows.size(); ++i)
    if (!rows[i].empty()) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rows[a].size() > rows[b].size(); });
  Json list = Json::array();
  for (std::size_t at : order) {
    const scheduler::RecordedReason& reason = record.reasons[at - 1];
    Json entry = Json::object({{"count", rows[at].size()}, {"reason", reason.text}});
    if (reason.policy >= 0)
      entry.set("policy", decisions.name(record.policies[static_cast<std::size_t>(reason.policy)]));
    if (with_clusters) {
      Json clusters = Json::array();
      for (std::uint32_t row : rows[at]) clusters.push_back(decisions.name(record.clusters[row]));
      entry.set("clusters", std::move(clusters));
    }
    list.push_back(std::move(entry));
  }
  return list;
}

Json decision_to_json(const Decisions& decisions, const KeptDecision& decision, bool whole) {
  const api::Object& binding = *decisions.binding;
  const auto content = binding.content();
  const WallTime made = WallTime(std::chrono::milliseconds(decision.record.time));
  Json owner = Json::object({{"apiVersion", (*content)["apiVersion"]},
                             {"kind", (*content)["kind"]},
                             {"name", binding.name()},
                             {"uid", binding.uid()}});
  Json metadata = Json::object({{"name", binding.name() + "-" + std::to_string(decision.record.number)}});
  if (!binding.ns().empty()) metadata.set("namespace", binding.ns());
  metadata.set("uid", binding.uid() + "-" + std::to_string(decision.record.number));
  metadata.set("resourceVersion", std::to_string(decision.revision.get()));
  metadata.set("creationTimestamp", format_time(made));
  metadata.set("labels", Json::object({{kBindingLabel, label_value(binding.name())}}));
  metadata.set("ownerReferences", Json::array({std::move(owner)}));
  return Json::object({{"apiVersion", kVersion},
                       {"kind", binding.ns().empty() ? "ClusterPlacementDecision" : "PlacementDecision"},
                       {"metadata", std::move(metadata)},
                       {"spec", asked_to_json(decisions, decision.record, whole)},
                       {"status", outcome_to_json(decisions, decision.record, whole)}});
}

Task<Result<Json>> answer_decisions(store::Store* store, DecisionQuery query) {
  if (!query.name.empty()) {
    auto answering = answer_one(store, std::move(query));
    co_return co_await std::move(answering);
  }
  const std::size_t page = query.limit == 0 ? SIZE_MAX : std::min(query.limit, kMostPerPage);
  const StoredKind& kind = bindings_of(query.resource);
  std::optional<ObjectKey> after;
  if (const std::size_t slash = query.from.find('/'); slash != query.from.npos)
    after = ObjectKey{query.from.substr(0, slash), query.from.substr(slash + 1)};
  const store::Snapshot snapshot =
      store->list_page(kind.collection(), query.ns, after ? &*after : nullptr, 0);
  Json items = Json::array();
  std::string more;
  Names names;
  for (const ObjectPtr& binding : snapshot.objects) {
    if (!query.binding.empty() && label_value(binding->name()) != query.binding) continue;
    if (c::decision_number(*binding->content()) == 0) continue;
    // Pages end between bindings, so that none is torn.
    if (items.size() >= page) break;
    auto reading = read_with(store, binding, names);
    const auto decisions = co_await std::move(reading);
    if (!decisions) co_return decisions.error();
    names = (*decisions)->names;
    for (const KeptDecision& kept : (*decisions)->kept)
      items.push_back(decision_to_json(**decisions, kept, false));
    if (items.size() >= page) more = binding->ns() + "/" + binding->name();
  }
  if (!snapshot.objects.empty() &&
      more == snapshot.objects.back()->ns() + "/" + snapshot.objects.back()->name())
    more.clear();
  Json metadata = Json::object({{"resourceVersion", std::to_string(snapshot.revision.get())}});
  if (!more.empty()) metadata.set("continue", more);
  co_return Json::object({{"apiVersion", kVersion},
                          {"kind", query.resource == "placementdecisions" ? "PlacementDecisionList"
                                                                          : "ClusterPlacementDecisionList"},
                          {"metadata", std::move(metadata)},
                          {"items", std::move(items)}});
}

}  // namespace flotilla::planning
