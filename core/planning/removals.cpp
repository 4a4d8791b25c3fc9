// SPDX-License-Identifier: Apache-2.0
#include "core/planning/removals.hpp"

#include <algorithm>
#include <set>

#include "core/api/names.hpp"
#include "core/api/removal_cause.hpp"

namespace flotilla::planning {
namespace {

constexpr std::size_t kMost = 20;

bool is_removal(std::string_view reason) {
  return reason.starts_with("EvictWorkload") || reason == "WorkRemoved" || reason == "CleanupWorkFailed";
}

Json removal_to_json(const std::string& cluster, const api::RemovalCause& cause) {
  Json out = Json::object({{"time", cause.since},
                           {"cluster", cluster},
                           {"reason", to_string(cause.reason)},
                           {"message", cause.text()}});
  if (!cause.held.empty()) out.set("held", cause.held);
  return out;
}

}  // namespace

std::string event_time(const Json& event) {
  for (const char* key : {"lastTimestamp", "eventTime", "firstTimestamp"}) {
    const std::string_view time = event[key].as_string();
    if (!time.empty()) return std::string(time);
  }
  return std::string(event["metadata"]["creationTimestamp"].as_string());
}

std::vector<SubjectEvent> events_of(const Sources& sources, const Subject& subject) {
  const Collection events = store::collection_of("", "events");
  const std::string& ns = subject.key.ns.empty() ? std::string("default") : subject.key.ns;
  const std::string template_uid = subject.template_ ? subject.template_->uid() : std::string();
  const std::string binding_uid = subject.binding ? subject.binding->uid() : std::string();
  std::vector<SubjectEvent> found;
  for (const ObjectPtr& event : sources.store.list(events, ns).objects) {
    // Most events are about pods: their names say so without parsing.
    const bool near = event->name().starts_with(subject.key.name) ||
                      (subject.binding && event->name().starts_with(subject.binding->name()));
    if (!near) continue;
    const auto content = event->content();
    const std::string_view uid = (*content)["involvedObject"]["uid"].as_string();
    if (uid.empty()) continue;
    if (uid == template_uid) found.push_back({event, "template"});
    if (uid == binding_uid) found.push_back({event, "binding"});
  }
  for (const ObjectPtr& work : subject.works) {
    const auto cluster = api::cluster_of_execution_namespace(work->ns());
    if (!cluster) continue;
    for (const ObjectPtr& event : sources.store.list(events, work->ns()).objects) {
      if (!event->name().starts_with(work->name())) continue;
      const auto content = event->content();
      if ((*content)["involvedObject"]["uid"].as_string() == work->uid()) found.push_back({event, *cluster});
    }
  }
  return found;
}

Json removals_of(const Sources& sources, const Subject& subject, const std::string& only) {
  std::vector<Json> entries;
  std::set<std::string> told;  // clusters
  const auto add = [&](const std::string& cluster, const std::optional<api::RemovalCause>& cause) {
    const bool wanted = cause && (only.empty() || cluster == only) && told.insert(cluster).second;
    if (wanted) entries.push_back(removal_to_json(cluster, *cause));
  };
  for (const ObjectPtr& work : subject.works) {
    const auto cluster = api::cluster_of_execution_namespace(work->ns());
    if (cluster) add(*cluster, api::removal_cause_of_work(*work->content()));
  }
  const auto binding = subject.binding ? subject.binding->content() : nullptr;
  if (binding) {
    const auto causes = Json::parse(api::annotation_of(*binding, api::annotations::kRemovalCause));
    if (causes) {
      for (const std::string& cluster : causes->keys())
        add(cluster, api::removal_cause_of_binding(*binding, cluster));
    }
  }
  std::set<std::string> seen;
  for (const SubjectEvent& one : events_of(sources, subject)) {
    const auto event = one.event->content();
    const std::string_view reason = (*event)["reason"].as_string();
    const std::string message((*event)["message"].as_string());
    if (!is_removal(reason) || !seen.insert(std::string(reason) + message).second) continue;
    if (!only.empty() && one.lane != only && message.find(only) == std::string::npos) continue;
    Json entry = Json::object({{"time", event_time(*event)}, {"reason", reason}, {"message", message}});
    if (one.lane != "template" && one.lane != "binding") entry.set("cluster", one.lane);
    entries.push_back(std::move(entry));
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Json& a, const Json& b) {
    return a["time"].as_string() > b["time"].as_string();
  });
  Json list = Json::array();
  for (std::size_t i = 0; i < entries.size() && i < kMost; ++i) list.push_back(std::move(entries[i]));
  return list;
}

}  // namespace flotilla::planning
