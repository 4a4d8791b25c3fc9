// SPDX-License-Identifier: Apache-2.0
// How a template came to be where it is: events of template, binding and Works, changes of their conditions,
// creations and deletions, the clusters' own Ready; in one order, each in its lane.
#pragma once

#include "core/planning/subject.hpp"

namespace flotilla::planning {

// [{time, lane, what: created|deleting|event|condition|scheduled, object, type, reason, message, count?}],
// oldest first, at most `most` of the newest. A lane is "template", "binding" or a cluster.
Json timeline_of(const Sources& sources, const Subject& subject, std::size_t most);

}  // namespace flotilla::planning
