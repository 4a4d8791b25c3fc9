// SPDX-License-Identifier: Apache-2.0
// What an object costs in a ResourceQuota of its namespace, and which quotas it concerns. The same rules
// charge a request and add up what is there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/resource_list.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::api {

// Everything that the object uses by itself: "pods", "requests.cpu", "count/deployments.apps". `group` and
// `resource` say what it is.
ResourceList quota_cost(std::string_view group, std::string_view resource, const Json& object, WallTime now);

// Whether a name of `hard` speaks of objects of this resource.
bool quota_counts(std::string_view group, std::string_view resource, std::string_view name);

// Whether the quota speaks of this object: one of its names and all of its scopes do.
bool quota_matches(const Json& quota, std::string_view group, std::string_view resource, const Json& object);

// What a pod must say so that the names in `hard` can be counted: empty, or "must specify limits.cpu for: c".
std::string quota_missing(const Json& pod, const std::vector<std::string>& names);

// "cpu=1,pods=2" in the order of the names.
std::string quota_text(const ResourceList& amounts);

// The amounts whose names are in `names` alone.
ResourceList quota_mask(const ResourceList& amounts, const ResourceList& names);

}  // namespace flotilla::api
