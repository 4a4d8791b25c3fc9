// SPDX-License-Identifier: Apache-2.0
// What of the world a plan depends on, as a number that changes when that does.
#pragma once

#include <map>
#include <string>

#include "core/planning/rehearsal.hpp"

namespace flotilla::planning {

// Of one object. What only reports (status, except what scheduling reads of clusters) does not count: a pod
// that becomes ready must not make a plan stale.
std::string token_of(const Collection& collection, const ObjectPtr& object);

// Whether what was read is still so.
bool still_holds(const store::Store& store, const std::map<Key, ObjectPtr>& reads);

// "plan-" and 16 hexadecimal digits.
std::string plan_id(const std::map<Key, ObjectPtr>& reads, const std::vector<std::string>& request);

// plan.resourceVersionSet: at most `most` of them, with the number of all.
Json resource_versions(const std::map<Key, ObjectPtr>& reads, std::size_t most);

}  // namespace flotilla::planning
