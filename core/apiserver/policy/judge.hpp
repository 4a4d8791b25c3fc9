// SPDX-License-Identifier: Apache-2.0
// Asks every admission policy that is bound to a request (k8s-api 11.3). Pure memory: nothing waits.
#pragma once

#include "core/apiserver/policy/policy_registry.hpp"

namespace flotilla::apiserver {

// Warnings and audit annotations are left in `attributes`. Errors: `deployments.apps "x" is forbidden:
// ValidatingAdmissionPolicy 'p' with binding 'b' denied request: why`, with the code that the validation's
// reason has (422 where it has none).
Status judge_by_policies(const Policies& policies, AdmissionAttributes& attributes, const store::Store& store,
                         const Authorizer& authorizer);

}  // namespace flotilla::apiserver
