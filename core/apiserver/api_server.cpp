// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/api_server.hpp"

#include <algorithm>

#include "core/apiserver/admission/chain.hpp"
#include "core/apiserver/admission/controller_writes.hpp"
#include "core/apiserver/aggregation/aggregation.hpp"
#include "core/apiserver/aggregation/local_services.hpp"
#include "core/apiserver/cluster_proxy/cluster_proxy.hpp"
#include "core/apiserver/custom/crds.hpp"
#include "core/apiserver/discovery.hpp"
#include "core/apiserver/endpoints.hpp"
#include "core/apiserver/event_expiry.hpp"
#include "core/apiserver/extension_endpoint.hpp"
#include "core/apiserver/monitoring/monitoring.hpp"
#include "core/apiserver/openapi/openapi.hpp"
#include "core/apiserver/read/reads.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/routing.hpp"
#include "core/apiserver/search/search.hpp"
#include "core/apiserver/security/bootstrap.hpp"
#include "core/apiserver/security/cluster_info.hpp"
#include "core/apiserver/shape.hpp"
#include "core/apiserver/subresources/subresources.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kRbac = "rbac.authorization.k8s.io";

bool is_custom_group(const Server& server, std::string_view group) {
  const auto builtin = server.catalog.builtin().groups();
  return std::find(builtin.begin(), builtin.end(), group) == builtin.end();
}

// Nothing answers this path: a text where no group is known, else a Status.
http::Response nobody(const Server& server, const Call& call) {
  return is_custom_group(server, call.info.group) ? page_not_found() : error_response(call, path_not_found());
}

Attributes attributes_of(const RequestInfo& info) {
  Attributes out;
  out.verb = info.verb;
  out.is_resource = info.is_resource;
  out.group = info.group;
  out.resource = info.resource;
  out.subresource = info.subresource;
  out.ns = info.ns;
  out.name = info.authorization_name;
  out.path = info.path;
  return out;
}

Error refusal(const Call& call, const Attributes& attributes, const std::string& reason) {
  std::string message = forbidden_message(call.user, attributes);
  if (!reason.empty()) message += ": " + reason;
  if (!call.info.is_resource) return Error(Code::Forbidden, "forbidden: " + message, ErrorDetails{});
  return object_forbidden({call.info.group, call.info.resource}, call.info.authorization_name, message);
}

bool is_review(const Resource& resource) {
  return (resource.group == "authorization.k8s.io" || resource.group == "authentication.k8s.io") &&
         resource.has_verb("create") && !resource.has_verb("get");
}

// Whether namespace and name stand where this resource has them.
bool fits_scope(const Call& call) {
  const RequestInfo& info = call.info;
  const bool has_ns = !info.ns.empty() && !(info.resource == "namespaces" && info.group.empty());
  if (!call.resource->namespaced) return !has_ns;
  return has_ns || info.in_collection();
}

const api::Subresource* find_subresource(const Call& call) {
  return call.resource->subresource(call.info.subresource);
}

std::string_view connect_verb(std::string_view method) {
  if (method == "GET") return "get";
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return "delete";
  return "";
}

// There is no network behind services, nodes and pods here.
http::Response serve_no_proxy(const Server& server, const Call& call) {
  // A service may be named SCHEME:NAME:PORT, the others NAME:PORT.
  std::string_view name = call.info.name;
  if (std::count(name.begin(), name.end(), ':') == 2) name.remove_prefix(name.find(':') + 1);
  name = name.substr(0, name.find(':'));
  if (!server.store.get(collection_of(*call.resource), call.info.ns, name))
    return error_response(call, object_not_found(call.group_resource(), name));
  const bool service = call.resource->resource == "services";
  return error_response(
      call, Error(Code::Unavailable, service ? "no endpoints available for service " + quoted(name)
                                             : "no network leads to " + quoted(name)));
}

Task<http::Response> serve_subresource(ServerPtr server, CallPtr call) {
  const std::string& sub = call->info.subresource;
  const api::Subresource* found = find_subresource(*call);
  if (found == nullptr || (!call->info.rest.empty() && sub != "proxy")) co_return nobody(*server, *call);
  const std::string& method = call->request.method;
  const std::string_view verb = connect_verb(method);
  if (verb.empty() || std::find(found->verbs.begin(), found->verbs.end(), verb) == found->verbs.end()) {
    co_return error_response(*call, method_not_allowed());
  }
  if (sub == "scale") {
    auto scaling = serve_scale(server, call);
    co_return co_await std::move(scaling);
  }
  if (sub == "eviction") {
    auto evicting = serve_eviction(server, call);
    co_return co_await std::move(evicting);
  }
  if (sub == "binding") {
    auto binding = serve_pod_binding(server, call);
    co_return co_await std::move(binding);
  }
  if (sub == "token") {
    auto signing = serve_token(server, call);
    co_return co_await std::move(signing);
  }
  const bool connects = sub == "exec" || sub == "attach" || sub == "portforward";
  if (connects && server->webhooks.webhooks()) {
    auto asking = admit_body(server, call, Verb::Connect, connect_options(*call), false);
    if (auto admitted = co_await std::move(asking); !admitted)
      co_return error_response(*call, admitted.error());
  }
  if (sub == "log" || sub == "exec" || sub == "attach" || sub == "portforward")
    co_return serve_pod_connect(*server, *call);
  if (sub == "proxy") co_return serve_no_proxy(*server, *call);
  if (method == "GET") {
    auto reading = serve_get(server, call);
    co_return co_await std::move(reading);
  }
  if (method == "PUT") {
    auto updating = serve_update(server, call);
    co_return co_await std::move(updating);
  }
  auto patching = serve_patch(server, call);
  co_return co_await std::move(patching);
}

Task<http::Response> serve_object(ServerPtr server, CallPtr call) {
  const std::string& method = call->request.method;
  const RequestInfo& info = call->info;
  const Resource& resource = *call->resource;
  Task<http::Response> serving;
  if (info.verb == "watch") {
    serving = serve_watch(server, call);
  } else if (info.in_collection() && method == "GET") {
    serving = serve_list(server, call);
  } else if (info.in_collection() && method == "POST") {
    if (is_review(resource)) co_return serve_review(*server, *call);
    serving = resource.resource == "bindings" ? serve_pod_binding(server, call) : serve_create(server, call);
  } else if (info.in_collection()) {
    serving = serve_delete_collection(server, call);
  } else if (method == "GET") {
    serving = serve_get(server, call);
  } else if (method == "PUT") {
    serving = serve_update(server, call);
  } else if (method == "PATCH") {
    serving = serve_patch(server, call);
  } else {
    serving = serve_delete(server, call);
  }
  co_return co_await std::move(serving);
}

bool method_fits(const Call& call) {
  const std::string& method = call.request.method;
  const RequestInfo& info = call.info;
  const Resource& resource = *call.resource;
  if (info.verb == "watch") return method == "GET" && resource.has_verb("watch");
  if (!info.in_collection()) {
    return (method == "GET" && resource.has_verb("get")) ||
           (method == "PUT" && resource.has_verb("update")) ||
           (method == "PATCH" && resource.has_verb("patch")) ||
           (method == "DELETE" && resource.has_verb("delete"));
  }
  if (method == "GET") return resource.has_verb("list");
  const bool everywhere = resource.namespaced && info.ns.empty();
  if (everywhere) return method == "POST" && is_review(resource);
  return (method == "POST" && resource.has_verb("create")) ||
         (method == "DELETE" && resource.has_verb("deletecollection"));
}

// Storage that other daemons write to as well: this request sees what anybody was answered before it, unless
// it says itself how new is new enough.
bool wants_newest(const Call& call) {
  return call.request.method != "GET" || call.query.get("resourceVersion").empty();
}

Task<http::Response> serve_resource(ServerPtr server, CallPtr call) {
  RequestInfo& info = call->info;
  call->resource = call->served->registry.find_resource(info.group, info.version, info.resource);
  if (!call->resource || !fits_scope(*call)) co_return nobody(*server, *call);
  if (!call->resource->namespaced) info.ns.clear();
  if (!call->resource->deprecation_warning.empty()) call->warn(call->resource->deprecation_warning);
  if (info.subresource.empty() && !method_fits(*call)) co_return error_response(*call, method_not_allowed());
  if (server->store.shared() && wants_newest(*call)) {
    auto asking = server->store.fresh();
    if (const Status there = co_await std::move(asking); !there)
      co_return error_response(*call, there.error());
  }
  if (!info.subresource.empty()) {
    auto serving = serve_subresource(server, call);
    co_return co_await std::move(serving);
  }
  auto serving = serve_object(server, call);
  co_return co_await std::move(serving);
}

bool is_metrics_discovery(const Server& server, const Call& call) {
  const auto& parts = call.info.parts;
  return server.options.computed.custom_metrics && parts.size() == 3 && parts[0] == "apis" &&
         parts[1] == "custom.metrics.k8s.io" && parts[2].starts_with("v1beta") &&
         call.served->registry.find_resource(parts[1], parts[2], "") != nullptr &&
         call.request.method == "GET";
}

bool is_computed(const Server& server, const Call& call) {
  const auto& groups = server.options.computed.groups;
  const auto& parts = call.info.parts;
  if (is_metrics_discovery(server, call)) return true;
  return parts.size() > 3 && parts[0] == "apis" &&
         std::find(groups.begin(), groups.end(), parts[1]) != groups.end();
}

Task<http::Response> serve_metrics_discovery(ServerPtr server, CallPtr call) {
  auto listing = server->options.computed.custom_metrics(std::string(call->info.parts[2]));
  const Result<Json> listed = co_await std::move(listing);
  if (!listed) co_return error_response(*call, listed.error());
  co_return json_response(*call, 200, *listed);
}

http::Response computed_response(const ServerPtr& server, const CallPtr& call, const Json& answer) {
  const Json* items = answer.find("items");
  if (auto fits = check_shape(*call, items != nullptr); !fits) return error_response(*call, fits.error());
  if (items == nullptr)
    return object_response(*server, *call, 200, api::Object::make(answer, api::revision_of(answer)));
  std::vector<ObjectPtr> objects;
  for (const Json& item : items->elements())
    objects.push_back(api::Object::make(item, api::revision_of(item)));
  ListMeta meta{api::revision_of(answer), std::string(answer["metadata"]["continue"].as_string()), {}};
  return list_response(server, call, std::move(objects), meta);
}

// .../namespaces/NAME/RESOURCE[/NAME[/METRIC]] or .../RESOURCE[/NAME[/METRIC]]
Task<http::Response> serve_computed(ServerPtr server, CallPtr call) {
  if (is_metrics_discovery(*server, *call)) {
    auto listing = serve_metrics_discovery(server, call);
    co_return co_await std::move(listing);
  }
  if (call->request.method != "GET" || call->info.verb == "watch")
    co_return error_response(*call, method_not_allowed());
  const auto& parts = call->info.parts;
  ComputedRead read;
  read.group = parts[1];
  read.version = parts[2];
  read.label_selector = call->query.get("labelSelector");
  const auto limit = call->query.integer("limit");
  if (!limit) co_return error_response(*call, limit.error());
  read.limit = limit->value_or(0) > 0 ? static_cast<std::size_t>(**limit) : 0;
  read.continue_token = call->query.get("continue");
  read.metric_selector = call->query.get("metricLabelSelector");
  std::size_t at = 3;
  // A metric of a namespace is not in it.
  const bool of_namespace = parts.size() == 6 && read.group == "custom.metrics.k8s.io";
  if (parts[3] == "namespaces" && parts.size() > 5 && !of_namespace) {
    read.ns = parts[4];
    at = 5;
  }
  read.path.assign(parts.begin() + static_cast<std::ptrdiff_t>(at), parts.end());
  auto reading = server->options.computed.read(std::move(read));
  const Result<Json> answer = co_await std::move(reading);
  if (!answer) co_return error_response(*call, answer.error());
  call->resource = call->served->registry.find_resource(parts[1], parts[2], parts[at]);
  if (!call->resource || call->resource->columns.empty()) co_return json_response(*call, 200, *answer);
  co_return computed_response(server, call, *answer);
}

http::Response too_many_requests() {
  http::Response response = text_response(429, "Too many requests, please try again later.\n");
  response.headers.set("Retry-After", "1");
  return response;
}

// Where other daemons write to storage too, one of them may have made the token or the role a moment ago:
// asked for before anybody is refused.
Task<Decision> decide_again(ServerPtr server, CallPtr call, Decision refused) {
  auto asking = server->store.fresh();
  if (const Status there = co_await std::move(asking); !there) co_return refused;
  server->authorizer.touch();
  co_return server->authorizer.authorize(call->user, attributes_of(call->info));
}

// clusters/*/proxy/PATH where PATH is no resource: then `call` becomes a request for PATH to this server.
bool is_of_no_member(Call& call) {
  if (call.info.name != "*" || proxied_request(call).is_resource) return false;
  call.request.path = proxied_path(call.request.path);
  call.info = read_request(call.request.method, call.request.path, call.query);
  return true;
}

}  // namespace

Task<http::Response> route(ServerPtr server, CallPtr call) {
  const Overload::Place place = server->overload.enter(call->info, call->user.in_group(kMasters));
  if (place.refused()) co_return too_many_requests();
  if (is_extension_path(*call)) {
    auto serving = serve_extension(server, call);
    co_return co_await std::move(serving);
  }
  const Attributes attributes = attributes_of(call->info);
  Decision decision = server->authorizer.authorize(call->user, attributes);
  if (!decision.allowed && server->store.shared()) {
    auto again = decide_again(server, call, std::move(decision));
    decision = co_await std::move(again);
  }
  if (call->audit) {
    call->annotations["authorization.k8s.io/decision"] = decision.allowed ? "allow" : "forbid";
    call->annotations["authorization.k8s.io/reason"] = decision.reason;
  }
  if (!decision.allowed) co_return error_response(*call, refusal(*call, attributes, decision.reason));
  const std::string_view timeout = call->query.get("timeout");
  if (!timeout.empty() && call->info.is_resource && !is_long_running(call->info) &&
      !parse_duration(timeout)) {
    co_return error_response(*call, Error(Code::BadRequest, "invalid timeout specified in the request URL"));
  }

  if (const auto remotes = server->aggregator.remotes()) {
    if (RemotePtr remote = remotes->answering(call->info)) {
      auto passing = serve_remote(server, call, std::move(remote));
      co_return co_await std::move(passing);
    }
  }
  if (is_computed(*server, *call)) {
    auto computing = serve_computed(server, call);
    co_return co_await std::move(computing);
  }
  if (is_search(*server, *call)) {
    auto searching = serve_search(server, call);
    co_return co_await std::move(searching);
  }
  if (is_proxying(*server, *call)) {
    auto proxying = serve_proxying(server, call);
    co_return co_await std::move(proxying);
  }
  if (is_cluster_proxy(*call)) {
    auto proxying = is_of_no_member(*call) ? route(server, call) : serve_cluster_proxy(server, call);
    co_return co_await std::move(proxying);
  }
  if (call->info.is_resource) {
    if (!call->not_acceptable.is(Code::Ok)) {
      const bool known = call->served->registry.find_resource(call->info.group, call->info.version,
                                                              call->info.resource) != nullptr;
      if (known) co_return error_response(*call, call->not_acceptable);
    }
    auto serving = serve_resource(server, call);
    co_return co_await std::move(serving);
  }
  if (auto answer = serve_endpoint(*server, *call)) co_return *std::move(answer);
  if (wants_openapi_v2(*call)) {
    auto writing = serve_openapi_v2(server, call);
    co_return co_await std::move(writing);
  }
  if (auto answer = serve_openapi(server, *call)) co_return *std::move(answer);
  if (!call->info.parts.empty() && call->request.path.substr(0, 2) != "//") {
    const Error& refused = call->not_acceptable;
    const bool plain =
        !refused.is(Code::Ok) && (call->info.parts[0] == "api" || call->info.parts[0] == "apis");
    if (plain && refused.details() != nullptr) co_return error_response(*call, refused);
    if (auto answer = serve_discovery(*server, *call)) co_return *std::move(answer);
  }
  co_return page_not_found();
}

namespace {

Task<Result<UserInfo>> identify_again(ServerPtr server, CallPtr call, Error refused) {
  auto asking = server->store.fresh();
  if (const Status there = co_await std::move(asking); !there) co_return refused;
  co_return server->authenticator->authenticate(call->request, server->now());
}

Task<http::Response> authenticate_and_route(ServerPtr server, CallPtr call) {
  MediaOffer offer;
  auto media = negotiate(call->request.headers.get("Accept"), offer);
  if (media) {
    call->media = *media;
  } else {
    call->not_acceptable = media.error();
  }
  auto user = server->authenticator->authenticate(call->request, server->now());
  if (!user && server->store.shared()) {
    auto again = identify_again(server, call, user.error());
    user = co_await std::move(again);
  }
  if (!user) {
    if (server->auditor) call->audit = server->auditor->begin(*call, UserInfo(), server->now());
    co_return error_response(*call, user.error());
  }
  auto effective = server->authenticator->impersonate(call->request, *user, server->authorizer);
  const bool may = effective.ok();
  call->user = may ? *effective : *user;
  if (server->auditor) call->audit = server->auditor->begin(*call, *user, server->now());
  if (!may) co_return error_response(*call, effective.error());
  auto routing = route(server, call);
  co_return co_await std::move(routing);
}

Task<http::Response> serve(ServerPtr server, http::Request request) {
  const SteadyTime began = server->executor.clock().steady_now();
  auto call = std::make_shared<Call>();
  call->request = std::move(request);
  call->query = Query(call->request.query);
  call->info = read_request(call->request.method, call->request.path, call->query);
  call->served = server->catalog.served();
  auto routing = authenticate_and_route(server, call);
  http::Response response = co_await std::move(routing);
  finish_headers(*call, response);
  if (call->audit) server->auditor->complete(*call, call->audit, response, server->options.parse_yaml);
  count_request(*server, *call, response, server->executor.clock().steady_now() - began);
  co_return response;
}

// Other writers change what is compiled from objects too: roles, webhook configurations.
Task<void> follow(ServerPtr server, store::Collection collection, void (*touch)(Server&)) {
  for (;;) {
    store::WatchRequest request;
    request.collection = collection;
    request.after = server->store.revision();
    auto subscription = server->store.watch(request);
    if (!subscription) co_return;
    touch(*server);
    for (;;) {
      auto waiting = (*subscription)->next();
      auto events = co_await std::move(waiting);
      if (!events && events.error().is(Code::Cancelled)) co_return;
      touch(*server);
      if (!events) break;
    }
  }
}

void touch_roles(Server& server) {
  server.authorizer.touch();
}
void touch_webhooks(Server& server) {
  server.webhooks.touch();
}

void touch_aggregator(Server& server) {
  server.aggregator.touch();
}

void follow_all(const ServerPtr& server) {
  server->fibers.spawn(
      follow(server, store::collection_of("apiregistration.k8s.io", "apiservices"), touch_aggregator));
  for (const char* resource : {"roles", "rolebindings", "clusterroles", "clusterrolebindings"}) {
    server->fibers.spawn(follow(server, store::collection_of(kRbac, resource), touch_roles));
  }
  for (const char* resource : {"mutatingwebhookconfigurations", "validatingwebhookconfigurations"}) {
    server->fibers.spawn(
        follow(server, store::collection_of("admissionregistration.k8s.io", resource), touch_webhooks));
  }
}

}  // namespace

Server::Server(const Executor& executor_in, store::Store& store_in, ApiServerOptions options_in)
    : executor(executor_in),
      store(store_in),
      options(std::move(options_in)),
      writer(store, executor.clock(), with_builtin_admission(store, options.plugins, options.admission)),
      catalog(options.registry != nullptr ? *options.registry : api::Registry::builtin()),
      authorizer(store),
      webhooks(store),
      aggregator(store, catalog.builtin()),
      policies(store),
      fibers(executor.strand(), "apiserver"),
      started(executor.clock().now()) {
  overload.set_bounds(options.max_in_flight, options.max_mutating_in_flight);
}

struct ApiServer::State {
  ServerPtr server;
};

ApiServer::ApiServer(const Executor& executor, store::Store& store, ApiServerOptions options)
    : state_(std::make_shared<State>()) {
  state_->server = std::make_shared<Server>(executor, store, std::move(options));
  state_->server->writer.set_late_admission(controller_admission(*state_->server));
}

ApiServer::~ApiServer() = default;

Task<Status> ApiServer::start() {
  const ServerPtr server = state_->server;
  auto signer = TokenSigner::make(server->options.service_account_key_pem, server->options.issuer);
  if (!signer) co_return std::move(signer).context("read the service account key");
  server->authenticator = std::make_unique<Authenticator>(
      server->store, *std::move(signer), server->options.static_tokens, server->options.anonymous);
  auto bootstrapping = create_bootstrap_objects(server);
  if (auto done = co_await std::move(bootstrapping); !done) co_return done;
  publish_definitions(*server);
  auto registering = settle_local_services(server, true);
  co_await std::move(registering);
  server->fibers.spawn(run_definitions(server));
  follow_all(server);
  auto publishing = publish_authentication(server);
  if (auto done = co_await std::move(publishing); !done) co_return done;
  server->fibers.spawn(run_aggregation(server));
  if (server->options.audit_policy.is_object()) {
    auto policy = AuditPolicy::read(server->options.audit_policy);
    if (!policy) co_return std::move(policy).context("audit policy");
    server->auditor =
        std::make_unique<Auditor>(server->executor, *std::move(policy), server->options.audit_log);
    if (auto opened = server->auditor->open(); !opened) co_return opened;
    server->fibers.spawn(server->auditor->run());
  }
  server->fibers.spawn(run_event_expiry(server));
  server->fibers.spawn(follow_policies(server));
  server->fibers.spawn(follow_policy_bindings(server));
  server->ready.store(true);
  co_return Status();
}

void ApiServer::announce(std::string url, bool keep) {
  const auto there =
      state_->server->store.get(store::collection_of("", "configmaps"), "kube-public", "cluster-info");
  if (keep && there) url.clear();
  state_->server->fibers.spawn(run_cluster_info(state_->server, std::move(url)));
}

Task<void> ApiServer::stop() {
  const ServerPtr server = state_->server;
  server->ready.store(false);
  server->fibers.cancel();
  auto joining = server->fibers.join();
  co_await std::move(joining);
  if (server->auditor) server->auditor->flush();
}

void ApiServer::serve_fleet(FleetAccess access) {
  state_->server->fleet = std::move(access);
}

void ApiServer::extend(Extension extension) {
  state_->server->extension = std::move(extension);
}

store::Writer& ApiServer::writer() {
  return state_->server->writer;
}

std::string ApiServer::service_account_key_pem() const {
  return state_->server->authenticator->signer().key_pem();
}

std::shared_ptr<const api::Registry> ApiServer::resources() const {
  auto served = state_->server->catalog.served();
  return {served, &served->registry};
}

Result<std::string> ApiServer::sign_token(const std::string& ns, const std::string& name,
                                          const std::string& uid, std::int64_t seconds,
                                          const BoundSecret& secret) const {
  TokenRequest request;
  request.ns = ns;
  request.service_account = name;
  request.uid = uid;
  request.audiences = {state_->server->options.issuer};
  request.expiration_seconds = seconds;
  if (!secret.name.empty()) {
    request.bound_object =
        api::Json::object({{"kind", "Secret"}, {"name", secret.name}, {"uid", secret.uid}});
  }
  return state_->server->authenticator->signer().sign(request, state_->server->now());
}

http::Handler ApiServer::handler() {
  const ServerPtr server = state_->server;
  return [server](http::Request request) { return serve(server, std::move(request)); };
}

}  // namespace flotilla::apiserver
