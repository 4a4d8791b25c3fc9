// SPDX-License-Identifier: Apache-2.0
// What the scheduler has decided, as resources of flotilla.io (core/planning/decisions.hpp).
#pragma once

#include "core/apiserver/api_server.hpp"
#include "core/store/store.hpp"
#include "core/store/writer.hpp"

namespace flotilla::daemon {

// Adds them to what is served by `options`, whose registry becomes `registry`; that outlives the server.
void serve_decisions(store::Store& store, api::Registry& registry, apiserver::ApiServerOptions& options);

// Whoever has the role view may read them: a ClusterRole that is aggregated to it.
Task<Status> grant_decisions(store::Store& store, store::Writer& writer);

}  // namespace flotilla::daemon
