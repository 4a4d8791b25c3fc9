// SPDX-License-Identifier: Apache-2.0
// Scale, eviction, binding, tokens, logs: what is neither an object nor its status (k8s-api 2.4).
#pragma once

#include "core/api/scale.hpp"
#include "core/apiserver/write/writes.hpp"

namespace flotilla::apiserver {

Task<http::Response> serve_scale(ServerPtr server, CallPtr call);
using api::scale_of;
using api::set_scale;
Task<http::Response> serve_eviction(ServerPtr server, CallPtr call);
Task<http::Response> serve_pod_binding(ServerPtr server, CallPtr call);
Task<http::Response> serve_token(ServerPtr server, CallPtr call);
// log, exec, attach, portforward of pods that no node runs.
http::Response serve_pod_connect(const Server& server, const Call& call);
// Access and token reviews: answered, never stored (k8s-api 10.7).
http::Response serve_review(Server& server, Call& call);

}  // namespace flotilla::apiserver
