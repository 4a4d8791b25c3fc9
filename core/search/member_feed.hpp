// SPDX-License-Identifier: Apache-2.0
// Fills a ResourceCache from its member, for as long as the fiber runs.
#pragma once

#include "core/cluster/registry.hpp"
#include "core/search/registries.hpp"
#include "core/search/resource_cache.hpp"

namespace flotilla::search {

// Waits for the member to be attached, and to be attached anew. `clusters` outlives the fiber. `scope`: what
// has to be known of the resource; of several namespaces all are listed and the others left out.
Task<void> feed_cache(cluster::ClusterRegistry* clusters, ResourceCachePtr cache, Namespaces scope);

}  // namespace flotilla::search
