// SPDX-License-Identifier: Apache-2.0
// karmada-search inside the daemon: what of it is in discovery, and what keeps its caches.
#pragma once

#include "core/api/schema/registry.hpp"
#include "core/apiserver/api_server.hpp"
#include "core/search/fleet_keeper.hpp"
#include "core/search/options.hpp"

namespace flotilla::daemon {

// Adds search and proxying to what is served, as far as they are wanted.
void add_search_resources(const search::Options& options, api::Registry& registry);

// Null: neither is wanted. Before the informers of `context` start.
std::unique_ptr<search::FleetKeeper> make_fleet_keeper(search::KeeperContext context,
                                                       const search::Options& options);
apiserver::FleetAccess fleet_access(const search::FleetKeeper& keeper, const search::Options& options);

}  // namespace flotilla::daemon
