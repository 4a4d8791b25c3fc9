// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/scheduler_profiles.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace flotilla::controllers {
namespace {

using api::Json;

constexpr std::int64_t kMostWeight = 1000;

// "TaintToleration", "taint_toleration" and "taint-toleration" are one.
std::string folded(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c != '_' && c != '-') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return plain;
}

Error wrong(const std::string& where, const std::string& what) {
  return {Code::Invalid, where + ": " + what};
}

Result<std::map<std::string, std::int32_t>> read_weights(const Json& json, const std::string& where) {
  std::map<std::string, std::int32_t> weights;
  if (!json.is_null() && !json.is_object()) return wrong(where, "must be a map of plugins to whole numbers");
  for (const auto& [name, weight] : json.members()) {
    if (!weight.is_int() || weight.as_int() < 0 || weight.as_int() > kMostWeight) {
      return wrong(where + "." + std::string(name),
                   "must be a whole number from 0 to " + std::to_string(kMostWeight));
    }
    weights[folded(name)] = static_cast<std::int32_t>(weight.as_int());
  }
  return weights;
}

Result<SchedulerProfile> read_profile(std::string_view name, const Json& json, const std::string& where) {
  SchedulerProfile profile;
  profile.name = name;
  if (!json.is_object()) return wrong(where, "must be a map with plugins and weights");
  for (const auto& [key, value] : json.members()) {
    if (key != "plugins" && key != "weights")
      return wrong(where, "unknown key \"" + std::string(key) + "\"; there are plugins and weights");
  }
  if (const Json* plugins = json.find("plugins")) {
    if (!plugins->is_array()) return wrong(where + ".plugins", "must be a list of names");
    profile.plugins.clear();
    for (const Json& name : plugins->elements()) profile.plugins.emplace_back(name.as_string());
  }
  auto weights = read_weights(json["weights"], where + ".weights");
  if (!weights) return weights.error();
  profile.weights = *std::move(weights);
  return profile;
}

}  // namespace

Result<std::vector<SchedulerProfile>> scheduler_profiles(const Options& options) {
  std::vector<SchedulerProfile> profiles(1);
  profiles[0].name = options.scheduler_name;
  profiles[0].plugins = options.scheduler_plugins;
  auto weights = read_weights(options.scheduler_weights, "scheduler.weights");
  if (!weights) return weights.error();
  profiles[0].weights = *std::move(weights);
  const Json& further = options.scheduler_profiles;
  if (!further.is_null() && !further.is_object())
    return wrong("scheduler.profiles", "must be a map of names to profiles");
  for (const auto& [name, value] : further.members()) {
    const std::string where = "scheduler.profiles." + std::string(name);
    if (name == options.scheduler_name) return wrong(where, "is the name of controllers.scheduler_name");
    auto profile = read_profile(name, value, where);
    if (!profile) return profile.error();
    profiles.push_back(*std::move(profile));
  }
  return profiles;
}

Result<std::vector<ChosenPlugin>> choose_plugins(const SchedulerProfile& profile,
                                                 std::span<const std::string> available) {
  const auto find = [&](std::string_view name) {
    return std::find_if(available.begin(), available.end(),
                        [&](const std::string& each) { return folded(each) == folded(name); });
  };
  const auto unknown = [&](std::string_view name) {
    return wrong("scheduler " + profile.name, "there is no scheduling plugin " + std::string(name));
  };
  std::vector<std::string> chosen;
  std::set<std::string> left_out;
  bool all = false;
  for (const std::string& listed : profile.plugins) {
    if (listed == "*") {
      all = true;
      continue;
    }
    const bool takes_away = listed.starts_with('-');
    const std::string_view name = takes_away ? std::string_view(listed).substr(1) : listed;
    const auto found = find(name);
    // What is not there need not be left out.
    if (found == available.end() && !takes_away) return unknown(name);
    if (found == available.end()) continue;
    if (takes_away) {
      left_out.insert(*found);
    } else if (std::find(chosen.begin(), chosen.end(), *found) == chosen.end()) {
      chosen.push_back(*found);
    }
  }
  for (const std::string& name : available) {
    if (all && std::find(chosen.begin(), chosen.end(), name) == chosen.end()) chosen.push_back(name);
  }
  std::vector<ChosenPlugin> plugins;
  for (const std::string& name : chosen) {
    if (left_out.contains(name)) continue;
    const auto weight = profile.weights.find(folded(name));
    plugins.push_back({name, weight == profile.weights.end() ? 1 : weight->second});
  }
  for (const auto& [name, weight] : profile.weights) {
    if (find(name) == available.end()) return unknown(name);
  }
  return plugins;
}

}  // namespace flotilla::controllers
