// SPDX-License-Identifier: Apache-2.0
// What is otherwise between two decisions about one binding.
#include <map>
#include <optional>

#include "core/planning/decisions.hpp"
#include "core/planning/fields.hpp"

namespace flotilla::planning {
namespace {

using scheduler::DecisionRecord;
using scheduler::NameNumber;
using scheduler::NumberedTarget;

constexpr std::size_t kMostClusters = 200;
constexpr std::size_t kMostFields = 20;

// What a decision found of one cluster.
struct Finding {
  std::string verdict;  // empty: it fits
  std::optional<std::int64_t> score, room;
};

std::map<NameNumber, Finding> findings_of(const DecisionRecord& record) {
  std::map<NameNumber, Finding> findings;
  std::size_t place = 0;
  for (std::size_t row = 0; row < record.verdicts.size(); ++row) {
    Finding& finding = findings[record.clusters[row]];
    if (record.verdicts[row] != 0) {
      finding.verdict = record.reasons[static_cast<std::size_t>(record.verdicts[row] - 1)].text;
      continue;
    }
    if (place < record.candidates()) {
      finding.score = record.scores[place];
      if (!record.by_estimator.empty()) finding.room = record.room[place];
    }
    ++place;
  }
  return findings;
}

class Changes {
 public:
  Changes(const Decisions& decisions, const KeptDecision& from, const KeptDecision& to)
      : decisions_(decisions), from_(from.record), to_(to.record) {}

  Json make() {
    compare_question();
    compare_clusters();
    compare_targets();
    Json out = Json::object({{"from", reference(from_)},
                             {"to", reference(to_)},
                             {"inputs", std::move(inputs_)},
                             {"clusters", std::move(clusters_)},
                             {"outcome", std::move(outcome_)}});
    if (not_shown_ > 0) out.set("clustersNotShown", not_shown_);
    return out;
  }

 private:
  static Json reference(const DecisionRecord& record) {
    return Json::object(
        {{"number", record.number},
         {"time", format_time(WallTime(std::chrono::milliseconds(record.time)))},
         {"trigger", record.trigger},
         {"message", record.ok() ? std::string("scheduled") : record.failures.back().message}});
  }

  void input(const std::string& what, Json before, Json after) {
    if (before == after) return;
    inputs_.push_back(
        Json::object({{"what", what}, {"before", std::move(before)}, {"after", std::move(after)}}));
  }

  void compare_question() {
    input("replicas", from_.replicas, to_.replicas);
    input("requests", from_.requests, to_.requests);
    input("affinity term", from_.affinity, to_.affinity);
    input("template uid", from_.uid, to_.uid);
    input("scheduled anew", from_.fresh, to_.fresh);
    input("policies", names(from_.policies), names(to_.policies));
    input("evicting", names(from_.evicting), names(to_.evicting));
    const auto before = Json::parse(from_.placement), after = Json::parse(to_.placement);
    if (!before || !after || from_.placement == to_.placement) return;
    std::size_t count = 0;
    for (const FieldChange& change : field_changes(*before, *after)) {
      if (++count > kMostFields) break;
      input("placement." + change.path, change.before ? Json(shown(*change.before)) : Json(),
            change.after ? Json(shown(*change.after)) : Json());
    }
  }

  Json names(const std::vector<NameNumber>& numbers) const {
    Json list = Json::array();
    for (NameNumber number : numbers) list.push_back(decisions_.name(number));
    return list;
  }

  void cluster(NameNumber number, const char* what, Json before, Json after) {
    if (before == after) return;
    if (clusters_.size() >= kMostClusters) {
      ++not_shown_;
      return;
    }
    clusters_.push_back(Json::object({{"cluster", decisions_.name(number)},
                                      {"what", what},
                                      {"before", std::move(before)},
                                      {"after", std::move(after)}}));
  }

  void compare_clusters() {
    const auto before = findings_of(from_), after = findings_of(to_);
    const auto word = [](const Finding& finding) {
      return Json(finding.verdict.empty() ? "fits" : finding.verdict);
    };
    const auto number = [](const std::optional<std::int64_t>& value) {
      return value ? Json(*value) : Json();
    };
    for (const auto& [name, finding] : before) {
      const auto it = after.find(name);
      if (it == after.end()) {
        cluster(name, "verdict", word(finding), "is no cluster any more");
        continue;
      }
      cluster(name, "verdict", word(finding), word(it->second));
      if (finding.score && it->second.score)
        cluster(name, "score", number(finding.score), number(it->second.score));
      if (finding.room && it->second.room)
        cluster(name, "room", number(finding.room), number(it->second.room));
    }
    for (const auto& [name, finding] : after)
      if (!before.contains(name)) cluster(name, "verdict", "was no cluster yet", word(finding));
  }

  void compare_targets() {
    std::map<std::string, std::pair<Json, Json>> targets;
    for (const NumberedTarget& target : from_.targets)
      targets[decisions_.name(target.cluster)].first = target.replicas;
    for (const NumberedTarget& target : to_.targets)
      targets[decisions_.name(target.cluster)].second = target.replicas;
    for (const auto& [name, replicas] : targets) {
      if (replicas.first == replicas.second) continue;
      outcome_.push_back(
          Json::object({{"cluster", name}, {"before", replicas.first}, {"after", replicas.second}}));
    }
  }

  const Decisions& decisions_;
  const DecisionRecord& from_;
  const DecisionRecord& to_;
  Json inputs_ = Json::array(), clusters_ = Json::array(), outcome_ = Json::array();
  std::size_t not_shown_ = 0;
};

}  // namespace

Json decision_changes(const Decisions& decisions, const KeptDecision& from, const KeptDecision& to) {
  return Changes(decisions, from, to).make();
}

}  // namespace flotilla::planning
