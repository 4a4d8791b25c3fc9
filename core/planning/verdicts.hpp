// SPDX-License-Identifier: Apache-2.0
// The scheduler asked again, now, with its record: what it finds of every cluster. Nothing is written.
#pragma once

#include <map>
#include <string>

#include "core/planning/engine.hpp"
#include "core/planning/subject.hpp"

namespace flotilla::planning {

struct ClusterVerdict {
  bool fits = false;
  std::string reason;  // why it does not fit
  std::string policy;  // whose verdict that is
  std::int64_t score = 0;
  std::int64_t room = 0;      // further replicas it could take
  bool selected = false;      // by spread constraints
  bool chosen = false;        // would be a target if it were decided now
  std::int64_t replicas = 0;  // as decided now
};

struct Verdicts {
  std::map<std::string, ClusterVerdict> clusters;
  std::string failure;        // why there would be no decision
  std::string affinity_name;  // the term of clusterAffinities in use
};

// Thread: as Sources::policies.
Verdicts ask_scheduler(const Sources& sources, const Json& binding);
// The same of an engine.
Verdicts ask_scheduler(Engine& engine, const Json& binding);
// Of this cluster alone.
ClusterVerdict ask_about(Engine& engine, const Json& binding, const std::string& cluster);

}  // namespace flotilla::planning
