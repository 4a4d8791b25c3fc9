// SPDX-License-Identifier: Apache-2.0
#include "core/simulation/metrics.hpp"

#include <map>
#include <optional>

#include "core/api/names.hpp"
#include "core/api/resource_list.hpp"
#include "core/api/selector.hpp"
#include "core/simulation/world.hpp"

namespace flotilla::simulation {
namespace {

using api::Quantity;

constexpr std::string_view kWindow = "30s";
constexpr const char* kDefaults[][2] = {{"cpu", "50m"}, {"memory", "32Mi"}};

Error unknown(const std::string& resource, const std::string& name) {
  return not_found("the server could not find the metric for " + resource + " " + name);
}

// "cpu=200m,memory=64Mi"
std::map<std::string, Quantity> amounts_of(std::string_view text) {
  std::map<std::string, Quantity> amounts;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    if (const auto equal = part.find('='); equal != std::string_view::npos) {
      const auto amount = Quantity::parse(part.substr(equal + 1));
      if (amount) amounts[std::string(part.substr(0, equal))] = *amount;
    }
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return amounts;
}

ObjectPtr controller_of(const store::Store& store, const Json& object) {
  for (const Json& owner : object["metadata"]["ownerReferences"].elements()) {
    if (!owner["controller"].as_bool()) continue;
    const api::Gvk gvk = api::Gvk::from(owner["apiVersion"].as_string(), owner["kind"].as_string());
    const auto collection = store::collection_of(gvk.group, api::to_lower(gvk.kind) + "s");
    return store.get(collection, api::namespace_of(object), owner["name"].as_string());
  }
  return nullptr;
}

// An annotation of the object or of what made it.
std::string inherited(const store::Store& store, const Json& object, std::string_view key) {
  if (const std::string_view own = api::annotation_of(object, key); !own.empty()) return std::string(own);
  const ObjectPtr owner = controller_of(store, object);
  return owner ? inherited(store, *owner->content(), key) : std::string();
}

// The object that stands at the top: pods of one Deployment share its load, whatever ReplicaSet they are of.
std::string root_uid(const store::Store& store, const Json& object) {
  const ObjectPtr owner = controller_of(store, object);
  return owner ? root_uid(store, *owner->content()) : std::string(api::uid_of(object));
}

bool is_running(const Json& pod) {
  return phase_of(pod) == "Running" && pod["metadata"]["deletionTimestamp"].is_null();
}

std::int64_t running_siblings(const store::Store& store, const Json& pod) {
  const std::string root = root_uid(store, pod);
  std::int64_t count = 0;
  for (const ObjectPtr& other : store.list(kinds::kPod.collection(), api::namespace_of(pod)).objects) {
    const auto content = other->content();
    if (is_running(*content) && root_uid(store, *content) == root) ++count;
  }
  return std::max<std::int64_t>(count, 1);
}

Quantity divided(const Quantity& amount, std::int64_t by) {
  return Quantity::from_milli(amount.milli_value() / by, amount.format());
}

// Of the whole pod, by resource.
std::map<std::string, Quantity> usage_of(const store::Store& store, const Json& pod) {
  std::map<std::string, Quantity> usage;
  for (const auto& [name, least] : kDefaults) usage[name] = *Quantity::parse(least);
  const auto requests = api::pod_requests(pod["spec"], api::Limits::Ignored);
  for (const auto& [name, least] : kDefaults) {
    if (requests && !requests->amount(name).is_zero()) usage[name] = divided(requests->amount(name), 2);
  }
  const std::string load = inherited(store, pod, kLoadAnnotation);
  if (!load.empty()) {
    const std::int64_t pods = running_siblings(store, pod);
    for (const auto& [name, amount] : amounts_of(load)) usage[name] = divided(amount, pods);
  }
  for (const auto& [name, amount] : amounts_of(inherited(store, pod, kUsageAnnotation))) usage[name] = amount;
  return usage;
}

Json pod_metrics(const store::Store& store, const Json& pod, WallTime now) {
  const auto usage = usage_of(store, pod);
  const auto containers = pod["spec"]["containers"].elements();
  Json list = Json::array();
  for (const Json& container : containers) {
    Json amounts = Json::object();
    for (const auto& [name, amount] : usage)
      amounts.set(name, divided(amount, static_cast<std::int64_t>(containers.size())).to_string());
    list.push_back(Json::object({{"name", container["name"]}, {"usage", std::move(amounts)}}));
  }
  Json metadata = Json::object({{"name", api::name_of(pod)},
                                {"namespace", api::namespace_of(pod)},
                                {"creationTimestamp", format_time(now)}});
  if (pod["metadata"].contains("labels")) metadata.set("labels", pod["metadata"]["labels"]);
  return Json::object({{"kind", "PodMetrics"},
                       {"apiVersion", "metrics.k8s.io/v1beta1"},
                       {"metadata", std::move(metadata)},
                       {"timestamp", format_time(now)},
                       {"window", kWindow},
                       {"containers", std::move(list)}});
}

Json node_metrics(const store::Store& store, const Json& node, WallTime now) {
  std::map<std::string, Quantity> used;
  for (const ObjectPtr& pod : store.list(kinds::kPod.collection()).objects) {
    const auto content = pod->content();
    if (!is_running(*content) || !((*content)["spec"]["nodeName"] == node["metadata"]["name"])) continue;
    for (const auto& [name, amount] : usage_of(store, *content)) used[name] += amount;
  }
  Json usage = Json::object({{"cpu", "0"}, {"memory", "0"}});
  for (const auto& [name, amount] : used) usage.set(name, amount.to_string());
  return Json::object({{"kind", "NodeMetrics"},
                       {"apiVersion", "metrics.k8s.io/v1beta1"},
                       {"metadata", Json::object({{"name", api::name_of(node)},
                                                  {"labels", node["metadata"]["labels"]},
                                                  {"creationTimestamp", format_time(now)}})},
                       {"timestamp", format_time(now)},
                       {"window", kWindow},
                       {"usage", std::move(usage)}});
}

Json list_of(const std::string& api_version, const std::string& kind, Json items) {
  return Json::object({{"kind", kind + "List"},
                       {"apiVersion", api_version},
                       {"metadata", Json::object()},
                       {"items", std::move(items)}});
}

Result<Json> resource_metrics(const store::Store& store, const MetricsQuery& query, WallTime now) {
  const std::string& resource = query.path.front();
  const bool pods = resource == "pods";
  if ((!pods && resource != "nodes") || query.path.size() > 2)
    return not_found("the server could not find the requested resource");
  const auto selector = api::LabelSelector::parse(query.label_selector);
  if (!selector) return selector.error();
  const auto& collection = (pods ? kinds::kPod : kinds::kNode).collection();
  const auto measure = [&](const Json& object) {
    return pods ? pod_metrics(store, object, now) : node_metrics(store, object, now);
  };
  if (query.path.size() == 2) {
    const ObjectPtr object = store.get(collection, pods ? query.ns : "", query.path[1]);
    if (!object || (pods && !is_running(*object->content()))) {
      return not_found(resource + ".metrics.k8s.io \"" + query.path[1] + "\" not found");
    }
    return measure(*object->content());
  }
  Json items = Json::array();
  for (const ObjectPtr& object : store.list(collection, pods ? query.ns : "").objects) {
    const auto content = object->content();
    if (!selector->matches((*content)["metadata"]["labels"])) continue;
    if (!pods || is_running(*content)) items.push_back(measure(*content));
  }
  return list_of("metrics.k8s.io/v1beta1", pods ? "PodMetrics" : "NodeMetrics", std::move(items));
}

// Null: the object says nothing of this metric.
Json custom_value(const store::Store& store, const Json& object, const MetricsQuery& query,
                  const std::string& metric, WallTime now) {
  const auto said = Json::parse(inherited(store, object, kMetricsAnnotation));
  if (!said) return nullptr;
  const Json& value = std::as_const(*said)[metric];
  if (value.is_null()) return nullptr;
  Json described = Json::object(
      {{"kind", object["kind"]}, {"name", api::name_of(object)}, {"apiVersion", object["apiVersion"]}});
  if (!api::namespace_of(object).empty()) described.set("namespace", api::namespace_of(object));
  Json answer = Json::object({{"describedObject", std::move(described)},
                              {"timestamp", format_time(now)},
                              {"value", value.is_string() ? value : Json(value.dump())}});
  if (query.version == "v1beta1") {
    answer.set("metricName", metric);
  } else {
    answer.set("metric", Json::object({{"name", metric}}));
  }
  return answer;
}

Result<Json> custom_metrics(const store::Store& store, const MetricsQuery& query, WallTime now) {
  if (query.path.size() == 2 && query.path[0] == "metrics" && !query.ns.empty()) {
    const MetricsQuery of_namespace{
        query.group, query.version, "", {"namespaces", query.ns, query.path[1]}, query.label_selector};
    return custom_metrics(store, of_namespace, now);
  }
  if (query.path.size() != 3) return not_found("the server could not find the requested resource");
  const std::string &resource = query.path[0], &name = query.path[1], &metric = query.path[2];
  const auto selector = api::LabelSelector::parse(query.label_selector);
  if (!selector) return selector.error();
  const auto dot = resource.find('.');
  const auto collection =
      store::collection_of(dot == std::string::npos ? "" : resource.substr(dot + 1), resource.substr(0, dot));
  Json items = Json::array();
  for (const ObjectPtr& object : store.list(collection, query.ns).objects) {
    if (name != "*" && object->name() != name) continue;
    const auto content = object->content();
    if (name == "*" && !selector->matches((*content)["metadata"]["labels"])) continue;
    if (resource == "pods" && !is_running(*content)) continue;
    Json value = custom_value(store, *content, query, metric, now);
    if (!value.is_null()) items.push_back(std::move(value));
  }
  if (items.empty()) return unknown(resource, name);
  return list_of("custom.metrics.k8s.io/" + query.version, "MetricValue", std::move(items));
}

}  // namespace

Result<Json> answer_metrics(const store::Store& store, const MetricsQuery& query, WallTime now) {
  if (query.path.empty()) return not_found("the server could not find the requested resource");
  return query.group == "metrics.k8s.io" ? resource_metrics(store, query, now)
                                         : custom_metrics(store, query, now);
}

}  // namespace flotilla::simulation
