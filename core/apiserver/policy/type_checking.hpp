// SPDX-License-Identifier: Apache-2.0
// status.typeChecking of an admission policy: what its expressions would complain about if `object` had the
// types that the policy is meant for.
#pragma once

#include "core/api/schema/registry.hpp"

namespace flotilla::apiserver {

// {} or {"expressionWarnings": [...]}. Kinds named with a wildcard are not looked at.
api::Json type_checking_of(const api::Json& policy, const api::Registry& registry);

}  // namespace flotilla::apiserver
