// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/api/json.hpp"
#include "core/base/result.hpp"

namespace flotilla::api {

// ResourceBinding and ClusterResourceBinding between work.karmada.io/v1alpha1 and v1alpha2 (`to_version`
// without the group). What the older version has no place for is lost. Errors: BadRequest for other versions.
Result<Json> convert_binding(const Json& binding, std::string_view to_version);

}  // namespace flotilla::api
