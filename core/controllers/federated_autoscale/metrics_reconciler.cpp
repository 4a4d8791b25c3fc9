// SPDX-License-Identifier: Apache-2.0
// What the metrics APIs of members answer, summed up and concatenated as karmada-metrics-adapter does.
#include "core/api/names.hpp"
#include "core/controllers/federated_autoscale/federated_autoscale_reconciler.hpp"
#include "core/controllers/fleet_metrics.hpp"

namespace flotilla::controllers {
namespace {

// Of a metric's own labels, as the query says it; empty: any. Errors: Invalid.
Result<std::string> metric_selector(const Json& metric) {
  if (metric["selector"].is_null()) return std::string();
  const auto selector = api::LabelSelector::from_json(metric["selector"]);
  if (!selector) return selector.error();
  return selector->to_string();
}

}  // namespace

Task<std::vector<Result<MetricAnswer>>> FederatedAutoscaleReconciler::ask_metrics(
    Autoscaler autoscaler, std::shared_ptr<Fleet> fleet, Look& look) {
  std::vector<Result<MetricAnswer>> answers;
  for (const Json& spec : (*autoscaler)["spec"]["metrics"].elements()) {
    const SteadyTime began = context_.executor.clock().steady_now();
    const std::string_view type = spec["type"].as_string();
    auto asking = ask_metric(autoscaler, spec, fleet);
    answers.push_back(co_await std::move(asking));
    look.asking.push_back(context_.executor.clock().steady_now() - began);
    static const Buckets kBuckets = exponential_buckets(0.01, 2, 12);
    histogram_in(context_.metrics, "federatedhpa_pull_metrics_duration_seconds",
                 "How long members take to answer metrics.", kBuckets,
                 {{"result", answers.back() ? "success" : "error"},
                  {"metricType", type == "Pods"     ? "RawMetric"
                                 : type == "Object" ? "ObjectMetric"
                                                    : "ResourceMetric"}})
        ->observe(look.asking.back());
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
  const Json metric = custom ? std::as_const(spec)["pods"]["metric"] : Json();
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
                                                                  std::shared_ptr<Fleet> fleet, Json metric) {
  const std::string name(std::as_const(metric)["name"].as_string());
  const auto of_metric = metric_selector(metric);
  if (!of_metric) co_return of_metric.error();
  std::vector<MemberQuestion> questions;
  std::vector<std::string> clusters;
  for (const auto& member : fleet->members) {
    const auto selector = fleet->selectors.find(member->name());
    if (selector == fleet->selectors.end()) continue;
    clusters.push_back(member->name());
    if (name.empty()) {
      questions.push_back({member, {{"metrics.k8s.io", "v1beta1", "pods"}}, {ns, selector->second, {}}});
    } else {
      questions.push_back(
          custom_metrics_question(member, "pods/*/" + name, ns, {selector->second, *of_metric}));
    }
  }
  auto asking = ask_members(std::move(questions));
  const std::vector<MemberAnswer> answers = co_await std::move(asking);
  MetricAnswer answer;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) continue;
    for (const Json& one : *answers[i]) answer.pods.push_back({clusters[i], one});
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
  const std::string path = kind == "Namespace" ? "metrics/" + metric : plural + "/" + name + "/" + metric;
  const auto of_metric = metric_selector(std::as_const(source)["metric"]);
  if (!of_metric) co_return of_metric.error();
  std::vector<MemberQuestion> questions;
  for (const auto& member : ready_members(context_.store, context_.clusters))
    questions.push_back(custom_metrics_question(member, path, ns, {{}, *of_metric}));
  auto asking = ask_members(std::move(questions));
  const std::vector<MemberAnswer> answers = co_await std::move(asking);
  MetricAnswer answer;
  bool known = false;
  for (const MemberAnswer& one : answers) {
    if (!one) continue;
    for (const Json& value : *one) {
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
