// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/security/bootstrap.hpp"

#include "core/apiserver/bootstrap_flow.hpp"
#include "core/apiserver/write/write_options.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kRbac = "rbac.authorization.k8s.io";
constexpr std::string_view kNamespaces[] = {"default", "kube-system", "kube-public", "kube-node-lease"};

constexpr std::string_view kRead = R"(["get","list","watch"])";
constexpr std::string_view kWrite = R"(["create","delete","deletecollection","patch","update"])";

struct RoleRow {
  std::string_view name;
  std::string_view label;  // an aggregation label, or empty
  std::string_view rules;  // JSON; @R and @W stand for the reading and the writing verbs
};

constexpr RoleRow kRoles[] = {
    {"cluster-admin", "",
     R"([{"apiGroups":["*"],"resources":["*"],"verbs":["*"]},{"nonResourceURLs":["*"],"verbs":["*"]}])"},
    {"system:discovery", "",
     R"([{"nonResourceURLs":["/api","/api/*","/apis","/apis/*","/healthz","/livez","/openapi","/openapi/*","/readyz","/version","/version/"],"verbs":["get"]}])"},
    {"system:monitoring", "",
     R"([{"nonResourceURLs":["/healthz","/healthz/*","/livez","/livez/*","/metrics","/metrics/slis","/readyz","/readyz/*"],"verbs":["get"]}])"},
    {"system:basic-user", "",
     R"([{"apiGroups":["authorization.k8s.io"],"resources":["selfsubjectaccessreviews","selfsubjectrulesreviews"],"verbs":["create"]},
         {"apiGroups":["authentication.k8s.io"],"resources":["selfsubjectreviews"],"verbs":["create"]}])"},
    {"system:public-info-viewer", "",
     R"([{"nonResourceURLs":["/healthz","/livez","/readyz","/version","/version/"],"verbs":["get"]}])"},
    {"system:service-account-issuer-discovery", "",
     R"([{"nonResourceURLs":["/.well-known/openid-configuration","/.well-known/openid-configuration/","/openid/v1/jwks","/openid/v1/jwks/"],"verbs":["get"]}])"},
    {"system:auth-delegator", "",
     R"([{"apiGroups":["authentication.k8s.io"],"resources":["tokenreviews"],"verbs":["create"]},
         {"apiGroups":["authorization.k8s.io"],"resources":["subjectaccessreviews"],"verbs":["create"]}])"},
    {"system:aggregate-to-view", "view",
     R"([{"apiGroups":[""],"resources":["configmaps","endpoints","persistentvolumeclaims","persistentvolumeclaims/status","pods","replicationcontrollers","replicationcontrollers/scale","serviceaccounts","services","services/status"],"verbs":@R},
         {"apiGroups":[""],"resources":["bindings","events","limitranges","namespaces/status","pods/log","pods/status","replicationcontrollers/status","resourcequotas","resourcequotas/status"],"verbs":@R},
         {"apiGroups":[""],"resources":["namespaces"],"verbs":@R},
         {"apiGroups":["discovery.k8s.io"],"resources":["endpointslices"],"verbs":@R},
         {"apiGroups":["apps"],"resources":["controllerrevisions","daemonsets","daemonsets/status","deployments","deployments/scale","deployments/status","replicasets","replicasets/scale","replicasets/status","statefulsets","statefulsets/scale","statefulsets/status"],"verbs":@R},
         {"apiGroups":["autoscaling"],"resources":["horizontalpodautoscalers","horizontalpodautoscalers/status"],"verbs":@R},
         {"apiGroups":["batch"],"resources":["cronjobs","cronjobs/status","jobs","jobs/status"],"verbs":@R},
         {"apiGroups":["policy"],"resources":["poddisruptionbudgets","poddisruptionbudgets/status"],"verbs":@R},
         {"apiGroups":["networking.k8s.io"],"resources":["ingresses","ingresses/status","networkpolicies"],"verbs":@R}])"},
    {"system:aggregate-to-edit", "edit",
     R"([{"apiGroups":[""],"resources":["pods/attach","pods/exec","pods/portforward","pods/proxy","secrets","services/proxy"],"verbs":@R},
         {"apiGroups":[""],"resources":["serviceaccounts"],"verbs":["impersonate"]},
         {"apiGroups":[""],"resources":["pods","pods/attach","pods/exec","pods/portforward","pods/proxy"],"verbs":@W},
         {"apiGroups":[""],"resources":["pods/eviction"],"verbs":["create"]},
         {"apiGroups":[""],"resources":["configmaps","events","persistentvolumeclaims","replicationcontrollers","replicationcontrollers/scale","secrets","serviceaccounts","services","services/proxy"],"verbs":@W},
         {"apiGroups":[""],"resources":["serviceaccounts/token"],"verbs":["create"]},
         {"apiGroups":["apps"],"resources":["daemonsets","deployments","deployments/rollback","deployments/scale","replicasets","replicasets/scale","statefulsets","statefulsets/scale"],"verbs":@W},
         {"apiGroups":["autoscaling"],"resources":["horizontalpodautoscalers"],"verbs":@W},
         {"apiGroups":["batch"],"resources":["cronjobs","jobs"],"verbs":@W},
         {"apiGroups":["policy"],"resources":["poddisruptionbudgets"],"verbs":@W},
         {"apiGroups":["networking.k8s.io"],"resources":["ingresses","networkpolicies"],"verbs":@W},
         {"apiGroups":["coordination.k8s.io"],"resources":["leases"],"verbs":["create","delete","deletecollection","get","list","patch","update","watch"]}])"},
    {"system:aggregate-to-admin", "admin",
     R"([{"apiGroups":["authorization.k8s.io"],"resources":["localsubjectaccessreviews"],"verbs":["create"]},
         {"apiGroups":["rbac.authorization.k8s.io"],"resources":["rolebindings","roles"],"verbs":["create","delete","deletecollection","get","list","patch","update","watch"]}])"},
};

// Of a control plane: its administrators by name, since members learn names and groups of those who may use
// clusters/proxy. Both of the daemon's own: its certificate's and the Unix socket's.
constexpr std::string_view kProxyAdministrators = "cluster-proxy-admin";
constexpr std::string_view kProxyRules =
    R"([{"apiGroups":["cluster.karmada.io"],"resources":["clusters/proxy"],"verbs":["*"]}])";
constexpr std::string_view kMetricsReaders = "system:aggregated-metrics-reader";
constexpr std::string_view kMetricsRules =
    R"([{"apiGroups":["metrics.k8s.io"],"resources":["pods","nodes"],"verbs":["get","list","watch"]}])";
constexpr const char* kAdministrators[] = {"admin", "system:admin"};

struct AggregateRow {
  std::string_view name;
  std::string_view own_label;  // the role it flows into itself
};

constexpr AggregateRow kAggregates[] = {{"admin", ""}, {"edit", "admin"}, {"view", "edit"}};

struct BindingRow {
  std::string_view name, role;
  std::string_view groups[2];
};

constexpr BindingRow kBindings[] = {
    {"cluster-admin", "cluster-admin", {"system:masters", ""}},
    {"system:discovery", "system:discovery", {"system:authenticated", ""}},
    {"system:monitoring", "system:monitoring", {"system:monitoring", ""}},
    {"system:basic-user", "system:basic-user", {"system:authenticated", ""}},
    {"system:public-info-viewer",
     "system:public-info-viewer",
     {"system:authenticated", "system:unauthenticated"}},
    {"system:service-account-issuer-discovery",
     "system:service-account-issuer-discovery",
     {"system:serviceaccounts", ""}},
};

std::string with_verbs(std::string_view rules) {
  std::string out;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (rules[i] == '@') {
      out += rules[++i] == 'R' ? kRead : kWrite;
    } else {
      out += rules[i];
    }
  }
  return out;
}

Json metadata(const Server& server, std::string_view name) {
  return Json::object({{"name", name}, {"uid", new_uid()}, {"creationTimestamp", format_time(server.now())}});
}

Json rbac_object(const Server& server, std::string_view kind, std::string_view name) {
  Json object = Json::object(
      {{"apiVersion", "rbac.authorization.k8s.io/v1"}, {"kind", kind}, {"metadata", metadata(server, name)}});
  object["metadata"].set("labels", Json::object({{"kubernetes.io/bootstrapping", "rbac-defaults"}}));
  object["metadata"].set("annotations",
                         Json::object({{"rbac.authorization.kubernetes.io/autoupdate", "true"}}));
  return object;
}

std::string aggregate_label(std::string_view target) {
  return "rbac.authorization.k8s.io/aggregate-to-" + std::string(target);
}

bool has_clusters(const Server& server) {
  return server.catalog.builtin().find_resource("cluster.karmada.io", "v1alpha1", "clusters") != nullptr;
}

std::vector<Json> cluster_roles(const Server& server) {
  std::vector<Json> roles;
  if (has_clusters(server)) {
    roles.push_back(rbac_object(server, "ClusterRole", kProxyAdministrators));
    roles.back().set("rules", *Json::parse(kProxyRules));
    roles.push_back(rbac_object(server, "ClusterRole", kMetricsReaders));
    roles.back()["metadata"]["labels"].set(aggregate_label("view"), "true");
    roles.back().set("rules", *Json::parse(kMetricsRules));
  }
  for (const RoleRow& row : kRoles) {
    Json role = rbac_object(server, "ClusterRole", row.name);
    if (!row.label.empty()) role["metadata"]["labels"].set(aggregate_label(row.label), "true");
    auto rules = Json::parse(with_verbs(row.rules));
    ASSERT(rules.ok());
    role.set("rules", *std::move(rules));
    roles.push_back(std::move(role));
  }
  for (const AggregateRow& row : kAggregates) {
    Json role = rbac_object(server, "ClusterRole", row.name);
    if (!row.own_label.empty()) role["metadata"]["labels"].set(aggregate_label(row.own_label), "true");
    Json labels = Json::object({{aggregate_label(row.name), "true"}});
    role.set("aggregationRule",
             Json::object({{"clusterRoleSelectors",
                            Json::array({Json::object({{"matchLabels", std::move(labels)}})})}}));
    // What the aggregation will say, so that nobody waits for it.
    Json rules = Json::array();
    const auto take = [&](std::string_view source) {
      for (const RoleRow& from : kRoles) {
        if (from.label != source) continue;
        const auto parsed = Json::parse(with_verbs(from.rules));
        for (const Json& rule : parsed->elements()) rules.push_back(rule);
      }
    };
    if (row.name == "admin") take("admin");
    if (row.name != "view") take("edit");
    take("view");
    role.set("rules", std::move(rules));
    roles.push_back(std::move(role));
  }
  return roles;
}

std::vector<Json> cluster_role_bindings(const Server& server) {
  std::vector<Json> bindings;
  if (has_clusters(server)) {
    Json binding = rbac_object(server, "ClusterRoleBinding", kProxyAdministrators);
    binding.set("roleRef",
                Json::object({{"apiGroup", kRbac}, {"kind", "ClusterRole"}, {"name", kProxyAdministrators}}));
    for (const char* name : kAdministrators)
      binding["subjects"].push_back(Json::object({{"apiGroup", kRbac}, {"kind", "User"}, {"name", name}}));
    bindings.push_back(std::move(binding));
  }
  for (const BindingRow& row : kBindings) {
    Json binding = rbac_object(server, "ClusterRoleBinding", row.name);
    binding.set("roleRef", Json::object({{"apiGroup", kRbac}, {"kind", "ClusterRole"}, {"name", row.role}}));
    for (const std::string_view group : row.groups) {
      if (!group.empty()) {
        binding["subjects"].push_back(
            Json::object({{"apiGroup", kRbac}, {"kind", "Group"}, {"name", group}}));
      }
    }
    bindings.push_back(std::move(binding));
  }
  return bindings;
}

std::vector<Json> namespaces(const Server& server) {
  std::vector<Json> made;
  for (const std::string_view name : kNamespaces) {
    Json object = Json::object({{"apiVersion", "v1"},
                                {"kind", "Namespace"},
                                {"metadata", metadata(server, name)},
                                {"spec", Json::object({{"finalizers", Json::array({"kubernetes"})}})},
                                {"status", Json::object({{"phase", "Active"}})}});
    object["metadata"].set("labels", Json::object({{"kubernetes.io/metadata.name", name}}));
    made.push_back(std::move(object));
  }
  return made;
}

Task<Status> create_missing(ServerPtr server, store::Collection collection, std::vector<Json> objects) {
  for (Json& object : objects) {
    if (server->store.get(collection, "", api::name_of(object))) continue;
    auto creating = server->store.create(collection, std::move(object), store::Durability::Derived);
    auto created = co_await std::move(creating);
    if (!created && !created.error().is(Code::AlreadyExists))
      co_return std::move(created).context("create bootstrap objects");
  }
  co_return Status();
}

}  // namespace

Task<Status> create_bootstrap_objects(ServerPtr server) {
  auto spaces = create_missing(server, store::collection_of("", "namespaces"), namespaces(*server));
  if (auto done = co_await std::move(spaces); !done) co_return done;
  auto roles = create_missing(server, store::collection_of(kRbac, "clusterroles"), cluster_roles(*server));
  if (auto done = co_await std::move(roles); !done) co_return done;
  auto bindings = create_missing(server, store::collection_of(kRbac, "clusterrolebindings"),
                                 cluster_role_bindings(*server));
  if (auto done = co_await std::move(bindings); !done) co_return done;
  constexpr std::string_view kFlow = "flowcontrol.apiserver.k8s.io";
  auto levels = create_missing(server, store::collection_of(kFlow, "prioritylevelconfigurations"),
                               priority_levels(server->now()));
  if (auto done = co_await std::move(levels); !done) co_return done;
  auto schemas =
      create_missing(server, store::collection_of(kFlow, "flowschemas"), flow_schemas(server->now()));
  if (auto done = co_await std::move(schemas); !done) co_return done;
  server->authorizer.touch();
  co_return Status();
}

}  // namespace flotilla::apiserver
