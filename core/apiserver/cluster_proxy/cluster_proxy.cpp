// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/cluster_proxy/cluster_proxy.hpp"

#include <algorithm>

#include "core/api/karmada.hpp"
#include "core/apiserver/aggregation/passing.hpp"
#include "core/apiserver/response.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};

std::string with_query(std::string path, const std::string& query) {
  return query.empty() ? path : path + "?" + query;
}

}  // namespace

bool is_cluster_proxy(const Call& call) {
  const RequestInfo& info = call.info;
  return info.is_resource && info.subresource == "proxy" && info.resource == "clusters" && info.ns.empty() &&
         info.group == api::groups::kCluster && !info.legacy_watch &&
         call.served->registry.find_resource(info.group, info.version, info.resource) != nullptr;
}

// /apis/GROUP/VERSION/clusters/NAME/proxy are six segments.
std::string proxied_path(std::string_view path) {
  for (int segment = 0; segment < 6; ++segment) {
    const auto slash = path.find('/', 1);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
  }
  return path.empty() ? "/" : std::string(path);
}

RequestInfo proxied_request(const Call& call) {
  return read_request(call.request.method, proxied_path(call.request.path), call.query);
}

Result<MemberRoute> route_to_member(Server& server, const Json& cluster) {
  const auto find_secret = [&server](const std::string& ns, const std::string& name) {
    return server.store.get(store::collection_of("", "secrets"), ns, name);
  };
  auto access = read_member_access(cluster, find_secret);
  if (!access) return std::move(access).error();
  const std::string name(api::name_of(cluster));
  return MemberRoute{server.members.client(server.executor, name, std::move(access->options)),
                     std::move(access->token)};
}

Task<http::Response> pass_to_member(CallPtr call, MemberRoute route) {
  http::ClientRequest request =
      forwarded_request(*call, with_query(proxied_path(call->request.path), call->request.query));
  add_impersonation(request.headers, call->user, route.token);
  auto passing = pass_on(call, std::move(route.client), std::move(request));
  co_return co_await std::move(passing);
}

Task<http::Response> serve_cluster_proxy(ServerPtr server, CallPtr call) {
  const auto known = std::find(std::begin(kMethods), std::end(kMethods), call->request.method);
  if (known == std::end(kMethods)) co_return error_response(*call, method_not_allowed());
  const std::string& name = call->info.name;
  if (name == "*") {
    auto asking = serve_all_clusters(server, call);
    co_return co_await std::move(asking);
  }
  const ObjectPtr cluster =
      server->store.get(store::collection_of(api::groups::kCluster, "clusters"), "", name);
  if (!cluster) {
    co_return error_response(*call, object_not_found({std::string(api::groups::kCluster), "clusters"}, name));
  }
  auto route = route_to_member(*server, *cluster->content());
  if (!route) co_return error_response(*call, route.error());
  auto passing = pass_to_member(call, *std::move(route));
  co_return co_await std::move(passing);
}

}  // namespace flotilla::apiserver
