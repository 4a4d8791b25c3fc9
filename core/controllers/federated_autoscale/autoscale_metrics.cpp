// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/federated_autoscale/autoscale_metrics.hpp"

#include <string>

namespace flotilla::controllers {
namespace {

std::string text_of(ScalingAction action) {
  return action == ScalingAction::Up ? "scale_up" : action == ScalingAction::Down ? "scale_down" : "none";
}

// Whose fault: what the autoscaler says cannot be, or something else.
std::string label_of(const Error* error) {
  return error == nullptr ? "none" : error->is(Code::Invalid) ? "spec" : "internal";
}

const Buckets& buckets() {
  static const Buckets kBuckets = exponential_buckets(0.001, 2, 15);
  return kBuckets;
}

}  // namespace

ScalingAction scaling_action(std::int64_t before, std::int64_t after) {
  return after > before ? ScalingAction::Up : after < before ? ScalingAction::Down : ScalingAction::None;
}

void AutoscaleMetrics::reconciled(ScalingAction action, const Error* error, Duration took) const {
  const MetricLabels labels = {{"action", text_of(action)}, {"error", label_of(error)}};
  counter_in(metrics_, "horizontal_pod_autoscaler_controller_reconciliations_total",
             "Looks at autoscalers, by what they led to and whose fault it was when they failed.", labels)
      ->add();
  histogram_in(metrics_, "horizontal_pod_autoscaler_controller_reconciliation_duration_seconds",
               "How long a look at an autoscaler takes.", buckets(), labels)
      ->observe(took);
}

void AutoscaleMetrics::computed(std::string_view type, ScalingAction action, const Error* error,
                                Duration took) const {
  const MetricLabels labels = {
      {"action", text_of(action)}, {"error", label_of(error)}, {"metric_type", std::string(type)}};
  counter_in(metrics_, "horizontal_pod_autoscaler_controller_metric_computation_total",
             "Metrics of autoscalers that were worked out.", labels)
      ->add();
  histogram_in(metrics_, "horizontal_pod_autoscaler_controller_metric_computation_duration_seconds",
               "How long it takes to get a metric and work it out.", buckets(), labels)
      ->observe(took);
}

}  // namespace flotilla::controllers
