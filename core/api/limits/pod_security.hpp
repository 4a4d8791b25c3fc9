// SPDX-License-Identifier: Apache-2.0
// The Pod Security Standards: what a pod does that the levels baseline and restricted forbid.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"

namespace flotilla::api {

enum class PodSecurityLevel : std::uint8_t { Privileged, Baseline, Restricted };

// Unknown words are Privileged: `known` says so.
PodSecurityLevel pod_security_level(std::string_view word, bool* known = nullptr);

// The newest version of the standards that is known; later ones are the same here.
inline constexpr int kNewestPodSecurity = 32;
// "latest" or "v1.24": the minor version. Nothing: neither.
std::optional<int> pod_security_version(std::string_view text);

// One entry per check that forbids the pod: "privileged (container "c" must not set
// securityContext.privileged=true)". Empty: the level allows it.
std::vector<std::string> pod_security_faults(PodSecurityLevel level, int version, const Json& pod_metadata,
                                             const Json& pod_spec);

// The metadata and the spec of the pods that a workload makes; null where it makes none.
struct PodTemplate {
  const Json* metadata = nullptr;
  const Json* spec = nullptr;
};
PodTemplate pod_template_of(std::string_view group, std::string_view resource, const Json& object);

}  // namespace flotilla::api
