// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

#include "core/api/admission/cron_schedule.hpp"
#include "core/api/admission/rules.hpp"
#include "core/api/karmada.hpp"
#include "core/api/quantity.hpp"

namespace flotilla::api {

namespace {

constexpr std::int64_t kMaxStabilizationSeconds = 3600;
constexpr std::int64_t kMaxPeriodSeconds = 1800;

void review_path_segment(const std::string& field, const Json& name, FieldErrors& errors) {
  std::string_view text = name.as_string();
  if (text == "." || text == ".." || text.find_first_of("/%") != std::string_view::npos) {
    errors.invalid(field, name, "may not contain '/' or '%'");
  }
}

void review_target_reference(const Json& reference, const std::string& path, FieldErrors& errors) {
  for (std::string_view member : {"kind", "name"}) {
    std::string field = path + "." + std::string(member);
    if (reference[member].as_string().empty()) {
      errors.required(field);
    } else {
      review_path_segment(field, reference[member], errors);
    }
  }
}

void review_positive(const Json& amount, const std::string& field, FieldErrors& errors) {
  if (amount.is_null()) return;
  Result<Quantity> quantity = Quantity::from_json(amount);
  if (!quantity || quantity->sign() <= 0) errors.invalid(field, amount, "must be positive");
}

void review_metric_target(const Json& target, const std::string& path, FieldErrors& errors) {
  std::string_view type = target["type"].as_string();
  if (type.empty()) {
    errors.required(path + ".type", "must specify a metric target type");
  } else if (type != "Utilization" && type != "Value" && type != "AverageValue") {
    errors.invalid(path + ".type", target["type"], "must be either Utilization, Value, or AverageValue");
  }
  review_positive(target["value"], path + ".value", errors);
  review_positive(target["averageValue"], path + ".averageValue", errors);
  const Json& utilization = target["averageUtilization"];
  if (!utilization.is_null() && utilization.as_int() < 1) {
    errors.invalid(path + ".averageUtilization", utilization, "must be greater than 0");
  }
}

void review_metric_name(const Json& metric, const std::string& path, FieldErrors& errors) {
  if (metric["name"].as_string().empty()) {
    errors.required(path + ".name", "must specify a metric name");
  } else {
    review_path_segment(path + ".name", metric["name"], errors);
  }
}

void review_resource_source(const Json& source, const std::string& path, FieldErrors& errors) {
  if (source["name"].as_string().empty()) errors.required(path + ".name", "must specify a resource name");
  const Json& target = source["target"];
  review_metric_target(target, path + ".target", errors);
  bool has_utilization = !target["averageUtilization"].is_null();
  bool has_value = !target["averageValue"].is_null();
  if (!has_utilization && !has_value) {
    errors.required(path + ".target.averageUtilization",
                    "must set either a target raw value or a target utilization");
  } else if (has_utilization && has_value) {
    errors.forbidden(path + ".target.averageValue",
                     "may not set both a target raw value and a target utilization");
  }
}

void review_container_source(const Json& source, const std::string& path, FieldErrors& errors) {
  if (source["container"].as_string().empty())
    errors.required(path + ".container", "must specify a container");
  review_resource_source(source, path, errors);
}

void review_pods_source(const Json& source, const std::string& path, FieldErrors& errors) {
  review_metric_name(source["metric"], path + ".metric", errors);
  review_metric_target(source["target"], path + ".target", errors);
  if (source["target"]["averageValue"].is_null()) {
    errors.required(path + ".target.averageValue", "must specify a positive target averageValue");
  }
}

void review_object_source(const Json& source, const std::string& path, FieldErrors& errors) {
  review_target_reference(source["describedObject"], path + ".describedObject", errors);
  review_metric_name(source["metric"], path + ".metric", errors);
  review_metric_target(source["target"], path + ".target", errors);
  if (source["target"]["value"].is_null() && source["target"]["averageValue"].is_null()) {
    errors.required(path + ".target.averageValue", "must set either a target value or averageValue");
  }
}

struct MetricSource {
  std::string_view type;
  std::string_view member;
  void (*review)(const Json& source, const std::string& path, FieldErrors& errors);
};

constexpr std::array kMetricSources = {
    MetricSource{"ContainerResource", "containerResource", review_container_source},
    MetricSource{"Object", "object", review_object_source},
    MetricSource{"Pods", "pods", review_pods_source},
    MetricSource{"Resource", "resource", review_resource_source},
};

void review_metric(const Json& metric, const std::string& path, FieldErrors& errors) {
  const Json& type = metric["type"];
  if (type.as_string().empty()) {
    errors.required(path + ".type", "must specify a metric source type");
    return;
  }
  for (const MetricSource& source : kMetricSources) {
    if (source.type != type.as_string()) continue;
    std::string field = path + "." + std::string(source.member);
    if (metric[source.member].is_null()) {
      errors.required(field, "must populate information for the given metric source");
    } else {
      source.review(metric[source.member], field, errors);
    }
    return;
  }
  errors.not_supported(path + ".type", type, {"ContainerResource", "Object", "Pods", "Resource"});
}

void review_scaling_policy(const Json& policy, const std::string& path, FieldErrors& errors) {
  std::string_view type = policy["type"].as_string();
  if (type != "Pods" && type != "Percent")
    errors.not_supported(path + ".type", policy["type"], {"Percent", "Pods"});
  if (policy["value"].as_int() <= 0) {
    errors.invalid(path + ".value", policy["value"].as_int(), "must be greater than zero");
  }
  std::int64_t period = policy["periodSeconds"].as_int();
  if (period <= 0) errors.invalid(path + ".periodSeconds", period, "must be greater than zero");
  if (period > kMaxPeriodSeconds)
    errors.invalid(path + ".periodSeconds", period, "must be less than or equal to 1800");
}

void review_scaling_rules(const Json& rules, const std::string& path, FieldErrors& errors) {
  if (rules.is_null()) return;
  std::int64_t window = rules["stabilizationWindowSeconds"].as_int();
  if (window < 0)
    errors.invalid(path + ".stabilizationWindowSeconds", window, "must be greater than or equal to zero");
  if (window > kMaxStabilizationSeconds) {
    errors.invalid(path + ".stabilizationWindowSeconds", window, "must be less than or equal to 3600");
  }
  const Json& select = rules["selectPolicy"];
  std::string_view choice = select.as_string("Max");
  if (choice != "Max" && choice != "Min" && choice != "Disabled") {
    errors.not_supported(path + ".selectPolicy", select, {"Disabled", "Max", "Min"});
  }
  const Json& policies = rules["policies"];
  if (policies.empty()) errors.required(path + ".policies", "must specify at least one Policy");
  for (std::size_t i = 0; i < policies.size(); ++i) {
    review_scaling_policy(policies.element(i), at_index(path + ".policies", i), errors);
  }
}

void review_target_range(const Json& rule, const std::string& path, FieldErrors& errors) {
  const Json& min = rule["targetMinReplicas"];
  const Json& max = rule["targetMaxReplicas"];
  if (min.is_null() && max.is_null()) {
    errors.invalid(
        path + ".targetMaxReplicas", "",
        "targetMinReplicas and targetMaxReplicas cannot be nil at the same time if you want to scale "
        "FederatedHPA");
  }
  if (!min.is_null() && min.as_int() <= 0) {
    errors.invalid(path + ".targetMinReplicas", "", "targetMinReplicas should be larger than 0");
  }
  if (!max.is_null() && max.as_int() <= 0) {
    errors.invalid(path + ".targetMaxReplicas", "", "targetMaxReplicas should be larger than 0");
  }
  // An absent minimum is one.
  if (!max.is_null() && max.as_int() < min.as_int(1)) {
    errors.invalid(path + ".targetMinReplicas", "",
                   "targetMaxReplicas should be larger than or equal to targetMinReplicas");
  }
}

void review_target_replicas(const Json& rule, std::string_view kind, const std::string& path,
                            FieldErrors& errors) {
  const Json& replicas = rule["targetReplicas"];
  if (replicas.is_null()) {
    errors.invalid(path + ".targetReplicas", "",
                   "targetReplicas cannot be nil if you want to scale " + std::string(kind));
  } else if (replicas.as_int() < 0) {
    errors.invalid(path + ".targetReplicas", "", "targetReplicas should be larger than or equal to 0");
  }
}

void review_cron_rules(const Admission& admission, bool scales_autoscaler, FieldErrors& errors) {
  const Json& spec = admission.request.object["spec"];
  const Json& rules = spec["rules"];
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Json& rule = rules.element(i);
    std::string path = at_index("spec.rules", i);
    if (!names.insert(rule["name"].as_string()).second) errors.duplicate(path + ".name", rule["name"]);
    if (!is_cron_schedule(rule["schedule"].as_string())) {
      errors.invalid(path + ".schedule", rule["schedule"], "invalid cron format");
    }
    std::string_view zone = rule["timeZone"].as_string();
    if (!zone.empty() && !admission.world.knows_time_zone(zone)) {
      errors.invalid(path + ".timeZone", zone, "unknown time zone " + std::string(zone));
    }
    if (scales_autoscaler) {
      review_target_range(rule, path, errors);
    } else {
      review_target_replicas(rule, spec.at({"scaleTargetRef", "kind"}).as_string(), path, errors);
    }
  }
}

}  // namespace

Status review_autoscaler(const Admission& admission) {
  const Json& object = admission.request.object;
  const Json& spec = object["spec"];
  FieldErrors errors;
  const Json& name = object.at({"metadata", "name"});
  invalid_each(errors, "metadata.name", name, check_dns_subdomain(name.as_string()));
  review_target_reference(spec["scaleTargetRef"], "spec.scaleTargetRef", errors);
  const Json& min = spec["minReplicas"];
  std::int64_t max = spec["maxReplicas"].as_int();
  if (!min.is_null() && min.as_int() < 1) {
    errors.invalid("spec.minReplicas", min, "must be greater than or equal to 1");
  }
  if (max < 1) errors.invalid("spec.maxReplicas", max, "must be greater than 0");
  if (!min.is_null() && max < min.as_int()) {
    errors.invalid("spec.maxReplicas", max, "must be greater than or equal to `minReplicas`");
  }
  const Json& metrics = spec["metrics"];
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    review_metric(metrics.element(i), at_index("spec.metrics", i), errors);
  }
  review_scaling_rules(spec.at({"behavior", "scaleUp"}), "spec.behavior.scaleUp", errors);
  review_scaling_rules(spec.at({"behavior", "scaleDown"}), "spec.behavior.scaleDown", errors);
  return denial(errors);
}

Status review_cron_autoscaler(const Admission& admission) {
  const Json& object = admission.request.object;
  const Json& target = object.at({"spec", "scaleTargetRef"});
  FieldErrors errors;
  const Json& name = object.at({"metadata", "name"});
  invalid_each(errors, "metadata.name", name, check_dns_subdomain(name.as_string()));
  review_target_reference(target, "spec.scaleTargetRef", errors);
  std::string_view version = target["apiVersion"].as_string();
  std::string_view kind = target["kind"].as_string();
  bool is_ours = version.substr(0, version.find('/')) == groups::kAutoscaling;
  bool scales_autoscaler = is_ours && kind == "FederatedHPA";
  if (is_ours && !scales_autoscaler) {
    errors.invalid("spec.scaleTargetRef.kind", target["kind"],
                   "invalid scaleTargetRef kind: " + std::string(kind) + ", only support FederatedHPA");
  }
  review_cron_rules(admission, scales_autoscaler, errors);
  return denial(errors);
}

}  // namespace flotilla::api
