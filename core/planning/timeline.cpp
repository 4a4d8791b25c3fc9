// SPDX-License-Identifier: Apache-2.0
#include "core/planning/timeline.hpp"

#include <algorithm>
#include <set>

#include "core/api/names.hpp"
#include "core/api/removal_cause.hpp"
#include "core/planning/removals.hpp"

namespace flotilla::planning {
namespace {

namespace k = controllers::kinds;

struct Entry {
  WallTime time;
  int order;  // among those of one second: cause before effect
  Json json;
};

class Timeline {
 public:
  void add(std::string_view time, int order, std::string_view lane, std::string_view what, Json more) {
    const auto parsed = parse_time(time);
    if (!parsed) return;
    Json json = Json::object({{"time", format_time(*parsed)}, {"lane", lane}, {"what", what}});
    for (const auto [key, value] : more.members()) json.set(key, value);
    entries_.push_back({*parsed, order, std::move(json)});
  }

  void add_object(const api::Object& object, std::string_view lane, int order) {
    const auto content = object.content();
    const Json& metadata = (*content)["metadata"];
    const std::string name = std::string((*content)["kind"].as_string()) + " " + object.key().text();
    add(metadata["creationTimestamp"].as_string(), order, lane, "created", Json::object({{"object", name}}));
    if (object.deleting()) {
      Json more = Json::object({{"object", name}});
      if (const auto cause = api::removal_cause_of_work(*content)) more.set("message", cause->text());
      add(metadata["deletionTimestamp"].as_string(), order, lane, "deleting", std::move(more));
    }
    add_conditions((*content)["status"]["conditions"], name, lane, order + 1);
  }

  void add_conditions(const Json& conditions, const std::string& name, std::string_view lane, int order) {
    for (const Json& condition : conditions.elements()) {
      std::string_view time = condition["lastTransitionTime"].as_string();
      if (time.empty()) time = condition["lastUpdateTime"].as_string();
      add(time, order, lane, "condition",
          Json::object({{"object", name},
                        {"type", condition["type"]},
                        {"status", condition["status"]},
                        {"reason", condition["reason"]},
                        {"message", condition["message"]}}));
    }
  }

  void add_event(const Json& event, std::string_view lane, int order) {
    const Json& about = event["involvedObject"];
    Json more = Json::object({{"object", std::string(about["kind"].as_string()) + " " +
                                             ObjectKey{std::string(about["namespace"].as_string()),
                                                       std::string(about["name"].as_string())}
                                                 .text()},
                              {"type", event["type"]},
                              {"reason", event["reason"]},
                              {"message", event["message"]}});
    if (event["count"].as_int() > 1) more.set("count", event["count"]);
    add(event_time(event), order, lane, "event", std::move(more));
  }

  Json take(std::size_t most) {
    std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.time, a.order) < std::tie(b.time, b.order);
    });
    Json list = Json::array();
    const std::size_t first = entries_.size() > most ? entries_.size() - most : 0;
    for (std::size_t i = first; i < entries_.size(); ++i) list.push_back(std::move(entries_[i].json));
    return list;
  }

 private:
  std::vector<Entry> entries_;
};

}  // namespace

Json timeline_of(const Sources& sources, const Subject& subject, std::size_t most) {
  Timeline timeline;
  std::set<std::string> clusters;
  if (subject.template_) timeline.add_object(*subject.template_, "template", 0);
  if (subject.binding) {
    timeline.add_object(*subject.binding, "binding", 2);
    const auto content = subject.binding->content();
    timeline.add(
        (*content)["status"]["lastScheduledTime"].as_string(), 3, "binding", "scheduled",
        Json::object({{"object", subject.scope->kind.gvk.kind + " " + subject.binding->key().text()}}));
  }
  for (const ObjectPtr& work : subject.works) {
    const auto cluster = api::cluster_of_execution_namespace(work->ns());
    if (!cluster) continue;
    clusters.insert(*cluster);
    timeline.add_object(*work, *cluster, 4);
  }
  for (const std::string& name : clusters) {
    const ObjectPtr cluster = sources.get(k::kCluster, {"", name});
    if (!cluster) continue;
    const auto content = cluster->content();
    timeline.add_conditions((*content)["status"]["conditions"], "Cluster " + name, name, 1);
    for (const Json& taint : (*content)["spec"]["taints"].elements()) {
      timeline.add(taint["timeAdded"].as_string(), 1, name, "tainted",
                   Json::object({{"object", "Cluster " + name},
                                 {"type", taint["effect"]},
                                 {"reason", taint["key"]},
                                 {"message", taint["value"]}}));
    }
  }
  for (const SubjectEvent& one : events_of(sources, subject)) {
    const int order = one.lane == "template" ? 1 : one.lane == "binding" ? 3 : 5;
    timeline.add_event(*one.event->content(), one.lane, order);
  }
  return timeline.take(most);
}

}  // namespace flotilla::planning
