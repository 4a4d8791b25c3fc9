// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "core/api/conditions.hpp"
#include "core/api/karmada.hpp"
#include "core/apiserver/cluster_proxy/cluster_proxy.hpp"
#include "core/apiserver/response.hpp"
#include "core/async/together.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::size_t kAtOnce = 64;
constexpr Duration kPatience = std::chrono::seconds(10);
constexpr api::ParseLimits kLimits{256u << 20, 512};

// What one member said to a question of ours.
struct Reply {
  std::string cluster;
  MemberRoute route;
  std::optional<http::ClientResponse> response;  // none: it cannot be asked
};
using Replies = std::shared_ptr<std::vector<Reply>>;

Task<void> ask(Replies replies, std::size_t index, UserInfo user, http::ClientRequest request) {
  const MemberRoute& route = (*replies)[index].route;
  add_impersonation(request.headers, user, route.token);
  auto sending = route.client->send(std::move(request));
  auto answer = co_await std::move(sending);
  if (answer) (*replies)[index].response = *std::move(answer);
}

// Those that can be asked now, by name.
std::vector<Reply> members_to_ask(Server& server) {
  std::vector<Reply> found;
  const auto clusters = store::collection_of(api::groups::kCluster, "clusters");
  for (const ObjectPtr& cluster : server.store.list(clusters).objects) {
    const auto content = cluster->content();
    if (!api::is_condition_true((*content)["status"]["conditions"], api::conditions::kReady)) continue;
    auto route = route_to_member(server, *content);
    if (route) found.push_back({cluster->name(), *std::move(route), std::nullopt});
  }
  return found;
}

// Only the members that said 200.
Task<std::vector<Reply>> ask_all(ServerPtr server, CallPtr call, std::string target, std::string accept) {
  auto replies = std::make_shared<std::vector<Reply>>(members_to_ask(*server));
  std::vector<Task<void>> questions;
  for (std::size_t i = 0; i < replies->size(); ++i) {
    http::ClientRequest request;
    request.target = target;
    request.headers.set("Accept", accept);
    request.timeout = kPatience;
    questions.push_back(ask(replies, i, call->user, std::move(request)));
  }
  auto asking = run_together(std::move(questions), kAtOnce);
  co_await std::move(asking);
  std::vector<Reply> good;
  for (Reply& reply : *replies) {
    if (reply.response && reply.response->status == 200) good.push_back(std::move(reply));
  }
  co_return good;
}

Task<http::Response> serve_named(ServerPtr server, CallPtr call, RequestInfo info) {
  auto asking =
      ask_all(server, call, object_path(proxied_path(call->request.path), info), "application/json");
  std::vector<Reply> owners = co_await std::move(asking);
  if (owners.empty()) {
    co_return error_response(*call,
                             Error(Code::NotFound, "resource not found or don't have permission to get it"));
  }
  if (owners.size() > 1) {
    std::string names;
    for (const Reply& owner : owners) names += (names.empty() ? "" : ",") + owner.cluster;
    co_return error_response(
        *call, Error(Code::Conflict, "conflict resource, exist in more than one cluster: " + names));
  }
  auto passing = pass_to_member(call, std::move(owners.front().route));
  co_return co_await std::move(passing);
}

// Tables are joined too, for those who print them.
std::string accepted(const Call& call) {
  const std::string_view wanted = call.request.headers.get("Accept");
  return wanted.find("as=Table") == std::string_view::npos ? "application/json" : std::string(wanted);
}

Task<http::Response> serve_list(ServerPtr server, CallPtr call, RequestInfo info) {
  if (info.verb != "list") {
    co_return error_response(*call,
                             Error(Code::Unsupported, "Request verb " + info.verb + " is not support"));
  }
  std::string target = proxied_path(call->request.path);
  if (!call->request.query.empty()) target += "?" + call->request.query;
  auto asking = ask_all(server, call, std::move(target), accepted(*call));
  std::vector<Reply> replies = co_await std::move(asking);
  std::vector<std::string> bodies;
  for (Reply& reply : replies) bodies.push_back(std::move(reply.response->body));
  const Json joined = join_lists(bodies);
  if (joined.is_null()) co_return error_response(*call, Error(Code::NotFound, "not found"));
  http::Response response;
  response.headers.set("Content-Type", "application/json");
  response.body.push_back(http::Chunk::of(joined.dump() + "\n"));
  co_return response;
}

}  // namespace

std::string object_path(std::string_view path, const RequestInfo& info) {
  const bool in_namespace = !info.ns.empty() && !(info.group.empty() && info.resource == "namespaces");
  int segments = (info.group.empty() ? 2 : 3) + (in_namespace ? 2 : 0) + 2;
  std::size_t end = 0;
  while (segments-- > 0 && end != std::string_view::npos) end = path.find('/', end + 1);
  return std::string(path.substr(0, end));
}

Json join_lists(const std::vector<std::string>& bodies) {
  Json joined;
  for (const std::string& body : bodies) {
    auto list = Json::parse(body, kLimits);
    if (!list || !list->is_object()) continue;
    if (joined.is_null()) {
      joined = *std::move(list);
      continue;
    }
    if (!(std::as_const(*list)["kind"] == std::as_const(joined)["kind"])) continue;
    const char* const of = std::as_const(joined)["kind"].as_string() == "Table" ? "rows" : "items";
    for (const Json& one : std::as_const(*list)[of].elements()) joined[of].push_back(one);
  }
  return joined;
}

Task<http::Response> serve_all_clusters(ServerPtr server, CallPtr call) {
  RequestInfo info = proxied_request(*call);
  Task<http::Response> serving = info.in_collection() ? serve_list(server, call, std::move(info))
                                                      : serve_named(server, call, std::move(info));
  co_return co_await std::move(serving);
}

}  // namespace flotilla::apiserver
