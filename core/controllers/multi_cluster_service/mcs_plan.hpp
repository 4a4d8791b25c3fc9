// SPDX-License-Identifier: Apache-2.0
// MultiClusterService: which clusters offer a service and which use it, and the objects that follow. Pure.
#pragma once

#include <set>
#include <string>

#include "core/api/json.hpp"

namespace flotilla::controllers {

inline constexpr std::string_view kMultiClusterServiceKind = "MultiClusterService";

bool is_cross_cluster(const api::Json& mcs);
// Those that are named, or all there are.
std::set<std::string> provider_clusters(const api::Json& mcs, const std::set<std::string>& all);
std::set<std::string> consumer_clusters(const api::Json& mcs, const std::set<std::string>& all);

// A Work that is never sent: it says that endpoint slices are to be collected from the cluster.
api::Json marker_work(const api::Json& mcs, const std::string& cluster);
std::string marker_work_name(std::string_view ns, std::string_view service);

// Takes the Service from the policies and gives it to the MultiClusterService. False: it has it.
bool claim_service(api::Json& service, const api::Json& mcs);
bool release_service(api::Json& service);

// The binding that brings the Service to these clusters.
api::Json service_binding(const api::Json& service, const api::Json& mcs,
                          const std::set<std::string>& clusters);
// Leaves what the scheduler decided. False: nothing to do.
bool renew_service_binding(api::Json& binding, const api::Json& wanted);
bool release_service_binding(api::Json& binding);

// The Work that brings a slice, collected from `provider`, to `consumer`.
api::Json dispatched_work(const api::Json& collected, const api::Json& mcs, const std::string& provider,
                          const std::string& consumer);

}  // namespace flotilla::controllers
