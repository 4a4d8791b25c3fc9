// SPDX-License-Identifier: Apache-2.0
// Passing requests on to extension API servers, and finding out whether they are there.
#pragma once

#include "core/apiserver/aggregation/aggregator.hpp"
#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// The request as it came, with the user in X-Remote-* headers; the answer streams.
Task<http::Response> serve_remote(ServerPtr server, CallPtr call, RemotePtr remote);
// Looks after the condition Available of every APIService for as long as the fiber runs.
Task<void> run_aggregation(ServerPtr server);
// ConfigMap kube-system/extension-apiserver-authentication: how a backend knows our users.
Task<Status> publish_authentication(ServerPtr server);

// The connections to a backend. Errors: as resolve_service.
Result<std::shared_ptr<http::Client>> client_of_remote(const Server& server, const RemoteVersion& remote);
// A GET that this server sends for itself.
http::ClientRequest aggregator_request(std::string target, Duration timeout);
// Headers that tell a backend who asks.
void add_remote_user(http::Headers& headers, const UserInfo& user);

}  // namespace flotilla::apiserver
