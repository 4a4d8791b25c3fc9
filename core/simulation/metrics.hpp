// SPDX-License-Identifier: Apache-2.0
// What a metrics server and a custom metrics adapter say of a simulated cluster, made up when somebody asks.
//
// What a pod uses is the first of these that is said, on the pod or, failing that, on the workload that made
// it:
//   simulation.flotilla.io/usage: "cpu=200m,memory=64Mi"    of each pod
//   simulation.flotilla.io/load: "cpu=2"                     of all running pods of the workload together
// else half of what it requests; 50m and 32Mi where it requests nothing. Custom metrics, of any object:
//   simulation.flotilla.io/metrics: {"requests_per_second": "30"}
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/store/store.hpp"

namespace flotilla::simulation {

inline constexpr std::string_view kUsageAnnotation = "simulation.flotilla.io/usage";
inline constexpr std::string_view kLoadAnnotation = "simulation.flotilla.io/load";
inline constexpr std::string_view kMetricsAnnotation = "simulation.flotilla.io/metrics";

struct MetricsQuery {
  std::string group;    // metrics.k8s.io or custom.metrics.k8s.io
  std::string version;  // as asked
  std::string ns;       // empty: all
  // Behind the namespace: {"pods"}, {"pods", "web-1"}, {"nodes"}, {"pods", "*", "rate"},
  // {"ingresses.networking.k8s.io", "main", "rate"}.
  std::vector<std::string> path;
  std::string label_selector;
};

// A list, or one object. Errors: NotFound; BadRequest, the selector.
Result<api::Json> answer_metrics(const store::Store& store, const MetricsQuery& query, WallTime now);

}  // namespace flotilla::simulation
