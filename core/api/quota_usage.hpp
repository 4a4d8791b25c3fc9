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

}  // namespace flotilla::api
