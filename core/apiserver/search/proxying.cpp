// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "core/api/karmada.hpp"
#include "core/apiserver/cluster_proxy/cluster_proxy.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/routing.hpp"
#include "core/apiserver/search/fleet.hpp"
#include "core/apiserver/search/search.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};
// As whom the proxy asks this server.
constexpr const char* kProxyUser = "system:karmada:search";

bool reads(const RequestInfo& info) {
  return info.subresource.empty() && (info.verb == "get" || info.verb == "list" || info.verb == "watch");
}

bool is_cached(const FleetRequest& request) {
  return request.topic && reads(request.info);
}
bool is_of_a_member(const FleetRequest& request) {
  return request.topic != nullptr;
}
bool is_any(const FleetRequest&) {
  return true;
}

Task<http::Response> serve_from_cache(ServerPtr server, CallPtr call, FleetRequest request) {
  if (!call->not_acceptable.is(Code::Ok)) co_return error_response(*call, call->not_acceptable);
  call->info = std::move(request.info);
  call->resource = as_shown(*request.topic->resource, call->media.shape);
  if (!call->resource->namespaced) call->info.ns.clear();
  Task<http::Response> serving;
  if (call->info.verb == "watch") {
    serving = serve_fleet_watch(server, call, std::move(request.topic));
  } else if (call->info.in_collection()) {
    serving = serve_fleet_list(server, call, std::move(request.topic));
  } else {
    serving = serve_fleet_get(server, call, std::move(request.topic));
  }
  co_return co_await std::move(serving);
}

UserInfo proxy_user() {
  UserInfo user;
  user.name = kProxyUser;
  user.groups = {std::string(kMasters), std::string(kAuthenticated)};
  return user;
}

Task<http::Response> serve_from_here(ServerPtr server, CallPtr call, FleetRequest request) {
  call->request.path = std::move(request.path);
  call->info = std::move(request.info);
  if (!server->fleet.proxy_as_user) call->user = proxy_user();
  auto routing = route(server, call);
  co_return co_await std::move(routing);
}

// The first that supports a request answers it.
struct ProxyStep {
  int order;
  bool (*supports)(const FleetRequest& request);
  Task<http::Response> (*serve)(ServerPtr server, CallPtr call, FleetRequest request);
};
constexpr ProxyStep kChain[] = {
    {1000, is_cached, serve_from_cache},
    {2000, is_of_a_member, serve_at_owner},
    {3000, is_any, serve_from_here},
};

FleetRequest read_fleet_request(const Server& server, const Call& call) {
  FleetRequest request;
  request.path = proxied_path(call.request.path);
  request.info = proxied_request(call);
  const RequestInfo& info = request.info;
  if (info.is_resource) request.topic = server.fleet.cache->topic({info.group, info.version, info.resource});
  return request;
}

}  // namespace

bool is_proxying(const Server& server, const Call& call) {
  const RequestInfo& info = call.info;
  return server.fleet.cache && server.fleet.proxy && info.is_resource && info.group == api::groups::kSearch &&
         info.version == "v1alpha1" && info.resource == "proxying" && info.ns.empty() &&
         !info.subresource.empty() && !info.legacy_watch;
}

Task<http::Response> serve_proxying(ServerPtr server, CallPtr call) {
  const auto known = std::find(std::begin(kMethods), std::end(kMethods), call->request.method);
  if (known == std::end(kMethods)) co_return error_response(*call, method_not_allowed());
  FleetRequest request = read_fleet_request(*server, *call);
  for (const ProxyStep& step : kChain) {
    if (!step.supports(request)) continue;
    auto serving = step.serve(server, call, std::move(request));
    co_return co_await std::move(serving);
  }
  co_return page_not_found();
}

}  // namespace flotilla::apiserver
