// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/api/json.hpp"
#include "core/api/resource_list.hpp"
#include "core/base/result.hpp"

namespace flotilla::api {

// What a scheduled binding costs in a FederatedResourceQuota: the requests of one replica times the replicas
// on all clusters; where it has components, those of one set of them times the number of clusters. Errors:
// Invalid, a quantity that cannot be read.
Result<ResourceList> quota_usage(const Json& binding_spec);

// What a binding costs more (or less) than before. `before` may be null.
Result<ResourceList> quota_change(const Json& before, const Json& after);

// A FederatedResourceQuota with its new use (status.overallUsed), null where the change does not touch it.
// Errors: Forbidden with the reason QuotaExceeded.
Result<Json> charge_quota(const Json& quota, const ResourceList& change);
// The same without asking whether there is room: takes back a charge that came to nothing.
Result<Json> refund_quota(const Json& quota, const ResourceList& change);

inline constexpr std::string_view kQuotaExceeded = "QuotaExceeded";

}  // namespace flotilla::api
