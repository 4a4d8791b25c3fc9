// SPDX-License-Identifier: Apache-2.0
// From a Cluster object and the Secret it names to what a driver needs.
#pragma once

#include "core/cluster/cluster_driver.hpp"

namespace flotilla::cluster {

// Which driver reaches a cluster that does not say: any conformant API server.
inline constexpr std::string_view kDefaultDriver = "kubernetes";
// On a Cluster: the name of another driver, and its settings as a JSON object.
inline constexpr std::string_view kDriverAnnotation = "cluster.flotilla.io/driver";
inline constexpr std::string_view kDriverSettingsAnnotation = "cluster.flotilla.io/driver-settings";

std::string driver_of(const Json& cluster);

// `secret` (spec.secretRef) has `token` and, unless verification is off, `caBundle`; or `client-certificate`
// and `client-key`. Null: none was named. Errors: Invalid, saying which member of which object is missing or
// broken.
Result<ClusterEndpoint> endpoint_of(const Json& cluster, const Json* secret);

bool same_endpoint(const ClusterEndpoint& a, const ClusterEndpoint& b);

}  // namespace flotilla::cluster
