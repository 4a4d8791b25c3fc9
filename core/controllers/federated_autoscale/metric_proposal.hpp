// SPDX-License-Identifier: Apache-2.0
// One entry of spec.metrics: what it asks for, what status.currentMetrics says of it, or why nothing can be
// said. Pure.
#pragma once

#include <optional>
#include <string>

#include "core/controllers/federated_autoscale/autoscale_plan.hpp"

namespace flotilla::controllers {

struct MetricFailure {
  std::string reason;  // FailedGetResourceMetric, ...
  std::string cause;   // as the condition and the event say it
  std::string error;   // as the error of the whole look says it
};

struct MetricOutcome {
  std::int64_t replicas = 0;
  std::string name;  // "cpu resource utilization (percentage of request)"
  api::Json status;
  std::optional<MetricFailure> failure;
};

MetricOutcome propose_for_metric(const api::Json& spec, const Result<MetricAnswer>& answer,
                                 const AutoscaleView& view);

}  // namespace flotilla::controllers
