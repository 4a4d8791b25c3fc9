// SPDX-License-Identifier: Apache-2.0
// What is sent to a cluster, and which policy and rule is behind each part of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/planning/blame.hpp"
#include "core/planning/subject.hpp"

namespace flotilla::planning {

// Somebody who has changed the manifest.
struct Hand {
  std::string who;   // "OverridePolicy default/web", "PropagationPolicy default/web", "flotilla"
  std::string what;  // "overrideRules[0].overriders.imageOverrider", "12 replicas divided: 4 here"
};

struct RenderedManifest {
  std::string cluster;
  bool is_target = true;
  bool suspended = false;
  Json manifest;
  std::optional<Error> failure;
  std::vector<Hand> hands;  // hands[0] is the template
  Blame blame;
};

// For these clusters; none given: all targets. A cluster that is no target is shown as if it were one.
// Errors: NotFound, when there is no template or no binding.
Result<std::vector<RenderedManifest>> render(const Sources& sources, const Subject& subject,
                                             const std::vector<std::string>& clusters);

// [{cluster, manifest, hands: [{who, what}], blame: [{pointer, by}], removed: [{pointer, by}]}].
Json to_json(const std::vector<RenderedManifest>& rendered);

}  // namespace flotilla::planning
