// SPDX-License-Identifier: Apache-2.0
// FederatedResourceQuota: what clusters are told of it, and what it says of itself. Pure.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::controllers {

// One Work with a ResourceQuota for each static assignment whose cluster exists.
std::vector<api::Json> quota_works(const api::Json& quota,
                                   const std::function<bool(std::string_view cluster)>& exists);
// The labels by which the Works of a quota are found.
api::Json quota_work_labels(std::string_view ns, std::string_view name);

// status.aggregatedStatus: what the clusters' quotas answered, ascending by cluster. Works that are not
// applied, or not reported yet, are left out. Errors: Invalid.
Result<api::Json> aggregated_quota_status(const std::vector<api::Json>& works);

// The status that follows from what the clusters use. `enforced`: overall and overallUsed are not decided
// here.
Result<api::Json> quota_status_of_clusters(const api::Json& quota, const std::vector<api::Json>& works,
                                           bool enforced);
// The status that follows from what the bindings of the namespace ask for, in what overall limits.
Result<api::Json> quota_status_of_bindings(const api::Json& quota, const std::vector<api::Json>& bindings);

}  // namespace flotilla::controllers
