// SPDX-License-Identifier: Apache-2.0
// Kubernetes' metrics of the controller that FederatedHPA is a port of:
// horizontal_pod_autoscaler_controller_*.
#pragma once

#include <string_view>

#include "core/async/metrics.hpp"
#include "core/base/error.hpp"

namespace flotilla::controllers {

enum class ScalingAction : std::uint8_t { None, Up, Down };
ScalingAction scaling_action(std::int64_t before, std::int64_t after);

// Thread: any.
class AutoscaleMetrics {
 public:
  // Null: nobody counts.
  explicit AutoscaleMetrics(Metrics* metrics) : metrics_(metrics) {}
  // One look at an autoscaler. Null error: none.
  void reconciled(ScalingAction action, const Error* error, Duration took) const;
  // One entry of spec.metrics.
  void computed(std::string_view type, ScalingAction action, const Error* error, Duration took) const;

 private:
  Metrics* metrics_;
};

}  // namespace flotilla::controllers
