// SPDX-License-Identifier: Apache-2.0
// What members really have: compared with each other, or with what they were sent.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/planning/subject.hpp"

namespace flotilla::planning {

struct LiveObject {
  std::string cluster;
  std::optional<Json> object;
  std::string state;    // present, absent, unknown (not reached)
  std::string message;  // why unknown
};

// Asks each member, one after the other. Those that are not attached or not Ready are not waited for.
Task<std::vector<LiveObject>> read_live(const Sources* sources, Subject subject,
                                        std::vector<std::string> clusters);

// Which fields differ among the members: [{path, values: {cluster: value}, because: {cluster: text}}].
// Status and what each member decides itself are left out.
Json compare_members(const Sources& sources, const Subject& subject, const std::vector<LiveObject>& live);

// Which fields a member has otherwise than it was sent: [{path, cluster, desired?, live?}]. What the member
// adds, defaults and retains does not count.
Json compare_with_desired(const Sources& sources, const Subject& subject,
                          const std::vector<LiveObject>& live);

// {kind: Diff, desired, clusters: [{cluster, state, message?}], fields}.
Json diff_to_json(const Sources& sources, const Subject& subject, const std::vector<LiveObject>& live,
                  bool desired);

}  // namespace flotilla::planning
