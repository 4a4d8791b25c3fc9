// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/fleet_metrics.hpp"

#include <map>

#include "core/api/karmada.hpp"
#include "core/api/quantity.hpp"
#include "core/api/selector.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;

constexpr const char* kCustomVersions[] = {"v1beta2", "v1beta1"};

Error unknown_path() {
  return not_found("the server could not find the requested resource");
}

Json list_of(const std::string& group_version, std::string_view kind, const std::vector<Json>& items) {
  Json list = Json::array();
  for (const Json& item : items) list.push_back(item);
  return Json::object({{"kind", std::string(kind) + "List"},
                       {"apiVersion", group_version},
                       {"metadata", Json::object()},
                       {"items", std::move(list)}});
}

// Of pods and nodes. The items of a list come without a type from some servers.
Json with_source(Json metrics, std::string_view kind, const std::string& cluster) {
  metrics.set("kind", kind);
  metrics.set("apiVersion", "metrics.k8s.io/v1beta1");
  metrics.make({"metadata", "annotations", api::annotations::kQueryFromCluster}) = cluster;
  return metrics;
}

Error no_such_metrics(std::string_view kind, const MetricsRead& read) {
  const std::string resource = kind == "PodMetrics" ? "podmetrics" : "nodemetrics";
  const std::string name = (read.ns.empty() ? "" : read.ns + "/") + read.path[1];
  ErrorDetails details;
  details.group = "metrics.k8s.io";
  details.kind = resource;
  details.name = name;
  return Error(Code::NotFound, resource + ".metrics.k8s.io \"" + name + "\" not found", std::move(details));
}

Error in_several(const MetricsRead& read) {
  const bool pods = read.path[0] == "pods";
  const std::string& name = read.path[1];
  ErrorDetails details;
  details.kind = read.path[0];
  details.name = name;
  return Error(Code::Conflict,
               "Operation cannot be fulfilled on " + read.path[0] + " \"" + name + "\": the " +
                   (pods ? "pod(" : "node(") + name + ") found in more than one clusters",
               std::move(details));
}

Task<Result<Json>> resource_metrics(std::vector<std::shared_ptr<cluster::Member>> members, MetricsRead read) {
  const bool pods = read.path[0] == "pods";
  if ((!pods && read.path[0] != "nodes") || read.path.size() > 2 || read.version != "v1beta1")
    co_return unknown_path();
  if (auto selector = api::LabelSelector::parse(read.label_selector); !selector)
    co_return std::move(selector).error();
  const std::string kind = pods ? "PodMetrics" : "NodeMetrics";
  const bool named = read.path.size() == 2;
  std::vector<MemberQuestion> questions;
  for (const auto& member : members) {
    questions.push_back({member, {{read.group, read.version, read.path[0]}}});
    questions.back().selector.ns = pods ? read.ns : std::string();
    if (named) {
      questions.back().name = read.path[1];
    } else {
      questions.back().selector.label_selector = read.label_selector;
    }
  }
  auto asking = ask_members(std::move(questions));
  const std::vector<MemberAnswer> answers = co_await std::move(asking);
  std::vector<Json> found;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!answers[i]) continue;
    for (const Json& one : *answers[i]) found.push_back(with_source(one, kind, members[i]->name()));
  }
  if (!named) co_return list_of("metrics.k8s.io/v1beta1", kind, found);
  if (found.empty()) co_return no_such_metrics(kind, read);
  if (found.size() > 1) co_return in_several(read);
  co_return std::move(found.front());
}

// RESOURCE/NAME/METRIC, or of the namespace itself: metrics/METRIC in it.
Task<Result<Json>> custom_metrics(std::vector<std::shared_ptr<cluster::Member>> members, MetricsRead read) {
  const bool known_version = read.version == "v1beta1" || read.version == "v1beta2";
  if (read.path.size() == 3 && read.path[0] == "namespaces" && read.ns.empty()) {
    read.ns = read.path[1];
    read.path = {"metrics", read.path[2]};
  }
  const bool of_namespace = read.path.size() == 2 && read.path[0] == "metrics" && !read.ns.empty();
  if (!known_version || (read.path.size() != 3 && !of_namespace)) co_return unknown_path();
  std::string path;
  for (const std::string& part : read.path) path += (path.empty() ? "" : "/") + part;
  if (auto selector = api::LabelSelector::parse(read.metric_selector); !selector)
    co_return std::move(selector).error();
  const bool one = of_namespace || read.path[1] != "*";
  std::vector<MemberQuestion> questions;
  for (const auto& member : members)
    questions.push_back(custom_metrics_question(
        member, path, read.ns, {one ? std::string() : read.label_selector, read.metric_selector}));
  auto asking = ask_members(std::move(questions));
  const std::vector<MemberAnswer> answers = co_await std::move(asking);
  std::vector<Json> values;
  for (const MemberAnswer& answer : answers) {
    if (answer) values.insert(values.end(), answer->begin(), answer->end());
  }
  std::vector<Json> sums = sum_values(values);
  if (sums.empty()) {
    co_return not_found("the server could not find the metric " + read.path.back() + " for " +
                        (of_namespace ? "namespaces" : read.path[0]));
  }
  for (Json& sum : sums) sum = value_in_version(std::move(sum), read.version);
  co_return list_of("custom.metrics.k8s.io/" + read.version, "MetricValue", sums);
}

}  // namespace

Task<Result<Json>> read_fleet_metrics(const store::Store* store, const cluster::ClusterRegistry* clusters,
                                      MetricsRead read) {
  if (read.group == "external.metrics.k8s.io")
    co_return Error(Code::Internal, "karmada-metrics-adapter still not implement it");
  if (read.path.empty()) co_return unknown_path();
  auto members = ready_members(*store, *clusters);
  Task<Result<Json>> reading = read.group == "metrics.k8s.io"
                                   ? resource_metrics(std::move(members), std::move(read))
                                   : custom_metrics(std::move(members), std::move(read));
  co_return co_await std::move(reading);
}

MemberQuestion custom_metrics_question(std::shared_ptr<cluster::Member> member, const std::string& path,
                                       std::string ns, MetricSelectors selectors) {
  MemberQuestion question{std::move(member), {}};
  for (const char* version : kCustomVersions)
    question.resources.push_back({"custom.metrics.k8s.io", version, path});
  question.selector.ns = std::move(ns);
  question.selector.label_selector = std::move(selectors.objects);
  question.selector.metric_selector = std::move(selectors.metric);
  return question;
}

Task<Result<Json>> list_custom_metrics(const store::Store* store, const cluster::ClusterRegistry* clusters,
                                       std::string version) {
  std::vector<MemberQuestion> questions;
  for (auto& member : ready_members(*store, *clusters)) {
    // Discovery is one document, where a list would be taken apart.
    MemberQuestion question = custom_metrics_question(std::move(member), "", {}, {});
    question.whole = true;
    questions.push_back(std::move(question));
  }
  auto asking = ask_members(std::move(questions));
  const std::vector<MemberAnswer> answers = co_await std::move(asking);
  std::map<std::string, Json> by_name;
  for (const MemberAnswer& answer : answers) {
    if (!answer || answer->empty()) continue;
    for (const Json& resource : answer->front()["resources"].elements())
      by_name.try_emplace(std::string(resource["name"].as_string()), resource);
  }
  Json resources = Json::array();
  for (auto& [name, resource] : by_name) resources.push_back(std::move(resource));
  co_return Json::object({{"kind", "APIResourceList"},
                          {"apiVersion", "v1"},
                          {"groupVersion", "custom.metrics.k8s.io/" + version},
                          {"resources", std::move(resources)}});
}

std::vector<Json> sum_values(const std::vector<Json>& values) {
  std::vector<Json> sums;
  std::map<std::string, std::pair<std::size_t, api::Quantity>> by_name;
  for (const Json& value : values) {
    const auto amount = api::Quantity::from_json(value["value"]);
    if (!amount) continue;
    const auto [it, first] =
        by_name.try_emplace(std::string(value["describedObject"]["name"].as_string()), sums.size(), *amount);
    if (first) {
      sums.push_back(value);
      continue;
    }
    auto& [index, sum] = it->second;
    sum += *amount;
    sums[index].set("value", sum.to_string());
  }
  return sums;
}

Json value_in_version(Json value, std::string_view version) {
  const Json& before = std::as_const(value);
  const Json metric = before["metric"];
  if (version == "v1beta1" && metric.is_object()) {
    value.erase("metric");
    value.set("metricName", metric["name"]);
    if (metric.contains("selector")) value.set("selector", metric["selector"]);
  } else if (version == "v1beta2" && !metric.is_object()) {
    Json named = Json::object({{"name", before["metricName"]}});
    if (before.contains("selector")) named.set("selector", before["selector"]);
    value.erase("metricName");
    value.erase("selector");
    value.set("metric", std::move(named));
  }
  return value;
}

}  // namespace flotilla::controllers
