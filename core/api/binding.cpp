// SPDX-License-Identifier: Apache-2.0
#include "core/api/binding.hpp"

#include <set>
#include <string_view>
#include <unordered_set>

namespace flotilla::api {

bool purges_directly(const Json& task) {
  const std::string_view mode = task["purgeMode"].as_string();
  return mode == "Directly" || mode == "Immediately";  // the older name
}

std::vector<TargetCluster> targets_of(const Json& binding) {
  std::vector<TargetCluster> targets;
  std::unordered_set<std::string_view> known;
  const auto add = [&](const Json& clusters) {
    for (const Json& cluster : clusters.elements()) {
      const std::string_view name = cluster["name"].as_string();
      if (known.insert(name).second) targets.push_back({std::string(name), cluster["replicas"].as_int()});
    }
  };
  add(binding.at({"spec", "clusters"}));
  for (const Json& dependent : binding.at({"spec", "requiredBy"}).elements()) add(dependent["clusters"]);
  return targets;
}

std::vector<std::string> clusters_with_works(const Json& binding) {
  std::set<std::string> names;
  for (TargetCluster& target : targets_of(binding)) names.insert(std::move(target.name));
  for (const Json& task : binding.at({"spec", "gracefulEvictionTasks"}).elements()) {
    if (!purges_directly(task)) names.insert(std::string(task["fromCluster"].as_string()));
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> clusters_purged_directly(const Json& binding) {
  std::vector<std::string> names;
  for (const Json& task : binding.at({"spec", "gracefulEvictionTasks"}).elements()) {
    if (purges_directly(task)) names.emplace_back(task["fromCluster"].as_string());
  }
  return names;
}

}  // namespace flotilla::api
