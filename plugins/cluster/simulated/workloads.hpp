// SPDX-License-Identifier: Apache-2.0
// What a real cluster's controllers would make of an object, without the pods in between. Pure.
#pragma once

#include <flotilla/sdk/json.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "catalog.hpp"

namespace flotilla::simulated {

using sdk::Json;

struct Settings {
  int nodes = 3;
  std::string node_cpu = "8";
  std::string node_memory = "32Gi";
  int node_pods = 110;
  std::int64_t ready_delay_ms = 0;
  std::string version = "v1.32.4";
  bool unreachable = false;  // every operation fails with UNAVAILABLE

  // Members that are not there keep the value of `otherwise`.
  static Settings from(const Json& config, const Settings& otherwise);
};

// What the API server fills in when it stores a new object or an update of `old` (null: a new one).
void set_defaults(const Resource& resource, Json& object, const Json* old, std::uint64_t number);

// True if this object has a status that comes later. The status is empty where nothing is to be said.
bool has_controller(const Resource& resource);
Json status_of(const Resource& resource, const Json& object, const Settings& settings,
               const std::string& now);

// The nodes of the member and the pods of a workload, made up when somebody asks.
Json make_node(const Settings& settings, int index);
std::vector<Json> make_pods(const Resource& resource, const Json& workload, const Settings& settings);

}  // namespace flotilla::simulated
