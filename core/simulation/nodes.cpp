// SPDX-License-Identifier: Apache-2.0
#include "core/simulation/nodes.hpp"

#include <algorithm>

#include "core/api/conditions.hpp"
#include "core/api/quantity.hpp"

namespace flotilla::simulation {
namespace {

std::int64_t milli(const Json& quantity) {
  const auto parsed = api::Quantity::from_json(quantity);
  return parsed ? parsed->milli_value() : 0;
}

std::int64_t whole(const Json& quantity) {
  const auto parsed = api::Quantity::from_json(quantity);
  return parsed ? parsed->value() : 0;
}

PodNeeds needs_of_container(const Json& container) {
  const Json& requests = container["resources"]["requests"];
  return {milli(requests["cpu"]), whole(requests["memory"])};
}

bool tolerates(const Json& spec, const Json& taint) {
  for (const Json& toleration : spec["tolerations"].elements()) {
    const std::string_view effect = toleration["effect"].as_string();
    if (!effect.empty() && effect != taint["effect"].as_string()) continue;
    const std::string_view key = toleration["key"].as_string();
    if (!key.empty() && key != taint["key"].as_string()) continue;
    const bool exists = toleration["operator"].as_string() == "Exists";
    if (key.empty() && !exists) continue;
    if (exists || toleration["value"].as_string() == taint["value"].as_string()) return true;
  }
  return false;
}

}  // namespace

PodNeeds needs_of(const Json& pod) {
  const Json& spec = pod["spec"];
  PodNeeds sum;
  for (const Json& container : spec["containers"].elements()) {
    const PodNeeds needs = needs_of_container(container);
    sum.cpu_milli += needs.cpu_milli;
    sum.memory += needs.memory;
  }
  for (const Json& container : spec["initContainers"].elements()) {
    const PodNeeds needs = needs_of_container(container);
    sum.cpu_milli = std::max(sum.cpu_milli, needs.cpu_milli);
    sum.memory = std::max(sum.memory, needs.memory);
  }
  sum.cpu_milli += milli(spec["overhead"]["cpu"]);
  sum.memory += whole(spec["overhead"]["memory"]);
  return sum;
}

void NodePool::update(const Json& node) {
  std::lock_guard lock(mutex_);
  Node& known = nodes_[std::string(api::name_of(node))];
  const Json& allocatable = node["status"]["allocatable"];
  known.capacity = {milli(allocatable["cpu"]), whole(allocatable["memory"])};
  known.pods = whole(allocatable["pods"]);
  known.labels = node["metadata"]["labels"];
  known.taints = node["spec"]["taints"];
  known.unschedulable = node["spec"]["unschedulable"].as_bool();
  known.ready = api::is_condition_true(node["status"]["conditions"], "Ready");
}

void NodePool::remove(const std::string& name) {
  std::lock_guard lock(mutex_);
  nodes_.erase(name);
}

std::string NodePool::why_not(const Node& node, const Json& spec, const PodNeeds& needs) {
  for (const auto& [key, value] : spec["nodeSelector"].members()) {
    if (node.labels[key].as_string() != value.as_string() || !node.labels.contains(key)) {
      return "node(s) didn't match Pod's node affinity/selector";
    }
  }
  if (node.unschedulable) return "node(s) were unschedulable";
  if (!node.ready) return "node(s) were not ready";
  for (const Json& taint : node.taints.elements()) {
    if (taint["effect"].as_string() != "PreferNoSchedule" && !tolerates(spec, taint)) {
      return "node(s) had untolerated taint {" + std::string(taint["key"].as_string()) + ": " +
             std::string(taint["value"].as_string()) + "}";
    }
  }
  if (node.used_pods + 1 > node.pods) return "Too many pods";
  if (needs.cpu_milli > 0 && node.used.cpu_milli + needs.cpu_milli > node.capacity.cpu_milli) {
    return "Insufficient cpu";
  }
  if (needs.memory > 0 && node.used.memory + needs.memory > node.capacity.memory)
    return "Insufficient memory";
  return {};
}

NodeFit NodePool::place(const Json& pod) const {
  const PodNeeds needs = needs_of(pod);
  std::lock_guard lock(mutex_);
  const Node* best = nullptr;
  NodeFit fit;
  std::map<std::string, int> reasons;
  for (const auto& [name, node] : nodes_) {
    std::string reason = why_not(node, pod["spec"], needs);
    if (!reason.empty()) {
      ++reasons[std::move(reason)];
      continue;
    }
    if (best == nullptr || node.used_pods < best->used_pods) {
      best = &node;
      fit.node = name;
    }
  }
  if (best == nullptr) {
    fit.reason = "0/" + std::to_string(nodes_.size()) + " nodes are available";
    std::string separator = ": ";
    for (const auto& [reason, count] : reasons) {
      fit.reason += separator + std::to_string(count) + " " + reason;
      separator = ", ";
    }
    fit.reason += ".";
  }
  return fit;
}

void NodePool::book(const std::string& uid, const std::string& node, const PodNeeds& needs) {
  std::lock_guard lock(mutex_);
  const auto it = nodes_.find(node);
  if (it == nodes_.end() || !bookings_.try_emplace(uid, Booking{node, needs}).second) return;
  it->second.used.cpu_milli += needs.cpu_milli;
  it->second.used.memory += needs.memory;
  ++it->second.used_pods;
}

bool NodePool::release(const std::string& uid) {
  std::lock_guard lock(mutex_);
  const auto booked = bookings_.extract(uid);
  if (booked.empty()) return false;
  const auto it = nodes_.find(booked.mapped().node);
  if (it != nodes_.end()) {
    it->second.used.cpu_milli -= booked.mapped().needs.cpu_milli;
    it->second.used.memory -= booked.mapped().needs.memory;
    --it->second.used_pods;
  }
  return true;
}

std::vector<std::string> NodePool::eligible(const Json& pod_spec) const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, node] : nodes_) {
    Node empty = node;
    empty.used = {};
    empty.used_pods = 0;
    empty.unschedulable = false;  // daemons tolerate it
    if (why_not(empty, pod_spec, {}).empty()) names.push_back(name);
  }
  return names;
}

Json make_node(const Settings& settings, int index, WallTime now) {
  const std::string name = "node-" + std::to_string(index + 1);
  const std::string stamp = format_time(now);
  const std::string address = "172.18.0." + std::to_string(index + 2);
  const Json capacity = Json::object({{"cpu", settings.node.cpu},
                                      {"memory", settings.node.memory},
                                      {"pods", settings.node.pods},
                                      {"ephemeral-storage", "256Gi"}});
  const auto condition = [&](std::string_view type, std::string_view status, std::string_view reason,
                             std::string_view message) {
    return Json::object({{"type", type},
                         {"status", status},
                         {"reason", reason},
                         {"message", message},
                         {"lastHeartbeatTime", stamp},
                         {"lastTransitionTime", stamp}});
  };
  return Json::object(
      {{"apiVersion", "v1"},
       {"kind", "Node"},
       {"metadata", Json::object({{"name", name},
                                  {"labels", Json::object({{"kubernetes.io/hostname", name},
                                                           {"kubernetes.io/os", "linux"},
                                                           {"kubernetes.io/arch", "amd64"},
                                                           {"beta.kubernetes.io/os", "linux"},
                                                           {"beta.kubernetes.io/arch", "amd64"}})}})},
       {"spec", Json::object({{"podCIDR", "10.244." + std::to_string(index) + ".0/24"}})},
       {"status",
        Json::object(
            {{"capacity", capacity},
             {"allocatable", capacity},
             {"addresses", Json::array({Json::object({{"type", "InternalIP"}, {"address", address}}),
                                        Json::object({{"type", "Hostname"}, {"address", name}})})},
             {"conditions",
              Json::array({condition("MemoryPressure", "False", "KubeletHasSufficientMemory",
                                     "kubelet has sufficient memory available"),
                           condition("DiskPressure", "False", "KubeletHasNoDiskPressure",
                                     "kubelet has no disk pressure"),
                           condition("PIDPressure", "False", "KubeletHasSufficientPID",
                                     "kubelet has sufficient PID available"),
                           condition("Ready", "True", "KubeletReady", "kubelet is posting ready status")})},
             {"daemonEndpoints", Json::object({{"kubeletEndpoint", Json::object({{"Port", 10250}})}})},
             {"nodeInfo", Json::object({{"architecture", "amd64"},
                                        {"bootID", ""},
                                        {"containerRuntimeVersion", "simulated://1"},
                                        {"kernelVersion", "simulated"},
                                        {"kubeProxyVersion", settings.node_version},
                                        {"kubeletVersion", settings.node_version},
                                        {"machineID", ""},
                                        {"operatingSystem", "linux"},
                                        {"osImage", "Flotilla simulated node"},
                                        {"systemUUID", ""}})}})}});
}

}  // namespace flotilla::simulation
