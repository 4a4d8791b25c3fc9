// SPDX-License-Identifier: Apache-2.0
// What was taken from clusters, or is about to be, and for what cause: as the guard of removals wrote it down
// on Works and bindings, and as events tell it.
#pragma once

#include <string>
#include <string_view>

#include "core/planning/subject.hpp"

namespace flotilla::planning {

// [{time, cluster?, reason, message, held?}], newest first. `only`: one cluster; empty: all.
Json removals_of(const Sources& sources, const Subject& subject, const std::string& only);

// Events about the template, its binding and its Works. {event, of: "template"|"binding"|cluster}.
struct SubjectEvent {
  ObjectPtr event;
  std::string lane;
};
std::vector<SubjectEvent> events_of(const Sources& sources, const Subject& subject);
// When it happened last.
std::string event_time(const Json& event);

}  // namespace flotilla::planning
