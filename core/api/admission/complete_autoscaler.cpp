// SPDX-License-Identifier: Apache-2.0
// The defaults of an autoscaler, those of Kubernetes' own.
#include <utility>

#include "core/api/admission/rules.hpp"

namespace flotilla::api {

namespace {

constexpr int kDefaultUtilization = 80;

Json scaling_policy(std::string_view type, int value) {
  return Json::object({{"type", type}, {"value", value}, {"periodSeconds", 15}});
}

void complete_rules(Json& rules, Json policies) {
  const Json& written = rules;
  if (written["selectPolicy"].is_null()) rules.set("selectPolicy", "Max");
  if (written["policies"].is_null()) rules.set("policies", std::move(policies));
}

}  // namespace

Status complete_autoscaler(Json& object, const Admission&) {
  Json& spec = object["spec"];
  if (std::as_const(spec)["minReplicas"].is_null()) spec.set("minReplicas", 1);
  if (std::as_const(spec)["metrics"].empty()) {
    Json target = Json::object({{"type", "Utilization"}, {"averageUtilization", kDefaultUtilization}});
    Json resource = Json::object({{"name", "cpu"}, {"target", std::move(target)}});
    spec.set("metrics",
             Json::array({Json::object({{"type", "Resource"}, {"resource", std::move(resource)}})}));
  }
  if (!std::as_const(object)["status"].contains("desiredReplicas"))
    object["status"].set("desiredReplicas", 0);
  if (!std::as_const(spec)["behavior"].is_object()) return {};
  Json& behavior = spec["behavior"];
  complete_rules(behavior["scaleUp"],
                 Json::array({scaling_policy("Pods", 4), scaling_policy("Percent", 100)}));
  complete_rules(behavior["scaleDown"], Json::array({scaling_policy("Percent", 100)}));
  if (std::as_const(behavior)["scaleUp"]["stabilizationWindowSeconds"].is_null()) {
    behavior["scaleUp"].set("stabilizationWindowSeconds", 0);
  }
  return {};
}

}  // namespace flotilla::api
