// SPDX-License-Identifier: Apache-2.0
// HorizontalPodAutoscaler: replicas, what is scaled, metrics, behaviour.
#include <algorithm>
#include <iterator>

#include "core/api/quantity.hpp"
#include "core/api/validation/containers.hpp"
#include "core/api/validation/kinds.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::string_view kTypes[] = {"ContainerResource", "External", "Object", "Pods", "Resource"};
// The fields of the sources, in the order in which Kubernetes looks.
constexpr std::string_view kSources[] = {"object", "external", "pods", "resource", "containerResource"};

void validate_object_reference(const FieldView& reference) {
  for (const std::string_view name : {"kind", "name"}) {
    const FieldView part = reference[name];
    if (part.require()) part.messages(check_path_segment(part.text()));
  }
}

void must_be_positive(const FieldView& amount) {
  auto quantity = Quantity::from_json(amount.value());
  if (amount.value().is_null() || !quantity || quantity->sign() > 0) return;
  amount.errors().add_literal("FieldValueInvalid", amount.path(),
                              "Invalid value: " + go_quantity(amount.value()) + ": must be positive");
}

void validate_target(const FieldView& target) {
  const FieldView type = target["type"], utilization = target["averageUtilization"];
  type.require("must specify a metric target type");
  if (type.text() != "Utilization" && type.text() != "Value" && type.text() != "AverageValue") {
    type.errors().invalid(type.path(), type.text(), "must be either Utilization, Value, or AverageValue");
  }
  must_be_positive(target["value"]);
  must_be_positive(target["averageValue"]);
  if (!utilization.value().is_null() && utilization.number() < 1)
    utilization.invalid("must be greater than 0");
}

void validate_identifier(const FieldView& metric) {
  const FieldView name = metric["name"];
  if (name.require("must specify a metric name")) name.messages(check_path_segment(name.text()));
}

// Metrics of an object, from outside, of pods.
void validate_custom_source(const FieldView& source, std::string_view which) {
  const FieldView target = source["target"], value = target["value"], average = target["averageValue"];
  if (which == "object") validate_object_reference(source["describedObject"]);
  validate_identifier(source["metric"]);
  validate_target(target);
  const bool has_value = !value.value().is_null(), has_average = !average.value().is_null();
  FieldErrors& errors = source.errors();
  if (which == "pods") {
    if (!has_average) errors.required(average.path(), "must specify a positive target averageValue");
  } else if (!has_value && !has_average) {
    errors.required(average.path(), which == "object"
                                        ? "must set either a target value or averageValue"
                                        : "must set either a target value for metric or a per-pod target");
  } else if (which == "external" && has_value && has_average) {
    value.forbid("may not set both a target value for metric and a per-pod target");
  }
}

void validate_resource_source(const FieldView& source, bool of_container) {
  const FieldView target = source["target"], utilization = target["averageUtilization"],
                  value = target["averageValue"], container = source["container"];
  const bool named = source["name"].require("must specify a resource name");
  if (of_container) {
    if (named) validate_limit_name(source.errors(), source["name"].text(), source["name"].path(), true);
    if (container.require("must specify a container")) container.dns_label();
  }
  validate_target(target);
  if (utilization.value().is_null() && value.value().is_null()) {
    utilization.errors().required(utilization.path(),
                                  "must set either a target raw value or a target utilization");
  }
  if (!utilization.value().is_null() && !value.value().is_null())
    value.forbid("may not set both a target raw value and a target utilization");
}

std::string_view field_of(std::string_view type) {
  const auto* const at = std::find(std::begin(kTypes), std::end(kTypes), type);
  constexpr std::string_view kFields[] = {"containerResource", "external", "object", "pods", "resource"};
  return at == std::end(kTypes) ? std::string_view() : kFields[at - std::begin(kTypes)];
}

void validate_metric(const FieldView& metric) {
  const FieldView type = metric["type"];
  const std::string_view own = field_of(type.text());
  FieldErrors& errors = metric.errors();
  type.require("must specify a metric source type");
  if (own.empty()) errors.not_supported(type.path(), type.text(), kTypes);
  std::size_t present = 0;
  for (const std::string_view name : kSources) {
    const FieldView source = metric[name];
    if (!source.value().is_object() || ++present > 1) continue;
    if (name == "resource" || name == "containerResource") {
      validate_resource_source(source, name == "containerResource");
    } else {
      validate_custom_source(source, name);
    }
  }
  if (own.empty()) {
    errors.not_supported(type.path(), type.text(), kTypes);
  } else if (!metric[own].value().is_object()) {
    errors.required(metric[own].path(), "must populate information for the given metric source");
  }
  if (present == 1) return;
  for (const std::string_view name : kSources) {
    if (name != own && metric[name].value().is_object())
      metric[name].forbid("must populate the given metric source only");
  }
}

void validate_scaling_rules(const FieldView& rules) {
  if (!rules.value().is_object()) return;
  const FieldView window = rules["stabilizationWindowSeconds"], policies = rules["policies"];
  if (window.number() < 0) window.invalid("must be greater than or equal to zero");
  if (window.number() > 3600) window.invalid("must be less than or equal to 3600");
  if (!rules["selectPolicy"].value().is_null()) rules["selectPolicy"].one_of({"Disabled", "Max", "Min"});
  if (!policies.filled()) policies.errors().required(policies.path(), "must specify at least one Policy");
  for (const FieldView& one : policies.each()) {
    const FieldView value = one["value"], period = one["periodSeconds"];
    one["type"].one_of({"Percent", "Pods"});
    if (value.number() <= 0)
      value.errors().invalid(value.path(), value.number(), "must be greater than zero");
    if (period.number() <= 0)
      period.errors().invalid(period.path(), period.number(), "must be greater than zero");
    if (period.number() > 1800) period.invalid("must be less than or equal to 1800");
  }
}

bool scales_to_zero(const FieldView& metrics) {
  const auto all = metrics.value().elements();
  return std::any_of(all.begin(), all.end(), [](const Json& one) {
    return one["type"].as_string() == "Object" || one["type"].as_string() == "External";
  });
}

}  // namespace

void autoscaler(const Subject& subject) {
  const FieldView spec = subject.spec(), metrics = spec["metrics"];
  const FieldView least = spec["minReplicas"], most = spec["maxReplicas"];
  const Json& before = subject.live["spec"]["minReplicas"];
  const std::int64_t lowest = before.is_int() && before.as_int() == 0 ? 0 : 1;
  const bool has_least = !least.value().is_null();
  if (has_least && least.number() < lowest)
    least.invalid("must be greater than or equal to " + std::to_string(lowest));
  if (most.number() < 1) most.errors().invalid(most.path(), most.number(), "must be greater than 0");
  if (has_least && most.number() < least.number())
    most.errors().invalid(most.path(), most.number(), "must be greater than or equal to `minReplicas`");
  validate_object_reference(spec["scaleTargetRef"]);
  for (const FieldView& metric : metrics.each()) validate_metric(metric);
  if (has_least && least.number() == 0 && !scales_to_zero(metrics)) {
    metrics.forbid("must specify at least one Object or External metric to support scaling to zero replicas");
  }
  const FieldView cpu = spec["targetCPUUtilizationPercentage"];
  if (!cpu.value().is_null() && cpu.number() < 1) {
    cpu.errors().invalid("spec.metrics[0].resource.target.averageUtilization", cpu.value(),
                         "must be greater than 0");
  }
  validate_scaling_rules(spec["behavior"]["scaleUp"]);
  validate_scaling_rules(spec["behavior"]["scaleDown"]);
}

}  // namespace flotilla::api::validation
