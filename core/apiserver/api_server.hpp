// SPDX-License-Identifier: Apache-2.0
// Kubernetes' REST interface over the store: one http::Handler that serves discovery, OpenAPI, every resource
// of the registry and every custom one, with authentication, authorization and admission in process.
//
//   ApiServer server(executor, store, writer_admission, options);
//   co_await server.start();                  // bootstrap objects, custom resources, RBAC
//   http::Server(executor, http_options, server.handler());
//   co_await server.stop();
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/api/schema/registry.hpp"
#include "core/apiserver/admission/builtin.hpp"
#include "core/apiserver/aggregation/aggregator.hpp"
#include "core/apiserver/audit/audit_log.hpp"
#include "core/apiserver/extension.hpp"
#include "core/apiserver/security/anonymous.hpp"
#include "core/apiserver/security/user.hpp"
#include "core/http/http.hpp"
#include "core/store/store.hpp"
#include "core/store/writer.hpp"

namespace flotilla::search {
class FleetCache;
}

namespace flotilla::apiserver {

// A read of objects that nobody stores: metrics, of a simulated cluster or of all members; records of
// decisions.
struct ComputedRead {
  std::string group, version, ns;
  std::vector<std::string> path;  // behind the namespace: resource, name, ...
  std::string label_selector;
  std::size_t limit = 0;  // of a list; 0: all
  std::string continue_token;
  std::string metric_selector;  // of custom metrics: metricLabelSelector
};
// Objects of resources that the registry describes are shown in the shape that is asked for (tables), others
// as they are.
struct ComputedApis {
  std::vector<std::string> groups;
  std::function<Task<Result<api::Json>>(ComputedRead)> read;
  // The APIResourceList of a version where the registry does not know what there is; empty: it does.
  std::function<Task<Result<api::Json>>(std::string version)> custom_metrics = {};
  std::function<api::Json(const api::Resource&)> schema = {};  // as a CustomResourceDefinition has it
};

// What is cached of members, and what of it is served: karmada-search.
struct FleetAccess {
  std::shared_ptr<const search::FleetCache> cache;  // null: nothing
  bool search = true;
  bool proxy = true;
  // What the proxy passes on to this very server is asked as the user who asks, not as the proxy itself.
  bool proxy_as_user = false;
};

struct ApiServerOptions {
  const api::Registry* registry = nullptr;  // null: Registry::builtin()
  std::map<std::string, UserInfo> static_tokens;
  Anonymous anonymous = Anonymous::Everywhere;
  std::string service_account_key_pem;  // P-256 or RSA; empty: made anew
  std::string issuer = "https://kubernetes.default.svc";
  std::string git_version = "v1.32.0";
  std::string server_address = "127.0.0.1:6443";  // for /api
  store::Admission admission;                     // Karmada's defaulting and validation; may be empty
  PluginChoice plugins;
  bool enforce_federated_quotas = false;  // Karmada's gate FederatedQuotaEnforcement
  std::int64_t max_in_flight = 0;         // requests at the same time that only read; 0: no bound
  std::int64_t max_mutating_in_flight = 0;
  api::Json audit_policy;  // audit.k8s.io/v1 Policy; null: no audit log
  AuditLogOptions audit_log;
  // By what extension API servers know this one and its users (PEM); empty: they are not told.
  ProxyIdentity proxy_identity;
  std::string proxy_authority_pem, client_authority_pem;
  std::function<Result<api::Json>(std::string_view)>
      parse_yaml;  // null: YAML bodies are read as JSON or refused
  ComputedApis computed;
  std::string service_network = "10.0.0.0/16";
  Duration event_ttl = std::chrono::hours(1);  // events that nobody has written for so long are removed
  std::function<std::string()> metrics;        // more lines for /metrics
};

// The answer to a request that could not be read (400, 413, 431, 500): a Status where Kubernetes has one.
http::Response refuse_unread(int status, std::string_view message);

class ApiServer {
 public:
  ApiServer(const Executor& executor, store::Store& store, ApiServerOptions options);
  ~ApiServer();

  Task<Status> start();
  // Where clients find it, once they do: written into kube-public/cluster-info. `keep`: unless that says
  // already where another daemon is found.
  void announce(std::string url, bool keep);
  Task<void> stop();
  // Before the first request, else /apis/search.karmada.io/v1alpha1/search and /proxying are not there.
  void serve_fleet(FleetAccess access);
  // Who answers /flotilla/v1/...; before the first request, else nobody does.
  void extend(Extension extension);
  http::Handler handler();
  // Everything writes through it, so that admission holds for controllers too.
  store::Writer& writer();
  // After start().
  std::string service_account_key_pem() const;
  // Those served now, custom ones included.
  std::shared_ptr<const api::Registry> resources() const;
  // A token of a service account, after start(). It dies with the secret, where one is named.
  struct BoundSecret {
    std::string name, uid;
  };
  Result<std::string> sign_token(const std::string& ns, const std::string& name, const std::string& uid,
                                 std::int64_t seconds, const BoundSecret& secret = {}) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace flotilla::apiserver
