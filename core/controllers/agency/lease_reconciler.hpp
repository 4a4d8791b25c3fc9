// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/controllers/agency.hpp"

namespace flotilla::controllers {

// The Lease of an agent, as it is to be: renewed `now`. `lease` is what is there, null: nothing.
Json renewed_lease(const Json& lease, const Json& cluster, Duration duration, WallTime now);

// Root: the Cluster that the agent speaks for. Wakes on: it, and every cluster_lease_duration times
// cluster_lease_renew_interval_fraction. Writes: the Lease karmada-cluster/NAME, which belongs to the
// Cluster. Holds: it begins when the member was seen healthy, and goes on as long as the agent runs. Ends:
// with the Cluster, whose Lease is collected.
class LeaseReconciler final : public LoopController {
 public:
  explicit LeaseReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;
};

// Root: the Cluster that the agent speaks for. Wakes on: it, and every cert_rotation_checking_interval.
// Writes: a CertificateSigningRequest, then the kubeconfig that the agent uses, through
// Agency::renew_certificate. Ends: the Cluster goes.
class CertificateRotationReconciler final : public LoopController {
 public:
  explicit CertificateRotationReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;
};

}  // namespace flotilla::controllers
