// SPDX-License-Identifier: Apache-2.0
// ResourceQuota: a request pays before it is stored. The charge is a write of the quota's status with
// compare-and-swap, so two requests never spend the same rest.
#pragma once

#include "core/apiserver/admission/attributes.hpp"
#include "core/async/task.hpp"
#include "core/store/store.hpp"

namespace flotilla::apiserver {

// Cheap: whether charge_quotas could have anything to do.
bool may_have_quota(const store::Store& store, const Resource& resource);
// Errors: Forbidden ("exceeded quota: ..."); Conflict when others spend at the same time again and again.
Task<Status> charge_quotas(store::Store& store, AttributesPtr attributes, WallTime now);

}  // namespace flotilla::apiserver
