// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/versions.hpp"

#include <initializer_list>
#include <utility>

#include "core/api/binding_conversion.hpp"
#include "core/api/write/write.hpp"
#include "core/apiserver/read/encoded.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::string_view kMetricsAnnotation = "autoscaling.alpha.kubernetes.io/metrics";
constexpr std::string_view kBehaviorAnnotation = "autoscaling.alpha.kubernetes.io/behavior";
constexpr std::string_view kCurrentMetricsAnnotation = "autoscaling.alpha.kubernetes.io/current-metrics";
constexpr std::string_view kConditionsAnnotation = "autoscaling.alpha.kubernetes.io/conditions";

void move_member(Json& object, std::string_view from, std::string_view to) {
  Json* found = object.find(from);
  if (found == nullptr) return;
  Json value = std::move(*found);
  object.erase(from);
  object.set(to, std::move(value));
}

using Renames = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// events.k8s.io name, core name.
constexpr std::pair<std::string_view, std::string_view> kEventNames[] = {
    {"regarding", "involvedObject"},
    {"note", "message"},
    {"deprecatedSource", "source"},
    {"deprecatedFirstTimestamp", "firstTimestamp"},
    {"deprecatedLastTimestamp", "lastTimestamp"},
    {"deprecatedCount", "count"},
    {"reportingController", "reportingComponent"},
};

void event_to_core(Json& event) {
  for (const auto& [newer, core] : kEventNames) move_member(event, newer, core);
  if (!event.contains("reportingComponent")) event.set("reportingComponent", "");
  if (!event.contains("reportingInstance")) event.set("reportingInstance", "");
  if (!event.contains("source")) event.set("source", Json::object());
  if (!event.contains("involvedObject")) event.set("involvedObject", Json::object());
  for (const std::string_view time : {"eventTime", "firstTimestamp", "lastTimestamp"}) {
    if (!event.contains(time)) event.set(time, nullptr);
  }
}

void event_from_core(Json& event) {
  for (const auto& [newer, core] : kEventNames) move_member(event, core, newer);
  for (const std::string_view text : {"reportingController", "reportingInstance", "note", "reason", "type"}) {
    if (event[std::string_view(text)].as_string().empty()) event.erase(text);
  }
  if (event["regarding"].empty()) event.erase("regarding");
}

// The annotation holds the internal type, written without names of its own: fields in the struct's order.
std::string behavior_rules(const Json& rules) {
  if (rules.is_null()) return "null";
  std::string out = "{\"StabilizationWindowSeconds\":" + rules["stabilizationWindowSeconds"].dump() +
                    ",\"SelectPolicy\":" + rules["selectPolicy"].dump() + ",\"Policies\":";
  if (!rules["policies"].is_array()) return out + "null}";
  out += '[';
  bool first = true;
  for (const Json& policy : rules["policies"].elements()) {
    if (!std::exchange(first, false)) out += ',';
    out += "{\"Type\":" + policy["type"].dump() + ",\"Value\":" + policy["value"].dump() +
           ",\"PeriodSeconds\":" + policy["periodSeconds"].dump() + "}";
  }
  return out + "]}";
}

Json behavior_rules_back(const Json& rules) {
  Json out = Json::object();
  if (rules["StabilizationWindowSeconds"].is_int())
    out.set("stabilizationWindowSeconds", rules["StabilizationWindowSeconds"]);
  if (rules["SelectPolicy"].is_string()) out.set("selectPolicy", rules["SelectPolicy"]);
  for (const Json& policy : rules["Policies"].elements()) {
    out["policies"].push_back(Json::object(
        {{"type", policy["Type"]}, {"value", policy["Value"]}, {"periodSeconds", policy["PeriodSeconds"]}}));
  }
  return out;
}

// v2's metric as v1's annotation spells it: targets are flat.
std::string metric_v1(const Json& metric) {
  const std::string_view type = metric["type"].as_string();
  std::string key(type);
  if (!key.empty() && key[0] >= 'A' && key[0] <= 'Z') key[0] = static_cast<char>(key[0] - 'A' + 'a');
  const Json& source = metric[std::string_view(key)];
  const Json& target = source["target"];
  std::string body;
  const auto add = [&](std::string_view name, const Json& value) {
    if (value.is_null()) return;
    body += (body.empty() ? "\"" : ",\"") + std::string(name) + "\":" + value.dump();
  };
  if (type == "Resource" || type == "ContainerResource") {
    add("name", source["name"]);
    add("targetAverageUtilization", target["averageUtilization"]);
    add("targetAverageValue", target["averageValue"]);
    add("container", source["container"]);
  } else {
    if (type == "Object") add("target", source["describedObject"]);
    add("metricName", source["metric"]["name"]);
    add(type == "External" ? "metricSelector" : "selector", source["metric"]["selector"]);
    add("targetValue", target["value"]);
    add(type == "Object" ? "averageValue" : "targetAverageValue", target["averageValue"]);
  }
  return "{\"type\":" + metric["type"].dump() + ",\"" + key + "\":{" + body + "}}";
}

Json metric_v2(const Json& metric) {
  Json out = metric;
  for (const std::string_view key : {"resource", "containerResource"}) {
    const Json* old = metric.find(key);
    if (old == nullptr) continue;
    Json target = Json::object();
    if ((*old)["targetAverageUtilization"].is_int()) {
      target =
          Json::object({{"type", "Utilization"}, {"averageUtilization", (*old)["targetAverageUtilization"]}});
    } else {
      target = Json::object({{"type", "AverageValue"}, {"averageValue", (*old)["targetAverageValue"]}});
    }
    Json source = Json::object({{"name", (*old)["name"]}, {"target", std::move(target)}});
    if (old->contains("container")) source.set("container", (*old)["container"]);
    out.set(key, std::move(source));
  }
  for (const std::string_view key : {"pods", "object", "external"}) {
    const Json* old = metric.find(key);
    if (old == nullptr) continue;
    Json source = Json::object({{"metric", Json::object({{"name", (*old)["metricName"]}})}});
    const Json* selector = old->find(key == "external" ? "metricSelector" : "selector");
    if (selector != nullptr) source["metric"].set("selector", *selector);
    if (key == "object") source.set("describedObject", (*old)["target"]);
    const Json* average = old->find(key == "object" ? "averageValue" : "targetAverageValue");
    source.set("target", average != nullptr
                             ? Json::object({{"type", "AverageValue"}, {"averageValue", *average}})
                             : Json::object({{"type", "Value"}, {"value", (*old)["targetValue"]}}));
    out.set(key, std::move(source));
  }
  return out;
}

bool is_cpu_utilization(const Json& metric) {
  return metric["type"].as_string() == "Resource" && metric["resource"]["name"].as_string() == "cpu" &&
         metric["resource"]["target"]["type"].as_string() == "Utilization";
}

void autoscaler_to_v1(Json& object) {
  Json& spec = object["spec"];
  std::string others;
  for (const Json& metric : spec["metrics"].elements()) {
    if (is_cpu_utilization(metric) && !spec.contains("targetCPUUtilizationPercentage")) {
      spec.set("targetCPUUtilizationPercentage", metric["resource"]["target"]["averageUtilization"]);
      continue;
    }
    others += (others.empty() ? "" : ",") + metric_v1(metric);
  }
  if (!others.empty()) object.make({"metadata", "annotations", kMetricsAnnotation}) = "[" + others + "]";
  if (spec.contains("behavior")) {
    object.make({"metadata", "annotations", kBehaviorAnnotation}) =
        "{\"ScaleUp\":" + behavior_rules(spec["behavior"]["scaleUp"]) +
        ",\"ScaleDown\":" + behavior_rules(spec["behavior"]["scaleDown"]) + "}";
  }
  spec.erase("metrics");
  spec.erase("behavior");
  Json& status = object["status"];
  if (status["conditions"].size() > 0) {
    object.make({"metadata", "annotations", kConditionsAnnotation}) =
        std::as_const(status)["conditions"].dump();
  }
  for (const Json& metric : std::as_const(status)["currentMetrics"].elements()) {
    const Json& current = metric["resource"]["current"]["averageUtilization"];
    if (metric["resource"]["name"].as_string() == "cpu" && current.is_int()) {
      status.set("currentCPUUtilizationPercentage", Json(current));
    }
  }
  status.erase("conditions");
  status.erase("currentMetrics");
  for (const std::string_view count : {"currentReplicas", "desiredReplicas"}) {
    if (!status.contains(count)) status.set(count, 0);
  }
}

Json cpu_utilization(Json percent) {
  Json target = Json::object({{"type", "Utilization"}, {"averageUtilization", std::move(percent)}});
  Json resource = Json::object({{"name", "cpu"}, {"target", std::move(target)}});
  return Json::object({{"type", "Resource"}, {"resource", std::move(resource)}});
}

void autoscaler_to_v2(Json& object) {
  Json& spec = object["spec"];
  Json metrics = Json::array();
  if (const Json* target = spec.find("targetCPUUtilizationPercentage")) {
    metrics.push_back(cpu_utilization(*target));
    spec.erase("targetCPUUtilizationPercentage");
  }
  Json* metadata = object.find("metadata");
  Json* annotations = metadata == nullptr ? nullptr : metadata->find("annotations");
  if (annotations != nullptr) {
    const auto more = Json::parse(std::as_const(*annotations)[kMetricsAnnotation].as_string());
    if (more) {
      for (const Json& metric : more->elements()) metrics.push_back(metric_v2(metric));
    }
    const auto behavior = Json::parse(std::as_const(*annotations)[kBehaviorAnnotation].as_string());
    if (behavior && behavior->is_object()) {
      for (const auto& [from, to] : {std::pair("ScaleUp", "scaleUp"), std::pair("ScaleDown", "scaleDown")}) {
        if ((*behavior)[from].is_object()) spec["behavior"].set(to, behavior_rules_back((*behavior)[from]));
      }
    }
    for (const std::string_view key :
         {kMetricsAnnotation, kBehaviorAnnotation, kCurrentMetricsAnnotation, kConditionsAnnotation}) {
      annotations->erase(key);
    }
    if (annotations->empty()) metadata->erase("annotations");
  }
  // What the stored version defaults shows in every other one.
  if (metrics.empty()) metrics.push_back(cpu_utilization(80));
  spec.set("metrics", std::move(metrics));
  Json& status = object["status"];
  status.erase("currentCPUUtilizationPercentage");
  if (std::as_const(status)["currentReplicas"].as_int() == 0) status.erase("currentReplicas");
  if (!status.contains("currentMetrics")) status.set("currentMetrics", nullptr);
  if (!status.contains("desiredReplicas")) status.set("desiredReplicas", 0);
}

// The betas up to the second have another name for the shares.
void convert_priority_level(Json& object, std::string_view from, std::string_view wanted) {
  Json* limited = object.find("spec") == nullptr ? nullptr : object["spec"].find("limited");
  if (limited == nullptr) return;
  const auto is_old = [](std::string_view version) {
    return version.ends_with("/v1beta1") || version.ends_with("/v1beta2");
  };
  if (is_old(wanted) && !is_old(from))
    move_member(*limited, "nominalConcurrencyShares", "assuredConcurrencyShares");
  if (is_old(from) && !is_old(wanted))
    move_member(*limited, "assuredConcurrencyShares", "nominalConcurrencyShares");
}

}  // namespace

std::string storage_version(const Resource& resource) {
  if (resource.group == "events.k8s.io") return "v1";
  if (resource.group == "autoscaling") return "v2";
  if (resource.group == "flowcontrol.apiserver.k8s.io") return "v1beta3";
  return resource.storage_version.empty() ? resource.version : resource.storage_version;
}

ResourcePtr storage_resource(const Served& served, const ResourcePtr& resource) {
  const std::string group = resource->group == "events.k8s.io" ? "" : resource->group;
  const std::string version = storage_version(*resource);
  if (group == resource->group && version == resource->version) return resource;
  ResourcePtr stored = served.registry.find_resource(group, version, resource->resource);
  return stored ? stored : resource;
}

Json convert(const Resource& to, Json object) {
  const std::string from(object["apiVersion"].as_string());
  const std::string wanted = to.group_version();
  if (from == wanted) return object;
  object.set("apiVersion", wanted);
  if (to.kind == "Event" && from == "v1") {
    event_from_core(object);
  } else if (to.kind == "Event" && wanted == "v1") {
    event_to_core(object);
  } else if (wanted == "autoscaling/v1") {
    autoscaler_to_v1(object);
  } else if (from == "autoscaling/v1" && wanted == "autoscaling/v2") {
    autoscaler_to_v2(object);
  } else if (to.kind == "PriorityLevelConfiguration") {
    convert_priority_level(object, from, wanted);
  } else if (to.group == "work.karmada.io" && to.kind.ends_with("ResourceBinding")) {
    object.set("apiVersion", from);
    auto converted = api::convert_binding(object, to.version);
    if (converted) return *std::move(converted);
    object.set("apiVersion", wanted);
  }
  return object;
}

Json present(const Served& served, const Resource& resource, const api::Object& object) {
  const auto content = object.content();
  const bool foreign = (*content)["apiVersion"].as_string() != resource.group_version();
  Json shown = convert(resource, *content);
  const bool settled = !foreign && !served.reshaped.contains(resource.group_resource());
  if (resource.origin == api::Origin::Custom && !settled) api::refresh(resource, shown);
  return shown;
}

bool is_presentable(const Served& served, const Resource& resource, const api::Object& object) {
  if (resource.origin == api::Origin::Custom && served.reshaped.contains(resource.group_resource()))
    return false;
  if (resource.origin != api::Origin::Custom && resource.group != "events.k8s.io" &&
      storage_version(resource) == resource.version) {
    return true;
  }
  const std::string_view bytes = object.bytes();
  constexpr std::string_view kStart = "{\"apiVersion\":\"";
  const std::string wanted = resource.group_version();
  if (bytes.starts_with(kStart)) {
    const std::string_view value = bytes.substr(kStart.size(), wanted.size() + 1);
    return value.size() == wanted.size() + 1 && value.starts_with(wanted) && value.back() == '"';
  }
  return cut(bytes).api_version == wanted;
}

Json present(const Call& call, const api::Object& object) {
  const auto found = call.converted.find(&object);
  if (found != call.converted.end()) return found->second.second;
  return present(*call.served, *call.resource, object);
}

bool is_presentable(const Call& call, const api::Object& object) {
  return is_presentable(*call.served, *call.resource, object);
}

}  // namespace flotilla::apiserver
