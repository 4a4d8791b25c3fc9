// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/agent_manifests.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "core/api/object.hpp"
#include "core/base/base64.hpp"
#include "core/ctl/accounts.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

constexpr std::string_view kMount = "/etc/kubeconfig";
constexpr std::string_view kKubeconfigFlag = "--karmada-kubeconfig=", kContextFlag = "--karmada-context=";

std::string deployments(const std::string& ns) {
  return fmt::format("/apis/apps/v1/namespaces/{}/deployments", ns);
}

std::string role(std::string_view resource, std::string_view name) {
  return fmt::format("{}/{}/{}", kRbac, resource, http::percent_encode(name));
}

// Karmada's own agent works as well.
bool is_karmadas(const std::string& image) {
  return image.find("karmada-agent") != std::string::npos;
}

Json command_of(const AgentOptions& options) {
  Json command = is_karmadas(options.image) ? Json::array({"/bin/karmada-agent"})
                                            : Json::array({"flotillad", "--profile=agent"});
  command.push_back(std::string(kKubeconfigFlag) + std::string(kMount) + "/" + std::string(kAgentSecret));
  for (const std::string& flag : agent_flags(options)) command.push_back(flag);
  if (is_karmadas(options.image)) command.push_back("--leader-elect-resource-namespace=" + options.ns);
  command.push_back("--health-probe-bind-address=0.0.0.0:10357");
  return command;
}

}  // namespace

std::vector<std::string> agent_flags(const AgentOptions& options) {
  std::vector<std::string> flags = {"--cluster-name=" + options.cluster,
                                    "--cluster-namespace=" + options.cluster_ns};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) flags.push_back(std::string(name) + "=" + value);
  };
  add("--cluster-api-endpoint", options.api_endpoint);
  add("--proxy-server-address", options.proxy_server_address);
  add("--cluster-provider", options.provider);
  add("--cluster-region", options.region);
  add("--cluster-zones", fmt::format("{}", fmt::join(options.zones, ",")));
  add("--report-secrets", fmt::format("{}", fmt::join(options.report_secrets, ",")));
  add("--feature-gates", fmt::format("{}", fmt::join(options.feature_gates, ",")));
  if (options.certificate_rotation) flags.emplace_back("--controllers=*,certRotation");
  return flags;
}

std::vector<PlacedObject> agent_manifests(const AgentOptions& options, std::string_view kubeconfig) {
  const Json everything = Json::array({"*"});
  const Json data = Json::object({{kAgentSecret, base64_encode(kubeconfig)}});
  const Json rules = Json::array(
      {Json::object({{"apiGroups", everything}, {"resources", everything}, {"verbs", everything}}),
       Json::object({{"nonResourceURLs", everything}, {"verbs", Json::array({"get"})}})});
  const Json subject =
      Json::object({{"kind", "ServiceAccount"}, {"name", kAgentAccount}, {"namespace", options.ns}});
  const Json reference = Json::object(
      {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", kAgentName}});
  return {
      {in_namespace(options.ns, "secrets"),
       Json::object({{"apiVersion", "v1"},
                     {"kind", "Secret"},
                     {"metadata", system_metadata(kAgentSecret, options.ns)},
                     {"type", "Opaque"},
                     {"data", data}})},
      {fmt::format("{}/clusterroles", kRbac), Json::object({{"apiVersion", "rbac.authorization.k8s.io/v1"},
                                                            {"kind", "ClusterRole"},
                                                            {"metadata", system_metadata(kAgentName)},
                                                            {"rules", rules}})},
      {in_namespace(options.ns, "serviceaccounts"),
       Json::object({{"apiVersion", "v1"},
                     {"kind", "ServiceAccount"},
                     {"metadata", system_metadata(kAgentAccount, options.ns)}})},
      {fmt::format("{}/clusterrolebindings", kRbac),
       Json::object({{"apiVersion", "rbac.authorization.k8s.io/v1"},
                     {"kind", "ClusterRoleBinding"},
                     {"metadata", system_metadata(kAgentName)},
                     {"roleRef", reference},
                     {"subjects", Json::array({subject})}})}};
}

PlacedObject agent_deployment(const AgentOptions& options) {
  const Json labels = Json::object({{"app", kAgentName}});
  const Json mount = Json::object({{"name", "kubeconfig"}, {"mountPath", kMount}});
  const Json container = Json::object({{"name", kAgentName},
                                       {"image", options.image},
                                       {"command", command_of(options)},
                                       {"volumeMounts", Json::array({mount})}});
  const Json volume =
      Json::object({{"name", "kubeconfig"}, {"secret", Json::object({{"secretName", kAgentSecret}})}});
  const Json toleration = Json::object({{"key", "node-role.kubernetes.io/master"}, {"operator", "Exists"}});
  const Json pod = Json::object({{"serviceAccountName", kAgentAccount},
                                 {"containers", Json::array({container})},
                                 {"volumes", Json::array({volume})},
                                 {"tolerations", Json::array({toleration})}});
  const Json pod_template = Json::object({{"metadata", Json::object({{"labels", labels}})}, {"spec", pod}});
  Json metadata = Json::object({{"name", kAgentName}, {"namespace", options.ns}, {"labels", labels}});
  Json spec = Json::object({{"replicas", options.replicas},
                            {"selector", Json::object({{"matchLabels", labels}})},
                            {"template", pod_template}});
  return {deployments(options.ns), Json::object({{"apiVersion", "apps/v1"},
                                                 {"kind", "Deployment"},
                                                 {"metadata", std::move(metadata)},
                                                 {"spec", std::move(spec)}})};
}

std::vector<std::string> agent_leftovers(const AgentOptions& options) {
  const std::string account = "karmada-" + options.cluster;
  const std::string controller = "karmada-controller-manager:" + account;
  return {in_namespace(options.cluster_ns, "serviceaccounts/" + account),
          role("clusterroles", controller),
          role("clusterrolebindings", controller),
          in_namespace(options.cluster_ns, "secrets/" + account),
          in_namespace(options.cluster_ns, "serviceaccounts/karmada-impersonator"),
          in_namespace(options.cluster_ns, "secrets/karmada-impersonator"),
          "/api/v1/namespaces/" + options.cluster_ns,
          deployments(options.ns) + "/" + std::string(kAgentName),
          in_namespace(options.ns, "serviceaccounts/" + std::string(kAgentAccount)),
          role("clusterroles", kAgentName),
          role("clusterrolebindings", kAgentName),
          in_namespace(options.ns, "secrets/" + std::string(kAgentSecret))};
}

// The flag names a file; a volume is mounted where it lies; the volume is a Secret.
KubeconfigPlace kubeconfig_place(const Json& deployment) {
  KubeconfigPlace place;
  const Json& pod = deployment["spec"]["template"]["spec"];
  const Json& container = pod["containers"].element(0);
  std::filesystem::path file;
  for (const char* member : {"command", "args"}) {
    for (const Json& word : container[member].elements()) {
      const std::string_view flag = word.as_string();
      if (flag.starts_with(kKubeconfigFlag)) file = flag.substr(kKubeconfigFlag.size());
      if (flag.starts_with(kContextFlag)) place.context = flag.substr(kContextFlag.size());
    }
  }
  std::string_view volume;
  for (const Json& mount : container["volumeMounts"].elements()) {
    if (mount["mountPath"].as_string() == file.parent_path().string()) volume = mount["name"].as_string();
  }
  for (const Json& one : pod["volumes"].elements()) {
    if (!volume.empty() && one["name"].as_string() == volume)
      place.secret = one["secret"]["secretName"].as_string();
  }
  place.key = file.filename().string();
  return place;
}

bool is_rolled_out(const Json& deployment) {
  const Json& status = deployment["status"];
  const std::int64_t wanted = deployment["spec"]["replicas"].as_int();
  return status["observedGeneration"].as_int() >= deployment["metadata"]["generation"].as_int() &&
         status["updatedReplicas"].as_int() >= wanted && status["availableReplicas"].as_int() >= wanted;
}

}  // namespace flotilla::ctl
