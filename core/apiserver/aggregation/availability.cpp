// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "core/apiserver/admission/service_resolver.hpp"
#include "core/apiserver/aggregation/aggregation.hpp"
#include "core/apiserver/aggregation/local_services.hpp"
#include "core/apiserver/webhook_endpoint.hpp"
#include "core/apiserver/write/write_options.hpp"

namespace flotilla::apiserver {
namespace {

constexpr Duration kEvery = std::chrono::seconds(30);
constexpr Duration kWhileMissing = std::chrono::seconds(2);
constexpr Duration kPatience = std::chrono::seconds(6);
const store::Collection kServices = store::collection_of("apiregistration.k8s.io", "apiservices");

struct Condition {
  bool good = false;
  std::string reason, message;
};

std::string shown_service(const RemoteVersion& remote) {
  return "service/" + remote.service_name + " in \"" + remote.service_ns + "\"";
}

// What can be said without asking anybody.
std::optional<Condition> check_references(const Server& server, const RemoteVersion& remote) {
  const auto service =
      server.store.get(store::collection_of("", "services"), remote.service_ns, remote.service_name);
  if (!service) return Condition{false, "ServiceNotFound", shown_service(remote) + " is not present"};
  const auto content = service->content();
  const Json& spec = (*content)["spec"];
  if (spec["type"].as_string() == "ExternalName") return std::nullopt;
  const auto ports = spec["ports"].elements();
  if (std::none_of(ports.begin(), ports.end(),
                   [&](const Json& port) { return port["port"].as_int() == remote.port; })) {
    return Condition{false, "ServicePortError",
                     shown_service(remote) + " is not listening on port " + std::to_string(remote.port)};
  }
  if (resolve_service(server.store, remote.service_ns, remote.service_name, remote.port)) return std::nullopt;
  const bool any = server.store.get(store::collection_of("", "endpoints"), remote.service_ns,
                                    remote.service_name) != nullptr;
  if (!any) {
    return Condition{false, "EndpointsNotFound", "cannot find endpoints for " + shown_service(remote)};
  }
  return Condition{false, "MissingEndpoints",
                   "endpoints for " + shown_service(remote) + " have no addresses"};
}

// Where the backend's document of OpenAPI v3 for this version is; empty: it has none.
Task<std::string> find_openapi(std::shared_ptr<http::Client> client, RemotePtr remote) {
  auto asking = client->send(aggregator_request("/openapi/v3", kPatience));
  const auto answer = co_await std::move(asking);
  if (!answer || answer->status != 200) co_return std::string();
  const auto index = Json::parse(answer->body);
  if (!index) co_return std::string();
  const std::string key = "apis/" + remote->group + "/" + remote->version;
  const std::string_view url = (*index)["paths"][key]["serverRelativeURL"].as_string();
  co_return url.starts_with("/openapi/v3/") ? std::string(url) : std::string();
}

Task<Condition> check(ServerPtr server, RemotePtr remote) {
  if (auto wrong = check_references(*server, *remote)) co_return *std::move(wrong);
  const auto client = client_of_remote(*server, *remote);
  if (!client) co_return Condition{false, "ServiceAccessError", client.error().message()};
  http::ClientRequest request =
      aggregator_request("/apis/" + remote->group + "/" + remote->version, kPatience);
  const std::string url = "https://" + remote->service_name + "." + remote->service_ns +
                          ".svc:" + std::to_string(remote->port) + request.target;
  auto sending = (*client)->send(std::move(request));
  auto answer = co_await std::move(sending);
  const std::string missing = "failing or missing response from " + url + ": ";
  if (!answer) {
    const std::string why = "Get \"" + url + "\": " + go_transport_error(answer.error());
    co_return Condition{false, "FailedDiscoveryCheck", missing + why};
  }
  if (answer->status < 200 || answer->status > 299) {
    co_return Condition{false, "FailedDiscoveryCheck",
                        missing + "bad status from " + url + ": " + std::to_string(answer->status)};
  }
  if (auto list = Json::parse(answer->body); list && (*list)["resources"].is_array()) {
    auto finding = find_openapi(*client, remote);
    std::string openapi = co_await std::move(finding);
    server->aggregator.learn(remote->name, {(*list)["resources"], std::move(openapi)});
  }
  co_return Condition{true, "Passed", "all checks passed"};
}

// The object with this condition; unchanged when it says so already.
Json with_condition(Json object, const Condition& condition, WallTime now) {
  Json fresh = Json::object({{"type", "Available"},
                             {"status", condition.good ? "True" : "False"},
                             {"reason", condition.reason},
                             {"message", condition.message},
                             {"lastTransitionTime", format_time(now)}});
  Json& conditions = object.make({"status", "conditions"});
  for (Json& existing : conditions.elements()) {
    if (std::as_const(existing)["type"].as_string() != "Available") continue;
    if (std::as_const(existing)["status"] == std::as_const(fresh)["status"])
      fresh.set("lastTransitionTime", std::as_const(existing)["lastTransitionTime"]);
    existing = std::move(fresh);
    return object;
  }
  conditions.push_back(std::move(fresh));
  return object;
}

Task<void> note(ServerPtr server, std::string name, Condition condition) {
  for (int attempt = 0; attempt < 8; ++attempt) {
    const ObjectPtr object = server->store.get(kServices, "", name);
    if (!object) co_return;
    Json changed = with_condition(*object->content(), condition, server->now());
    if (changed == *object->content()) co_return;
    auto writing =
        server->store.update(kServices, std::move(changed), object->revision(), store::Durability::Derived);
    const auto written = co_await std::move(writing);
    if (written || !written.error().is(Code::Conflict)) break;
  }
  server->aggregator.touch();
}

}  // namespace

http::ClientRequest aggregator_request(std::string target, Duration timeout) {
  http::ClientRequest request;
  request.target = std::move(target);
  request.headers.set("Accept", "application/json");
  request.timeout = timeout;
  UserInfo user;
  user.name = "system:kube-aggregator";
  user.groups = {std::string(kMasters)};
  add_remote_user(request.headers, user);
  return request;
}

Task<void> run_aggregation(ServerPtr server) {
  for (;;) {
    const auto seen = server->aggregator.changes().version();
    auto settling = settle_local_services(server, false);
    co_await std::move(settling);
    for (const std::string& name : server->aggregator.unsettled()) {
      auto noting = note(server, name, Condition{true, "Local", "Local APIServices are always available"});
      co_await std::move(noting);
    }
    bool missing = false;
    const auto remotes = server->aggregator.remotes();
    for (std::size_t i = 0; remotes && i < remotes->versions.size(); ++i) {
      const RemotePtr remote = remotes->versions[i];
      auto checking = check(server, remote);
      Condition condition = co_await std::move(checking);
      missing = missing || !condition.good;
      auto noting = note(server, remote->name, std::move(condition));
      co_await std::move(noting);
    }
    // Its own writes wake it once more; that finds nothing to do. Never more often than this.
    auto resting = sleep_for(std::chrono::milliseconds(200));
    if (!co_await std::move(resting)) co_return;
    if (server->aggregator.changes().version() != seen) continue;
    const Duration pause = !remotes ? kEvery * 120 : missing ? kWhileMissing : kEvery;
    auto waiting = server->aggregator.changes().wait_past_for(seen, pause);
    co_await std::move(waiting);
    if (server->fibers.cancelled()) co_return;
  }
}

namespace {

// Backends may read how to know our users.
Task<Status> publish_reader(ServerPtr server) {
  constexpr std::string_view kName = "extension-apiserver-authentication-reader";
  const store::Collection roles = store::collection_of("rbac.authorization.k8s.io", "roles");
  if (server->store.get(roles, "kube-system", kName)) co_return Status();
  Json rule = Json::object({{"apiGroups", Json::array({""})},
                            {"resources", Json::array({"configmaps"})},
                            {"resourceNames", Json::array({"extension-apiserver-authentication"})},
                            {"verbs", Json::array({"get", "list", "watch"})}});
  Json metadata =
      Json::object({{"name", kName},
                    {"namespace", "kube-system"},
                    {"uid", new_uid()},
                    {"creationTimestamp", format_time(server->now())},
                    {"labels", Json::object({{"kubernetes.io/bootstrapping", "rbac-defaults"}})}});
  Json role = Json::object({{"apiVersion", "rbac.authorization.k8s.io/v1"},
                            {"kind", "Role"},
                            {"metadata", std::move(metadata)},
                            {"rules", Json::array({std::move(rule)})}});
  auto creating = server->store.create(roles, std::move(role), store::Durability::Derived);
  auto created = co_await std::move(creating);
  // Another daemon of this storage may start at the same time.
  if (!created && !created.error().is(Code::AlreadyExists)) co_return std::move(created).error();
  co_return Status();
}

}  // namespace

Task<Status> publish_authentication(ServerPtr server) {
  const auto& options = server->options;
  if (options.proxy_authority_pem.empty()) co_return Status();
  const store::Collection maps = store::collection_of("", "configmaps");
  Json data = Json::object({{"client-ca-file", options.client_authority_pem},
                            {"requestheader-allowed-names", "[\"front-proxy-client\"]"},
                            {"requestheader-client-ca-file", options.proxy_authority_pem},
                            {"requestheader-extra-headers-prefix", "[\"X-Remote-Extra-\"]"},
                            {"requestheader-group-headers", "[\"X-Remote-Group\"]"},
                            {"requestheader-uid-headers", "[\"X-Remote-Uid\"]"},
                            {"requestheader-username-headers", "[\"X-Remote-User\"]"}});
  constexpr std::string_view kName = "extension-apiserver-authentication";
  const ObjectPtr have = server->store.get(maps, "kube-system", kName);
  if (have && (*have->content())["data"] == data) co_return Status();
  Json metadata = Json::object({{"name", kName},
                                {"namespace", "kube-system"},
                                {"uid", new_uid()},
                                {"creationTimestamp", format_time(server->now())}});
  Json object =
      have ? *have->content()
           : Json::object({{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", std::move(metadata)}});
  object.set("data", std::move(data));
  Task<Result<ObjectPtr>> writing =
      have ? server->store.update(maps, std::move(object), have->revision(), store::Durability::Derived)
           : server->store.create(maps, std::move(object), store::Durability::Derived);
  auto written = co_await std::move(writing);
  // Daemons of one storage that start at the same time publish the same.
  const bool others = !written && server->store.shared() &&
                      (written.error().is(Code::AlreadyExists) || written.error().is(Code::Conflict));
  if (!written && !others) co_return std::move(written).context("publish extension-apiserver-authentication");
  auto publishing = publish_reader(server);
  co_return co_await std::move(publishing);
}

}  // namespace flotilla::apiserver
