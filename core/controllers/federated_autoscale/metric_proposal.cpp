// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/federated_autoscale/metric_proposal.hpp"

#include "core/api/quantity.hpp"

namespace flotilla::controllers {

using api::Json;

namespace {

std::string amount(std::int64_t milli) {
  return api::Quantity::from_milli(milli).to_string();
}

std::string text_of(const Json& value) {
  return std::string(value.as_string());
}

MetricOutcome failed(const std::string& reason, const std::string& what, std::string cause) {
  MetricOutcome outcome;
  std::string error = what.empty() ? cause : "failed to get " + what + " value: " + cause;
  outcome.failure = MetricFailure{reason, std::move(cause), std::move(error)};
  return outcome;
}

Json named_status(std::string_view type, std::string_view member, Json body) {
  return Json::object({{"type", type}, {member, std::move(body)}});
}

// Resource and ContainerResource; the container is empty for the former.
Result<Proposal> propose_for_resource(const Json& source, const std::string& container,
                                      const Result<MetricAnswer>& answer, const AutoscaleView& view) {
  const std::string resource = text_of(source["name"]);
  const Json& target = source["target"];
  const bool average = !target["averageValue"].is_null();
  if (!average && !target["averageUtilization"].is_int()) {
    return invalid(
        "invalid resource metric source: neither an average utilization target nor an average value target "
        "was set");
  }
  const auto unable = [&](const Error& error) {
    return Error(error).context("failed to get " + resource +
                                " utilization: unable to get metrics for resource " + resource);
  };
  if (!answer) return unable(answer.error());
  PodSamples samples = pod_usage(answer->pods, resource);
  if (!container.empty()) {
    auto read = container_usage(answer->pods, resource, container);
    if (!read) return unable(std::move(read).context("failed to get container metrics"));
    samples = *std::move(read);
  }
  auto proposal =
      average ? propose_for_average(std::move(samples), milli_of(target["averageValue"]), resource, view)
              : propose_for_utilization(std::move(samples), target["averageUtilization"].as_int(), resource,
                                        container, view);
  if (!proposal) return std::move(proposal).context("failed to get " + resource + " utilization");
  return proposal;
}

MetricOutcome resource_metric(const Json& spec, bool of_container, const Result<MetricAnswer>& answer,
                              const AutoscaleView& view) {
  const Json& source = spec[of_container ? "containerResource" : "resource"];
  const std::string name = text_of(source["name"]);
  const std::string container = of_container ? text_of(source["container"]) : std::string();
  const auto proposal = propose_for_resource(source, container, answer, view);
  if (!proposal) {
    return of_container
               ? failed("FailedGetContainerResourceMetric", container + " container metric",
                        proposal.error().message())
               : failed("FailedGetResourceMetric", name + " resource metric", proposal.error().message());
  }
  MetricOutcome outcome;
  outcome.replicas = proposal->replicas;
  outcome.name = name + " resource";
  Json current = Json::object({{"averageValue", amount(proposal->usage)}});
  if (proposal->utilization) {
    current.set("averageUtilization", *proposal->utilization);
    outcome.name =
        name + (of_container ? " container" : "") + " resource utilization (percentage of request)";
  }
  Json body = Json::object({{"name", name}, {"current", std::move(current)}});
  if (of_container) body.set("container", container);
  outcome.status =
      named_status(text_of(spec["type"]), of_container ? "containerResource" : "resource", std::move(body));
  return outcome;
}

Json identifier_of(const Json& metric) {
  Json identifier = Json::object({{"name", metric["name"]}});
  if (metric.contains("selector")) identifier.set("selector", metric["selector"]);
  return identifier;
}

MetricOutcome pods_metric(const Json& spec, const Result<MetricAnswer>& answer, const AutoscaleView& view) {
  const Json& source = spec["pods"];
  const std::string name = text_of(source["metric"]["name"]);
  if (!answer) {
    return failed("FailedGetPodsMetric", "pods metric",
                  "unable to get metric " + name + ": " + answer.error().message());
  }
  const auto proposal =
      propose_for_average(custom_values(answer->pods), milli_of(source["target"]["averageValue"]), "", view);
  if (!proposal) return failed("FailedGetPodsMetric", "pods metric", proposal.error().message());
  MetricOutcome outcome;
  outcome.replicas = proposal->replicas;
  outcome.name = "pods metric " + name;
  outcome.status =
      named_status("Pods", "pods",
                   Json::object({{"metric", identifier_of(source["metric"])},
                                 {"current", Json::object({{"averageValue", amount(proposal->usage)}})}}));
  return outcome;
}

// Object and External: one amount, as a whole or per pod.
MetricOutcome value_metric(const Json& spec, bool external, const Result<MetricAnswer>& answer,
                           const AutoscaleView& view) {
  const Json& source = spec[external ? "external" : "object"];
  const Json& target = source["target"];
  const Json& described = source["describedObject"];
  const std::string name = text_of(source["metric"]["name"]);
  const std::string reason = external ? "FailedGetExternalMetric" : "FailedGetObjectMetric";
  const std::string what = external ? "external metric" : "object metric";
  if (!answer) {
    const std::string where =
        external ? "" : " on " + text_of(described["kind"]) + " " + text_of(described["name"]);
    return failed(reason, what, "unable to get metric " + name + ": " + answer.error().message() + where);
  }
  const bool whole = !target["value"].is_null();
  if (!whole && target["averageValue"].is_null()) {
    return failed(reason, what,
                  "invalid " + std::string(external ? "external" : "object") +
                      " metric source: neither a value target nor an average value target was set");
  }
  const std::int64_t wanted = milli_of(target[whole ? "value" : "averageValue"]);
  auto proposal = whole ? propose_for_value(answer->value, wanted, view)
                        : Result<Proposal>(propose_for_value_per_pod(answer->value, wanted, view));
  if (!proposal) return failed(reason, what, proposal.error().message());
  MetricOutcome outcome;
  outcome.replicas = proposal->replicas;
  const std::string selector =
      source["metric"].contains("selector") ? source["metric"]["selector"].dump() : "nil";
  outcome.name = external || !whole ? "external metric " + name + "(" + selector + ")"
                                    : text_of(described["kind"]) + " metric " + name;
  Json body = Json::object(
      {{"metric", identifier_of(source["metric"])},
       {"current", Json::object({{whole ? "value" : "averageValue", amount(proposal->usage)}})}});
  if (!external) body.set("describedObject", described);
  outcome.status = named_status(text_of(spec["type"]), external ? "external" : "object", std::move(body));
  return outcome;
}

}  // namespace

MetricOutcome propose_for_metric(const Json& spec, const Result<MetricAnswer>& answer,
                                 const AutoscaleView& view) {
  const std::string_view type = spec["type"].as_string();
  if (type == "Resource" || type == "ContainerResource")
    return resource_metric(spec, type == "ContainerResource", answer, view);
  if (type == "Pods") return pods_metric(spec, answer, view);
  if (type == "Object" || type == "External") return value_metric(spec, type == "External", answer, view);
  return failed("InvalidMetricSourceType", "", "unknown metric source type \"" + std::string(type) + "\"");
}

}  // namespace flotilla::controllers
