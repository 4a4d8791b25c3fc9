// SPDX-License-Identifier: Apache-2.0
// How a simulated cluster behaves. Keys of the configuration: simulation.*
#pragma once

#include <cstdint>
#include <string>

#include "core/base/clock.hpp"

namespace flotilla::simulation {

struct NodeSettings {
  std::string cpu = "32";
  std::string memory = "128Gi";
  std::string pods = "110";
};

struct DelaySettings {
  Duration pod_start = std::chrono::milliseconds(20);  // bound to a node -> containers run
  Duration pod_ready = std::chrono::milliseconds(20);  // run -> Ready
  Duration pod_stop = std::chrono::milliseconds(20);   // deleted -> gone
  Duration job = std::chrono::milliseconds(500);       // a container that ends: how long it runs
  Duration volume = std::chrono::milliseconds(10);     // claim -> Bound
};

struct Settings {
  int nodes = 3;
  NodeSettings node;
  DelaySettings delay;
  double failure_rate = 0;  // share of pods whose containers crash instead of running
  std::uint64_t seed = 1;   // equal seeds, equal names, addresses and failures
  std::string node_version = "v1.32.4";
};

// On a pod (or a template): "crash" containers restart for ever, "image" the image cannot be pulled,
// "unready" runs but never becomes Ready, "exit" ends with code 1.
inline constexpr std::string_view kFailAnnotation = "simulation.flotilla.io/fail";

}  // namespace flotilla::simulation
