// SPDX-License-Identifier: Apache-2.0
#include "core/api/defaulting/rules.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/assert.hpp"

namespace flotilla::api::defaulting {
namespace {

bool unset(const Json& object, std::string_view field) {
  return object[field].is_null();
}

void preset(Json& object, std::string_view field, Json value) {
  if (unset(object, field)) object.set(field, std::move(value));
}

const Json& read(const Json& object) {
  return object;
}

// The tag decides whether an image is pulled every time.
void container(Json& object) {
  if (!unset(object, "imagePullPolicy")) return;
  std::string_view image = read(object)["image"].as_string();
  const bool digest = image.find('@') != image.npos;
  image = image.substr(0, image.find('@'));
  const std::size_t slash = image.rfind('/');
  const std::size_t colon = image.rfind(':');
  const bool tagged = colon != image.npos && (slash == image.npos || colon > slash);
  const std::string_view tag = tagged ? image.substr(colon + 1) : std::string_view();
  const bool latest = tagged ? tag == "latest" : !digest;
  object.set("imagePullPolicy", latest ? "Always" : "IfNotPresent");
}

// Two names for one thing.
void service_account(Json& spec) {
  if (unset(spec, "serviceAccountName") && !unset(spec, "serviceAccount")) {
    spec.set("serviceAccountName", Json(read(spec)["serviceAccount"]));
  }
  if (!unset(spec, "serviceAccountName")) spec.set("serviceAccount", Json(read(spec)["serviceAccountName"]));
}

void host_ports(Json& spec) {
  if (!read(spec)["hostNetwork"].as_bool()) return;
  for (const char* list : {"containers", "initContainers"}) {
    Json* containers = spec.find(list);
    if (!containers) continue;
    for (Json& one : containers->elements()) {
      Json* ports = one.find("ports");
      if (!ports) continue;
      for (Json& port : ports->elements()) preset(port, "hostPort", read(port)["containerPort"]);
    }
  }
}

void pod_spec(Json& spec) {
  service_account(spec);
  host_ports(spec);
}

void volume(Json& object) {
  bool sourced = false;
  for (const auto& [name, value] : read(object).members())
    sourced = sourced || (name != "name" && !value.is_null());
  if (!sourced) object.set("emptyDir", Json::object());
}

// Pods alone: a limit is a request where nothing else is said.
void pod(Json& object) {
  Json* spec = object.find("spec");
  if (!spec || !spec->is_object()) return;
  preset(*spec, "enableServiceLinks", true);
  for (const char* list : {"containers", "initContainers"}) {
    Json* containers = spec->find(list);
    if (!containers) continue;
    for (Json& one : containers->elements()) {
      const Json limits = read(one).at({"resources", "limits"});
      for (const auto& [name, value] : limits.members()) {
        preset(one.make({"resources", "requests"}), name, value);
      }
    }
  }
}

void service_spec(Json& object) {
  const std::string_view given = read(object)["type"].as_string();
  const std::string type(given.empty() ? "ClusterIP" : given);
  const bool balanced = type == "LoadBalancer";
  if (type != "ExternalName") preset(object, "internalTrafficPolicy", "Cluster");
  if (balanced || type == "NodePort") preset(object, "externalTrafficPolicy", "Cluster");
  if (balanced) preset(object, "allocateLoadBalancerNodePorts", true);
  const std::string_view affinity = read(object)["sessionAffinity"].as_string();
  if (affinity.empty() || affinity == "None") object.erase("sessionAffinityConfig");
  if (affinity == "ClientIP") {
    Json& client = object.make({"sessionAffinityConfig", "clientIP"});
    if (!client.is_object()) client = Json::object();
    preset(client, "timeoutSeconds", 10800);
  }
}

void service_port(Json& object) {
  const Json& target = read(object)["targetPort"];
  const bool none = target.is_null() || (target.is_int() && target.as_int() == 0) ||
                    (target.is_string() && target.as_string().empty());
  if (none) object.set("targetPort", Json(read(object)["port"]));
}

// A workload without labels of its own takes those of its pods.
void labels_from_template(Json& object) {
  const Json labels = read(object).at({"spec", "template", "metadata", "labels"});
  if (labels.empty()) return;
  if (read(object).at({"metadata", "labels"}).empty()) object["metadata"].set("labels", labels);
}

void replication_controller(Json& object) {
  const Json labels = read(object).at({"spec", "template", "metadata", "labels"});
  if (!labels.empty() && read(object).at({"spec", "selector"}).empty())
    object["spec"].set("selector", labels);
  labels_from_template(object);
}

void job_spec(Json& object) {
  if (unset(object, "completions") && unset(object, "parallelism")) {
    object.set("completions", 1);
    object.set("parallelism", 1);
  }
  preset(object, "parallelism", 1);
  preset(object, "backoffLimit", 6);
  preset(object, "completionMode", "NonIndexed");
  preset(object, "suspend", false);
}

void job(Json& object) {
  if (Json* spec = object.find("spec")) job_spec(*spec);
  labels_from_template(object);
}

void deployment_strategy(Json& object) {
  const std::string_view type = read(object)["type"].as_string("RollingUpdate");
  if (type != "RollingUpdate" && !type.empty()) return;
  Json& rolling = object["rollingUpdate"];
  if (rolling.is_null()) rolling = Json::object();
  preset(rolling, "maxUnavailable", "25%");
  preset(rolling, "maxSurge", "25%");
}

void stateful_set_strategy(Json& object) {
  const std::string_view type = read(object)["type"].as_string();
  if (type.empty()) preset(object, "rollingUpdate", Json::object());
  if (type != "RollingUpdate" && !type.empty()) return;
  if (Json* rolling = object.find("rollingUpdate"); rolling && rolling->is_object())
    preset(*rolling, "partition", 0);
}

void stateful_set_spec(Json& object) {
  Json* claims = object.find("volumeClaimTemplates");
  if (!claims) return;
  for (Json& one : claims->elements()) {
    preset(one, "apiVersion", "v1");
    preset(one, "kind", "PersistentVolumeClaim");
  }
}

void daemon_set_strategy(Json& object) {
  const std::string_view type = read(object)["type"].as_string();
  if (type != "RollingUpdate" && !type.empty()) return;
  Json& rolling = object["rollingUpdate"];
  if (rolling.is_null()) rolling = Json::object();
  preset(rolling, "maxUnavailable", 1);
  preset(rolling, "maxSurge", 0);
}

void daemon_set(Json& object) {
  Json& annotations = object.make({"metadata", "annotations"});
  preset(annotations, "deprecated.daemonset.template.generation", "0");
}

void namespace_object(Json& object) {
  const std::string name(read(object).at({"metadata", "name"}).as_string());
  if (!name.empty()) object.make({"metadata", "labels"}).set("kubernetes.io/metadata.name", name);
}

// The first address or range also has a field of its own.
void first_of(Json& object, std::string_view one, std::string_view all, std::string_view member) {
  const Json& list = read(object)[all];
  if (list.empty() && !unset(object, one)) {
    Json value = read(object)[one];
    if (!member.empty()) value = Json::object({{member, std::move(value)}});
    object.set(all, Json::array({std::move(value)}));
  } else if (!list.empty()) {
    const Json& first = list.element(0);
    object.set(one, Json(member.empty() ? first : first[member]));
  }
}
void node_spec(Json& object) {
  first_of(object, "podCIDR", "podCIDRs", "");
}
void pod_status(Json& object) {
  first_of(object, "podIP", "podIPs", "ip");
}

void node_status(Json& object) {
  if (unset(object, "allocatable") && !read(object)["capacity"].empty())
    object.set("allocatable", Json(read(object)["capacity"]));
}

void limit_range_item(Json& object) {
  if (read(object)["type"].as_string() != "Container") return;
  const Json max = read(object)["max"], min = read(object)["min"];
  for (const auto& [name, value] : max.members()) preset(object["default"], name, value);
  const Json limits = read(object)["default"];
  for (const auto& [name, value] : limits.members()) preset(object["defaultRequest"], name, value);
  for (const auto& [name, value] : min.members()) preset(object["defaultRequest"], name, value);
}

void network_policy_spec(Json& object) {
  if (!read(object)["policyTypes"].empty()) return;
  Json types = Json::array({"Ingress"});
  if (!read(object)["egress"].empty()) types.push_back("Egress");
  object.set("policyTypes", std::move(types));
}

void subject(Json& object) {
  const std::string_view kind = read(object)["kind"].as_string();
  if (kind == "User" || kind == "Group") preset(object, "apiGroup", "rbac.authorization.k8s.io");
}

Json scaling_policy(const char* type, int value) {
  return Json::object({{"type", type}, {"value", value}, {"periodSeconds", 15}});
}

void scaling_rules(Json& rules, bool up) {
  preset(rules, "selectPolicy", "Max");
  if (up) preset(rules, "stabilizationWindowSeconds", 0);
  if (read(rules)["policies"].is_array()) return;
  Json policies = Json::array();
  if (up) policies.push_back(scaling_policy("Pods", 4));
  policies.push_back(scaling_policy("Percent", 100));
  rules.set("policies", std::move(policies));
}

void autoscaler_spec(Json& object) {
  if (read(object)["metrics"].empty()) {
    Json target = Json::object({{"type", "Utilization"}, {"averageUtilization", 80}});
    Json resource = Json::object({{"name", "cpu"}, {"target", std::move(target)}});
    object.set("metrics",
               Json::array({Json::object({{"type", "Resource"}, {"resource", std::move(resource)}})}));
  }
  Json* behavior = object.find("behavior");
  if (!behavior || !behavior->is_object()) return;
  for (const char* way : {"scaleUp", "scaleDown"}) {
    Json& rules = (*behavior)[way];
    if (rules.is_null()) rules = Json::object();
    scaling_rules(rules, std::string_view(way) == "scaleUp");
  }
}

void crd_names(Json& object) {
  const std::string kind(read(object)["kind"].as_string());
  if (kind.empty()) return;
  std::string lower = kind;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  preset(object, "singular", lower);
  preset(object, "listKind", kind + "List");
}

void crd_webhook(Json& object) {
  if (Json* service = object.find("service"); service && service->is_object()) preset(*service, "port", 443);
}

constexpr std::pair<std::string_view, Rule> kRules[] = {
    {"api.core.v1.Container", container},
    {"api.core.v1.EphemeralContainer", container},
    {"api.core.v1.PodSpec", pod_spec},
    {"api.core.v1.Pod", pod},
    {"api.core.v1.Volume", volume},
    {"api.core.v1.ServiceSpec", service_spec},
    {"api.core.v1.ServicePort", service_port},
    {"api.core.v1.ReplicationController", replication_controller},
    {"api.core.v1.Namespace", namespace_object},
    {"api.core.v1.NodeSpec", node_spec},
    {"api.core.v1.PodStatus", pod_status},
    {"api.core.v1.NodeStatus", node_status},
    {"api.core.v1.LimitRangeItem", limit_range_item},
    {"api.batch.v1.Job", job},
    {"api.apps.v1.DeploymentStrategy", deployment_strategy},
    {"api.apps.v1.StatefulSetSpec", stateful_set_spec},
    {"api.apps.v1.StatefulSetUpdateStrategy", stateful_set_strategy},
    {"api.apps.v1.DaemonSetUpdateStrategy", daemon_set_strategy},
    {"api.apps.v1.DaemonSet", daemon_set},
    {"api.networking.v1.NetworkPolicySpec", network_policy_spec},
    {"api.rbac.v1.Subject", subject},
    {"api.autoscaling.v2.HorizontalPodAutoscalerSpec", autoscaler_spec},
    {"api.autoscaling.v2beta2.HorizontalPodAutoscalerSpec", autoscaler_spec},
    {"apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames", crd_names},
    {"apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig", crd_webhook},
};

}  // namespace

const std::unordered_map<const Schema*, Rule>& rules() {
  static const auto& map = *[] {
    auto* made = new std::unordered_map<const Schema*, Rule>;
    for (const auto& [name, rule] : kRules) {
      const Schema* schema = TypeSet::builtin().find("io.k8s." + std::string(name));
      ASSERT(schema != nullptr);
      made->emplace(schema, rule);
    }
    return made;
  }();
  return map;
}

}  // namespace flotilla::api::defaulting
