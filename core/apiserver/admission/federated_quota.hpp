// SPDX-License-Identifier: Apache-2.0
// FederatedResourceQuota, where it is enforced: a ResourceBinding pays for what it is scheduled to before it
// is stored. The charge is a write of the quota's status with compare-and-swap, so two bindings never spend
// the same rest.
#pragma once

#include "core/async/task.hpp"
#include "core/store/store.hpp"

namespace flotilla::apiserver {

// Cheap: whether a write of these objects could have to pay.
bool pays_federated_quota(const store::Store& store, std::string_view group, std::string_view resource);
// `before` is null on create. Errors: Forbidden with the reason QuotaExceeded; Conflict when others spend at
// the same time again and again. Nothing is charged then, nor on a dry run.
Task<Status> charge_federated_quotas(store::Store& store, std::string ns, api::Json before, api::Json after,
                                     bool dry_run);
// Takes back what a write has paid that was not stored.
Task<void> refund_federated_quotas(store::Store& store, std::string ns, api::Json before, api::Json after);

}  // namespace flotilla::apiserver
