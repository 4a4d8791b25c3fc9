// SPDX-License-Identifier: Apache-2.0
// /apis/cluster.karmada.io/v1alpha1/clusters/NAME/proxy/PATH: the API of a member, as the user that asks.
// The name "*" stands for all members: an object is sought in each, a list is all their lists.
#pragma once

#include "core/apiserver/cluster_proxy/member_access.hpp"
#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

bool is_cluster_proxy(const Call& call);
// PATH with a leading slash, still encoded, without the query.
std::string proxied_path(std::string_view path);
// What the request is in the member.
RequestInfo proxied_request(const Call& call);

// After authorization. Errors are answers.
Task<http::Response> serve_cluster_proxy(ServerPtr server, CallPtr call);

// For cluster_proxy.cpp and all_clusters.cpp.
struct MemberRoute {
  std::shared_ptr<http::Client> client;
  std::string token;
};
Result<MemberRoute> route_to_member(Server& server, const Json& cluster);
// The request as it came, as its user.
Task<http::Response> pass_to_member(CallPtr call, MemberRoute route);
// Of a resource, in every member that is Ready.
Task<http::Response> serve_all_clusters(ServerPtr server, CallPtr call);
// The path of the object that `info` is about, without subresource, of a path that read_request read.
std::string object_path(std::string_view path, const RequestInfo& info);
// Lists or Tables of one kind, joined in their order; what cannot be read is left out. Null: none can.
Json join_lists(const std::vector<std::string>& bodies);

}  // namespace flotilla::apiserver
