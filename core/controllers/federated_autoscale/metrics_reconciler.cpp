// SPDX-License-Identifier: Apache-2.0
// What the metrics APIs of members answer, summed up and concatenated as karmada-metrics-adapter does.
#include "core/api/names.hpp"
#include "core/controllers/federated_autoscale/federated_autoscale_reconciler.hpp"

namespace flotilla::controllers {
namespace {

constexpr const char* kCustomVersions[] = {"v1beta2", "v1beta1"};

// Newer first. A member that serves neither has nothing to say.
Task<Result<std::vector<Json>>> list_custom(std::shared_ptr<cluster::Member> member, std::string resource,
                                            std::string ns, std::string labels) {
  std::optional<Error> failure;
  for (const char* version : kCustomVersions) {
    cluster::ListSelector selector{ns, labels, {}};
    auto listing =
        member->connection().list({"custom.metrics.k8s.io", version, resource}, std::move(selector));
    Result<cluster::MemberList> listed = co_await std::move(listing);
    if (listed) co_return std::move(listed->objects);
    failure = listed.error();
    if (!failure->is(Code::NotFound)) break;
  }
  co_return *std::move(failure);
}

}  // namespace

Task<std::vector<Result<MetricAnswer>>> FederatedAutoscaleReconciler::ask_metrics(
    Autoscaler autoscaler, std::shared_ptr<Fleet> fleet) {
  std::vector<Result<MetricAnswer>> answers;
  for (const Json& spec : (*autoscaler)["spec"]["metrics"].elements()) {
    const SteadyTime began = context_.executor.clock().steady_now();
    const std::string_view type = spec["type"].as_string();
    auto asking = ask_metric(autoscaler, spec, fleet);
    answers.push_back(co_await std::move(asking));
    static const Buckets kBuckets = exponential_buckets(0.01, 2, 12);
    histogram_in(context_.metrics, "federatedhpa_pull_metrics_duration_seconds",
                 "How long members take to answer metrics.", kBuckets,
                 {{"result", answers.back() ? "success" : "error"},
                  {"metricType", type == "Pods"     ? "RawMetric"
                                 : type == "Object" ? "ObjectMetric"
                                                    : "ResourceMetric"}})
        ->observe(context_.executor.clock().steady_now() - began);
  }
  co_return answers;
}

Task<Result<MetricAnswer>> FederatedAutoscaleReconciler::ask_metric(Autoscaler autoscaler, Json spec,
                                                                    std::shared_ptr<Fleet> fleet) {
  const std::string ns(api::namespace_of(*autoscaler));
  const std::string_view type = std::as_const(spec)["type"].as_string();
  if (type == "External") {
    co_return Error(Code::Unsupported,
                    "unable to fetch metrics from external metrics API: "
                    "karmada-metrics-adapter still not implement it");
  }
  if (type == "Object") {
    auto asking = ask_object(ns, std::as_const(spec)["object"]);
    co_return co_await std::move(asking);
  }
  const bool custom = type == "Pods";
  const std::string metric =
      custom ? std::string(std::as_const(spec)["pods"]["metric"]["name"].as_string()) : std::string();
  auto asking = ask_pods(ns, fleet, metric);
  Result<MetricAnswer> answer = co_await std::move(asking);
  if (answer && answer->pods.empty()) {
    co_return Error(Code::NotFound, "no metrics returned from " +
                                        std::string(custom ? "custom" : "resource") + " metrics API");
  }
  co_return answer;
}

// Of the pods of each cluster; an empty metric stands for their resources.
Task<Result<MetricAnswer>> FederatedAutoscaleReconciler::ask_pods(std::string ns,
                                                                  std::shared_ptr<Fleet> fleet,
                                                                  std::string metric) {
  MetricAnswer answer;
  for (const auto& member : fleet->members) {
    const auto selector = fleet->selectors.find(member->name());
    if (selector == fleet->selectors.end()) continue;
    std::vector<Json> found;
    if (metric.empty()) {
      cluster::ListSelector wanted{ns, selector->second, {}};
      auto listing = member->connection().list({"metrics.k8s.io", "v1beta1", "pods"}, std::move(wanted));
      Result<cluster::MemberList> listed = co_await std::move(listing);
      if (listed) found = std::move(listed->objects);
    } else {
      auto listing = list_custom(member, "pods/*/" + metric, ns, selector->second);
      Result<std::vector<Json>> listed = co_await std::move(listing);
      if (listed) found = *std::move(listed);
    }
    for (Json& one : found) answer.pods.push_back({member->name(), std::move(one)});
  }
  co_return answer;
}

// Of all clusters that are ready: the object may live in others than the pods.
Task<Result<MetricAnswer>> FederatedAutoscaleReconciler::ask_object(std::string ns, Json source) {
  const Json& described = std::as_const(source)["describedObject"];
  const std::string kind(described["kind"].as_string()), name(described["name"].as_string());
  const std::string metric(std::as_const(source)["metric"]["name"].as_string());
  const auto resource =
      context_.resources()->find_kind(api::Gvk::from(described["apiVersion"].as_string(), kind));
  const std::string plural = resource ? resource->group_resource() : api::to_lower(kind) + "s";
  const bool is_namespace = kind == "Namespace";
  const std::string path = plural + "/" + (is_namespace ? ns : name) + "/" + metric;
  MetricAnswer answer;
  bool known = false;
  for (const ObjectPtr& cluster : context_.store.list(kinds::kCluster.collection()).objects) {
    const auto member = context_.clusters.find(cluster->name());
    const auto content = cluster->content();
    if (!member || !api::is_condition_true((*content)["status"]["conditions"], api::conditions::kReady))
      continue;
    auto listing = list_custom(member, path, is_namespace ? std::string() : ns, {});
    const Result<std::vector<Json>> listed = co_await std::move(listing);
    if (!listed) continue;
    for (const Json& value : *listed) {
      answer.value += milli_of(value["value"]);
      known = true;
    }
  }
  if (!known) {
    co_return Error(Code::NotFound,
                    "unable to fetch metrics from custom metrics API: the server could not find the metric " +
                        metric + " for " + plural + " " + name);
  }
  co_return answer;
}

}  // namespace flotilla::controllers
