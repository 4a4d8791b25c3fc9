// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/propagation/event_filter.hpp"

#include <algorithm>
#include <array>

#include "core/api/karmada.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;

Json without(const Json& object, std::initializer_list<std::string_view> metadata_members) {
  Json copy = object;
  copy.erase("status");
  if (Json* metadata = copy.find("metadata")) {
    for (const std::string_view member : metadata_members) metadata->erase(member);
  }
  return copy;
}

void drop_own_keys(Json& object, std::string_view map) {
  Json* metadata = object.find("metadata");
  Json* keys = metadata == nullptr ? nullptr : metadata->find(map);
  if (keys == nullptr) return;
  for (const std::string& key : keys->keys()) {
    if (key.find(".karmada.io") != std::string::npos && key != api::labels::kSkipAutoPropagation)
      keys->erase(key);
  }
  if (keys->empty()) metadata->erase(map);
}

Json users_part(const Json& object) {
  Json copy = without(object, {"managedFields", "resourceVersion", "generation"});
  drop_own_keys(copy, "labels");
  drop_own_keys(copy, "annotations");
  return copy;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::string_view part = text.substr(0, text.find(separator));
    parts.push_back(part);
    if (part.size() == text.size()) return parts;
    text.remove_prefix(part.size() + 1);
  }
}

}  // namespace

bool specification_changed(const Json& before, const Json& after) {
  return without(before, {"managedFields", "resourceVersion"}) !=
         without(after, {"managedFields", "resourceVersion"});
}

bool changed_by_karmada(const Json& before, const Json& after) {
  return users_part(before) == users_part(after);
}

bool is_servers_own(std::string_view kind, std::string_view ns, std::string_view name) {
  return kind == "ConfigMap" && ns == "kube-system" && name == "extension-apiserver-authentication";
}

SkippedApis::SkippedApis() {
  for (const std::string_view group :
       {api::groups::kCluster, api::groups::kPolicy, api::groups::kWork, api::groups::kConfig,
        api::groups::kNetworking, api::groups::kAutoscaling, api::groups::kRemedy, api::groups::kApps,
        std::string_view("events.k8s.io")}) {
    entries_.push_back({std::string(group), "", ""});
  }
  entries_.push_back({"coordination.k8s.io", "v1", ""});
  entries_.push_back({"", "v1", "Event"});
}

Result<SkippedApis> SkippedApis::parse(std::string_view text) {
  SkippedApis apis;
  if (text.empty()) return apis;
  for (const std::string_view token : split(text, ';')) {
    if (Status added = apis.add(token); !added) return std::move(added).error();
  }
  return apis;
}

Status SkippedApis::add(std::string_view token) {
  const std::vector<std::string_view> parts = split(token, '/');
  if (parts.size() > 3) {
    return invalid("parse --skipped-propagating-apis invalid parameter: " + std::string(token));
  }
  // The core group has no name: what starts with its version names kinds of it.
  const bool core = parts.size() == 2 && parts[0].starts_with("v1");
  const std::string group(core ? "" : parts[0]);
  if (parts.size() == 1) {
    entries_.push_back({group, "", ""});
  } else if (parts.size() == 2 && !core) {
    entries_.push_back({group, std::string(parts[1]), ""});
  } else {
    for (const std::string_view kind : split(parts.back(), ',')) {
      entries_.push_back({group, core ? "v1" : std::string(parts[1]), std::string(kind)});
    }
  }
  return {};
}

bool SkippedApis::contains(std::string_view group, std::string_view version, std::string_view kind) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.group == group && (entry.version.empty() || entry.version == version) &&
           (entry.kind.empty() || entry.kind == kind);
  });
}

}  // namespace flotilla::controllers
