// SPDX-License-Identifier: Apache-2.0
#include "core/api/limits/quota.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/api/object.hpp"

namespace flotilla::api {
namespace {

constexpr std::string_view kComputed[] = {"cpu", "memory", "ephemeral-storage"};

bool is_pod(std::string_view group, std::string_view resource) {
  return group.empty() && resource == "pods";
}

ResourceList amounts_of(const Json& list) {
  auto read = ResourceList::from_json(list);
  return read ? *std::move(read) : ResourceList();
}

// By value: to be walked in place.
ResourceList::Amounts map_of(const ResourceList& list) {
  return list.amounts();
}

// Sums over containers, at least the greatest init container.
ResourceList pod_amounts(const Json& spec, std::string_view which) {
  ResourceList total;
  for (const Json& container : spec["containers"].elements())
    total.add(amounts_of(container["resources"][which]));
  ResourceList sidecars;
  for (const Json& container : spec["initContainers"].elements()) {
    ResourceList own = amounts_of(container["resources"][which]);
    if (container["restartPolicy"].as_string() == "Always") {
      total.add(own);
      sidecars.add(own);
      continue;
    }
    own.add(sidecars);
    total.raise_to(own);
  }
  if (spec["overhead"].is_object()) {
    for (const auto& [name, amount] : map_of(amounts_of(spec["overhead"]))) {
      if (which == "requests" || !total.amount(name).is_zero()) {
        ResourceList extra;
        extra.set(name, amount);
        total.add(extra);
      }
    }
  }
  return total;
}

bool is_extended(std::string_view name) {
  return name.find('/') != std::string_view::npos && name.find("kubernetes.io/") == std::string_view::npos;
}

// cpu, requests.cpu, limits.cpu and so on, from what containers ask for.
void add_computed(const ResourceList& requests, const ResourceList& limits, ResourceList& cost) {
  for (const auto& [name, amount] : requests.amounts()) {
    const bool computed = std::find(std::begin(kComputed), std::end(kComputed), name) != std::end(kComputed);
    if (computed || name.starts_with("hugepages-")) cost.set(name, amount);
    if (computed || name.starts_with("hugepages-") || is_extended(name)) cost.set("requests." + name, amount);
  }
  for (const auto& [name, amount] : limits.amounts()) {
    if (std::find(std::begin(kComputed), std::end(kComputed), name) != std::end(kComputed))
      cost.set("limits." + name, amount);
  }
}

// Whether nothing of it runs any more.
bool is_over(const Json& pod, WallTime now) {
  const std::string_view phase = pod["status"]["phase"].as_string();
  if (phase == "Failed" || phase == "Succeeded") return true;
  const auto deleted = parse_time(pod["metadata"]["deletionTimestamp"].as_string());
  if (!deleted || !pod["metadata"]["deletionGracePeriodSeconds"].is_int()) return false;
  return now > *deleted + std::chrono::seconds(pod["metadata"]["deletionGracePeriodSeconds"].as_int());
}

void add_pod(const Json& pod, WallTime now, ResourceList& cost) {
  if (is_over(pod, now)) return;
  cost.set("pods", Quantity(1));
  add_computed(pod_amounts(pod["spec"], "requests"), pod_amounts(pod["spec"], "limits"), cost);
}

void add_service(const Json& service, ResourceList& cost) {
  const Json& spec = service["spec"];
  const std::string_view type = spec["type"].as_string();
  const auto ports = spec["ports"].elements();
  auto node_ports =
      static_cast<std::int64_t>(type == "NodePort" || type == "LoadBalancer" ? ports.size() : 0);
  if (type == "LoadBalancer" && spec["allocateLoadBalancerNodePorts"].is_bool() &&
      !spec["allocateLoadBalancerNodePorts"].as_bool()) {
    node_ports = std::count_if(ports.begin(), ports.end(),
                               [](const Json& port) { return port["nodePort"].as_int() != 0; });
  }
  cost.set("services.nodeports", Quantity(node_ports));
  cost.set("services.loadbalancers", Quantity(type == "LoadBalancer" ? 1 : 0));
}

void add_claim(const Json& claim, ResourceList& cost) {
  const Json& spec = claim["spec"];
  const auto storage = Quantity::from_json(spec["resources"]["requests"]["storage"]);
  std::string class_name(spec["storageClassName"].as_string());
  const std::string_view legacy = annotation_of(claim, "volume.beta.kubernetes.io/storage-class");
  if (!legacy.empty()) class_name = legacy;
  if (storage) cost.set("requests.storage", *storage);
  if (class_name.empty()) return;
  const std::string prefix = class_name + ".storageclass.storage.k8s.io/";
  cost.set(prefix + "persistentvolumeclaims", Quantity(1));
  if (storage) cost.set(prefix + "requests.storage", *storage);
}

bool is_plainly_counted(std::string_view resource) {
  for (const std::string_view name : {"configmaps", "persistentvolumeclaims", "replicationcontrollers",
                                      "resourcequotas", "secrets", "services"}) {
    if (resource == name) return true;
  }
  return false;
}

std::string count_name(std::string_view group, std::string_view resource) {
  return "count/" + std::string(resource) + (group.empty() ? "" : "." + std::string(group));
}

bool is_best_effort(const Json& pod) {
  const auto asks = [](const Json& containers) {
    for (const Json& container : containers.elements()) {
      for (const char* which : {"requests", "limits"}) {
        for (const auto& [name, amount] : map_of(amounts_of(container["resources"][which]))) {
          if ((name == "cpu" || name == "memory") && !amount.is_zero()) return true;
        }
      }
    }
    return false;
  };
  return !asks(pod["spec"]["containers"]) && !asks(pod["spec"]["initContainers"]);
}

bool has_cross_namespace_affinity(const Json& spec) {
  const auto crosses = [](const Json& term) {
    return term["namespaces"].size() > 0 || term["namespaceSelector"].is_object();
  };
  for (const char* kind : {"podAffinity", "podAntiAffinity"}) {
    const Json& affinity = spec["affinity"][kind];
    for (const Json& term : affinity["requiredDuringSchedulingIgnoredDuringExecution"].elements())
      if (crosses(term)) return true;
    for (const Json& term : affinity["preferredDuringSchedulingIgnoredDuringExecution"].elements())
      if (crosses(term["podAffinityTerm"])) return true;
  }
  return false;
}

bool in_scope(std::string_view scope, std::string_view op, const Json& values, const Json& pod) {
  const Json& spec = pod["spec"];
  if (scope == "Terminating") return spec["activeDeadlineSeconds"].is_int();
  if (scope == "NotTerminating") return !spec["activeDeadlineSeconds"].is_int();
  if (scope == "BestEffort") return is_best_effort(pod);
  if (scope == "NotBestEffort") return !is_best_effort(pod);
  if (scope == "CrossNamespacePodAffinity") return has_cross_namespace_affinity(spec);
  if (scope != "PriorityClass") return false;
  const std::string_view own = spec["priorityClassName"].as_string();
  const auto list = values.elements();
  const bool listed =
      std::any_of(list.begin(), list.end(), [&](const Json& value) { return value.as_string() == own; });
  if (op == "In") return !own.empty() && listed;
  if (op == "NotIn") return !listed;
  return (op == "DoesNotExist") == own.empty();
}

}  // namespace

ResourceList quota_cost(std::string_view group, std::string_view resource, const Json& object, WallTime now) {
  ResourceList cost;
  cost.set(count_name(group, resource), Quantity(1));
  if (is_pod(group, resource)) {
    add_pod(object, now, cost);
    return cost;
  }
  if (!group.empty()) return cost;
  if (is_plainly_counted(resource)) cost.set(resource, Quantity(1));
  if (resource == "services") add_service(object, cost);
  if (resource == "persistentvolumeclaims") add_claim(object, cost);
  return cost;
}

bool quota_counts(std::string_view group, std::string_view resource, std::string_view name) {
  if (name == count_name(group, resource)) return true;
  if (is_pod(group, resource)) {
    if (name == "pods" || name.starts_with("hugepages-") || name.starts_with("limits.")) return true;
    if (name.starts_with("requests.")) return name != "requests.storage";
    return std::find(std::begin(kComputed), std::end(kComputed), name) != std::end(kComputed);
  }
  if (!group.empty()) return false;
  if (is_plainly_counted(resource) && name == resource) return true;
  if (resource == "services") return name.starts_with("services.");
  if (resource != "persistentvolumeclaims") return false;
  return name == "requests.storage" || name.find(".storageclass.storage.k8s.io/") != std::string_view::npos;
}

bool quota_matches(const Json& quota, std::string_view group, std::string_view resource, const Json& object) {
  bool counts = false;
  for (const auto& [name, value] : quota["status"]["hard"].members())
    counts = counts || quota_counts(group, resource, name);
  if (!counts) return false;
  const Json& spec = quota["spec"];
  const auto expressions = spec["scopeSelector"]["matchExpressions"].elements();
  if (spec["scopes"].empty() && expressions.empty()) return true;
  if (!is_pod(group, resource)) return false;
  static const Json kNone;
  for (const Json& scope : spec["scopes"].elements()) {
    if (!in_scope(scope.as_string(), "Exists", kNone, object)) return false;
  }
  for (const Json& expression : expressions) {
    if (!in_scope(expression["scopeName"].as_string(), expression["operator"].as_string(),
                  expression["values"], object)) {
      return false;
    }
  }
  return true;
}

std::string quota_missing(const Json& pod, const std::vector<std::string>& names) {
  static constexpr std::string_view kRequired[] = {
      "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"};
  std::map<std::string, std::set<std::string>> missing;
  const auto look = [&](const Json& containers) {
    for (const Json& container : containers.elements()) {
      ResourceList given;
      add_computed(amounts_of(container["resources"]["requests"]),
                   amounts_of(container["resources"]["limits"]), given);
      for (const std::string& name : names) {
        if (std::find(std::begin(kRequired), std::end(kRequired), name) == std::end(kRequired)) continue;
        if (!given.amounts().contains(name)) missing[name].emplace(container["name"].as_string());
      }
    }
  };
  look(pod["spec"]["containers"]);
  look(pod["spec"]["initContainers"]);
  std::string text;
  for (const auto& [name, containers] : missing) {
    text += (text.empty() ? "must specify " : "; ") + name + " for: ";
    bool first = true;
    for (const std::string& container : containers) {
      text += (first ? "" : ",") + container;
      first = false;
    }
  }
  return text;
}

std::string quota_text(const ResourceList& amounts) {
  std::string text;
  for (const auto& [name, amount] : amounts.amounts())
    text += (text.empty() ? "" : ",") + name + "=" + amount.to_string();
  return text;
}

ResourceList quota_mask(const ResourceList& amounts, const ResourceList& names) {
  ResourceList out;
  for (const auto& [name, amount] : amounts.amounts()) {
    if (names.amounts().contains(name)) out.set(name, amount);
  }
  return out;
}

}  // namespace flotilla::api
