// SPDX-License-Identifier: Apache-2.0
#include "workloads.hpp"

#include <algorithm>

namespace flotilla::simulated {

namespace {

using sdk::member;
using sdk::text;

std::int64_t number_of(const Json& value, std::int64_t otherwise) {
  return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
}

std::int64_t generation_of(const Json& object) {
  return number_of(member(member(object, "metadata"), "generation"), 1);
}

Json condition(const char* type, const char* reason, const char* message, const std::string& now) {
  return Json{{"type", type},       {"status", "True"},      {"reason", reason},
              {"message", message}, {"lastUpdateTime", now}, {"lastTransitionTime", now}};
}

std::int64_t replicas_of(const Json& object) {
  return number_of(member(member(object, "spec"), "replicas"), 1);
}

Json deployment_status(const Json& object, const std::string& now) {
  const std::int64_t replicas = replicas_of(object);
  Json status{{"observedGeneration", generation_of(object)}};
  if (replicas > 0) {
    for (const char* key : {"replicas", "updatedReplicas", "readyReplicas", "availableReplicas"}) {
      status[key] = replicas;
    }
  }
  status["conditions"] = Json::array(
      {condition("Available", "MinimumReplicasAvailable", "Deployment has minimum availability.", now),
       condition("Progressing", "NewReplicaSetAvailable", "ReplicaSet has successfully progressed.", now)});
  return status;
}

Json stateful_set_status(const Json& object) {
  const std::int64_t replicas = replicas_of(object);
  const std::string revision =
      text(member(member(object, "metadata"), "name")) + "-" + std::to_string(generation_of(object));
  return {{"observedGeneration", generation_of(object)},
          {"replicas", replicas},
          {"readyReplicas", replicas},
          {"currentReplicas", replicas},
          {"updatedReplicas", replicas},
          {"availableReplicas", replicas},
          {"currentRevision", revision},
          {"updateRevision", revision},
          {"collisionCount", 0}};
}

Json daemon_set_status(const Json& object, int nodes) {
  return {{"observedGeneration", generation_of(object)},
          {"currentNumberScheduled", nodes},
          {"desiredNumberScheduled", nodes},
          {"updatedNumberScheduled", nodes},
          {"numberAvailable", nodes},
          {"numberReady", nodes},
          {"numberMisscheduled", 0}};
}

Json job_status(const Json& object, const std::string& now) {
  const Json& old = member(object, "status");
  if (old.contains("completionTime")) return old;
  const std::int64_t completions = number_of(member(member(object, "spec"), "completions"), 1);
  Json complete =
      condition("Complete", "CompletionsReached", "Reached expected number of succeeded pods", now);
  complete.erase("lastUpdateTime");
  complete["lastProbeTime"] = now;
  return {{"startTime", now},
          {"completionTime", now},
          {"succeeded", completions},
          {"ready", 0},
          {"terminating", 0},
          {"uncountedTerminatedPods", Json::object()},
          {"conditions", Json::array({std::move(complete)})}};
}

Json pod_status(const std::string& now) {
  Json conditions = Json::array();
  for (const char* type : {"Initialized", "Ready", "ContainersReady", "PodScheduled"}) {
    conditions.push_back({{"type", type}, {"status", "True"}, {"lastTransitionTime", now}});
  }
  return {{"phase", "Running"}, {"conditions", std::move(conditions)}, {"startTime", now}};
}

Json claim_status(const Json& object) {
  const Json& spec = member(object, "spec");
  Json status{{"phase", "Bound"}, {"accessModes", member(spec, "accessModes")}};
  status["capacity"] = member(member(spec, "resources"), "requests");
  return status;
}

Json service_status(const Json& object) {
  if (text(member(member(object, "spec"), "type")) != "LoadBalancer")
    return {{"loadBalancer", Json::object()}};
  const Json ingress{{"ip", "192.0.2.1"}, {"ipMode", "VIP"}};
  return {{"loadBalancer", {{"ingress", Json::array({ingress})}}}};
}

// 10.96.0.0/12 as kubeadm has it.
std::string cluster_ip(std::uint64_t number) {
  return "10." + std::to_string(96 + number / 65536 % 16) + "." + std::to_string(number / 256 % 256) + "." +
         std::to_string(number % 256);
}

void default_service(Json& spec, const Json* old, std::uint64_t number) {
  if (!spec.contains("type")) spec["type"] = "ClusterIP";
  if (text(spec["type"]) == "ExternalName") return;
  const Json& old_spec = old == nullptr ? member(Json(), "spec") : member(*old, "spec");
  if (!spec.contains("clusterIP") || text(spec["clusterIP"]).empty()) {
    spec["clusterIP"] = old_spec.contains("clusterIP") ? old_spec["clusterIP"] : Json(cluster_ip(number));
  }
  if (!spec.contains("clusterIPs")) spec["clusterIPs"] = Json::array({spec["clusterIP"]});
  if (!spec.contains("sessionAffinity")) spec["sessionAffinity"] = "None";
  for (Json& port : spec["ports"]) {
    if (!port.contains("protocol")) port["protocol"] = "TCP";
    if (!port.contains("targetPort")) port["targetPort"] = port["port"];
  }
}

}  // namespace

Settings Settings::from(const Json& config, const Settings& otherwise) {
  Settings settings = otherwise;
  const Json& node = member(config, "node");
  settings.nodes = static_cast<int>(number_of(member(config, "nodes"), settings.nodes));
  settings.node_pods = static_cast<int>(number_of(member(node, "pods"), settings.node_pods));
  settings.ready_delay_ms = number_of(member(config, "readyDelayMs"), settings.ready_delay_ms);
  if (node.contains("cpu")) settings.node_cpu = node["cpu"].get<std::string>();
  if (node.contains("memory")) settings.node_memory = node["memory"].get<std::string>();
  if (config.contains("version")) settings.version = config["version"].get<std::string>();
  if (config.contains("unreachable")) settings.unreachable = config["unreachable"].get<bool>();
  return settings;
}

void set_defaults(const Resource& resource, Json& object, const Json* old, std::uint64_t number) {
  const std::string_view kind = resource.kind;
  if (kind == "Namespace") {
    object["spec"]["finalizers"] = Json::array({"kubernetes"});
    object["metadata"]["labels"]["kubernetes.io/metadata.name"] = object["metadata"]["name"];
    if (old == nullptr) object["status"] = {{"phase", "Active"}};
    return;
  }
  if (!object.contains("spec") || !object["spec"].is_object()) return;
  Json& spec = object["spec"];
  if (kind == "Deployment" || kind == "StatefulSet" || kind == "ReplicaSet") {
    if (!spec.contains("replicas")) spec["replicas"] = 1;
  } else if (kind == "Job") {
    if (!spec.contains("parallelism")) spec["parallelism"] = 1;
    if (!spec.contains("completions")) spec["completions"] = 1;
  } else if (kind == "Service") {
    default_service(spec, old, number);
  } else if (kind == "PersistentVolumeClaim" && !spec.contains("volumeName")) {
    const Json& uid = object["metadata"]["uid"];
    spec["volumeName"] = "pvc-" + text(uid);
  } else if (kind == "Pod" && !spec.contains("nodeName")) {
    spec["nodeName"] = "node-0";
  }
}

bool has_controller(const Resource& resource) {
  static constexpr std::string_view kKinds[] = {
      "Deployment", "StatefulSet",           "DaemonSet", "ReplicaSet", "Job",
      "Pod",        "PersistentVolumeClaim", "Service",   "Ingress"};
  for (const std::string_view kind : kKinds) {
    if (kind == resource.kind) return true;
  }
  return false;
}

Json status_of(const Resource& resource, const Json& object, const Settings& settings,
               const std::string& now) {
  const std::string_view kind = resource.kind;
  if (kind == "Deployment") return deployment_status(object, now);
  if (kind == "StatefulSet") return stateful_set_status(object);
  if (kind == "DaemonSet") return daemon_set_status(object, settings.nodes);
  if (kind == "Job") return job_status(object, now);
  if (kind == "Pod") return pod_status(now);
  if (kind == "PersistentVolumeClaim") return claim_status(object);
  if (kind == "Service") return service_status(object);
  if (kind == "Ingress") return {{"loadBalancer", Json::object()}};
  if (kind == "ReplicaSet") {
    Json status = deployment_status(object, now);
    status.erase("updatedReplicas");
    status.erase("conditions");
    status["fullyLabeledReplicas"] = replicas_of(object);
    if (!status.contains("replicas")) status["replicas"] = 0;
    return status;
  }
  return {};
}

Json make_node(const Settings& settings, int index) {
  const std::string name = "node-" + std::to_string(index);
  const Json capacity{{"cpu", settings.node_cpu},
                      {"memory", settings.node_memory},
                      {"pods", std::to_string(settings.node_pods)},
                      {"ephemeral-storage", "100Gi"}};
  const Json ready{{"type", "Ready"}, {"status", "True"}, {"reason", "KubeletReady"}};
  return {{"apiVersion", "v1"},
          {"kind", "Node"},
          {"metadata",
           {{"name", name},
            {"uid", "00000000-0000-4000-8000-" + std::to_string(100'000'000'000 + index)},
            {"resourceVersion", "1"},
            {"labels", {{"kubernetes.io/hostname", name}, {"kubernetes.io/os", "linux"}}}}},
          {"spec", Json::object()},
          {"status",
           {{"capacity", capacity},
            {"allocatable", capacity},
            {"conditions", Json::array({ready})},
            {"nodeInfo", {{"kubeletVersion", settings.version}}}}}};
}

std::vector<Json> make_pods(const Resource& resource, const Json& workload, const Settings& settings) {
  std::vector<Json> pods;
  const std::string_view kind = resource.kind;
  if (kind != "Deployment" && kind != "StatefulSet" && kind != "DaemonSet") return pods;
  const Json& status = member(workload, "status");
  const std::int64_t count =
      number_of(member(status, kind == "DaemonSet" ? "numberReady" : "readyReplicas"), 0);
  const Json& metadata = member(workload, "metadata");
  const Json& form = member(member(workload, "spec"), "template");
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string name = text(member(metadata, "name")) + "-" + std::to_string(i);
    Json pod{{"apiVersion", "v1"}, {"kind", "Pod"}};
    pod["metadata"] = {{"name", name},
                       {"namespace", member(metadata, "namespace")},
                       {"uid", text(member(metadata, "uid")) + "-" + std::to_string(i)},
                       {"resourceVersion", member(metadata, "resourceVersion")},
                       {"creationTimestamp", member(metadata, "creationTimestamp")},
                       {"labels", member(member(form, "metadata"), "labels")}};
    pod["spec"] = member(form, "spec");
    pod["spec"]["nodeName"] = "node-" + std::to_string(i % std::max(1, settings.nodes));
    pod["status"] = pod_status(text(member(metadata, "creationTimestamp")));
    pods.push_back(std::move(pod));
  }
  return pods;
}

}  // namespace flotilla::simulated
