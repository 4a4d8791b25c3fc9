// SPDX-License-Identifier: Apache-2.0
// Reads what a simulation is asked.
#include "core/api/taint.hpp"
#include "core/planning/simulate.hpp"

namespace flotilla::planning {
namespace {

constexpr std::size_t kMostDetails = 5'000;
constexpr std::size_t kMostChanges = 1'000;

Error bad(std::string text) {
  return Error(Code::BadRequest, std::move(text));
}

// "member1=key=value:NoSchedule", "member1=key:NoSchedule"; with "-" behind it, the taint is taken off.
Result<TaintChange> read_taint(std::string_view text) {
  const std::string whole(text);
  TaintChange change;
  if (text.ends_with('-')) {
    change.removes = true;
    text.remove_suffix(1);
  }
  const std::size_t first = text.find('='), colon = text.rfind(':');
  if (first == text.npos || colon == text.npos || colon < first || first == 0)
    return bad("a taint is CLUSTER=KEY[=VALUE]:EFFECT, with - behind it to take it off: " + whole);
  change.cluster = text.substr(0, first);
  const std::string_view effect = text.substr(colon + 1);
  std::string_view key = text.substr(first + 1, colon - first - 1), value;
  if (const std::size_t equals = key.find('='); equals != key.npos) {
    value = key.substr(equals + 1);
    key = key.substr(0, equals);
  }
  const bool known = effect == api::kNoSchedule || effect == api::kNoExecute || effect == "PreferNoSchedule";
  if (key.empty() || !known)
    return bad("the effect of a taint is NoSchedule, PreferNoSchedule or NoExecute: " + whole);
  change.taint = Json::object({{"key", key}, {"effect", effect}});
  if (!value.empty()) change.taint.set("value", value);
  return change;
}

}  // namespace

Result<SimulationQuestion> read_simulation(const Json& body) {
  SimulationQuestion question;
  if (body["lose"].size() + body["taints"].size() + body["clusters"].size() > kMostChanges)
    return bad("a simulation changes at most " + std::to_string(kMostChanges) + " clusters");
  for (const Json& name : body["lose"].elements()) question.lost.emplace_back(name.as_string());
  for (const Json& text : body["taints"].elements()) {
    auto taint = read_taint(text.as_string());
    if (!taint) return std::move(taint).error();
    question.taints.push_back(*std::move(taint));
  }
  for (const Json& cluster : body["clusters"].elements()) {
    if (cluster["kind"].as_string() != "Cluster" || api::name_of(cluster).empty())
      return bad("clusters to add are Cluster objects with a name");
    question.added.push_back(cluster);
    // As a cluster that has joined: a lone spec would otherwise be of an unknown version.
    question.added.back().set("apiVersion", controllers::kinds::kCluster.gvk.api_version());
  }
  if (body.contains("replicas")) {
    const std::int64_t replicas = body["replicas"].is_int() ? body["replicas"].as_int() : -1;
    if (replicas < 0 || replicas > INT32_MAX) return bad("replicas are 0 to 2147483647");
    question.replicas = replicas;
  }
  question.anew = body["anew"].as_bool();
  if (body["details"].is_int() && body["details"].as_int() >= 0)
    question.details =
        std::min<std::size_t>(static_cast<std::size_t>(body["details"].as_int()), kMostDetails);
  return question;
}

}  // namespace flotilla::planning
