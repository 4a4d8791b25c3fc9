// SPDX-License-Identifier: Apache-2.0
#include "core/api/cluster_affinity.hpp"

#include <algorithm>

namespace flotilla::api {
namespace {

std::vector<std::string> strings_of(const Json& list) {
  std::vector<std::string> out;
  for (const Json& element : list.elements()) out.emplace_back(element.as_string());
  return out;
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

ClusterAffinity::ClusterAffinity(const Json& affinity)
    : names_(strings_of(affinity["clusterNames"])), excluded_(strings_of(affinity["exclude"])) {
  if (const Json* labels = affinity.find("labelSelector"); labels != nullptr && !labels->is_null()) {
    auto selector = LabelSelector::from_json(*labels);
    if (selector) {
      labels_ = std::move(*selector);
    } else {
      broken_ = true;
    }
  }
  Json fields = Json::array();
  for (const Json& expression : affinity.at({"fieldSelector", "matchExpressions"}).elements()) {
    if (expression["key"].as_string() == "zone") {
      zones_.push_back({std::string(expression["operator"].as_string()), strings_of(expression["values"])});
    } else {
      fields.push_back(expression);
    }
  }
  if (fields.empty()) return;
  auto selector = LabelSelector::from_node_requirements(fields);
  if (selector) {
    fields_ = std::move(*selector);
  } else {
    broken_ = true;
  }
}

bool ClusterAffinity::matches(const Json& cluster) const {
  if (broken_) return false;
  const std::string_view name = cluster.at({"metadata", "name"}).as_string();
  if (contains(excluded_, name)) return false;
  if (!labels_.matches(cluster.at({"metadata", "labels"}))) return false;
  if (!matches_zones(cluster.at({"spec", "zones"})) || !matches_fields(cluster["spec"])) return false;
  return names_.empty() || contains(names_, name);
}

bool ClusterAffinity::matches_zones(const Json& zones) const {
  return std::all_of(zones_.begin(), zones_.end(), [&](const ZoneTerm& term) {
    const auto zone_list = zones.elements();
    const bool overlap = std::any_of(zone_list.begin(), zone_list.end(), [&](const Json& zone) {
      return contains(term.values, zone.as_string());
    });
    if (term.op == "In") return overlap;
    if (term.op == "NotIn") return !overlap;
    if (term.op == "Exists") return !zones.empty();
    if (term.op == "DoesNotExist") return zones.empty();
    return false;
  });
}

bool ClusterAffinity::matches_fields(const Json& spec) const {
  const LabelSelector::Lookup field = [&](std::string_view key) -> std::optional<std::string_view> {
    if (key != "provider" && key != "region") return std::nullopt;
    const std::string_view value = spec[key].as_string();
    if (value.empty()) return std::nullopt;
    return value;
  };
  return fields_.matches(field);
}

}  // namespace flotilla::api
