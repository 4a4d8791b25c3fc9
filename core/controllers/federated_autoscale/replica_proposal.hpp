// SPDX-License-Identifier: Apache-2.0
// How many replicas one metric asks for: the rules of Kubernetes' HorizontalPodAutoscaler, with Karmada's
// calibration. Pure.
//
//   ratio = usage / target; within the tolerance nothing changes; else ceil(ratio * ready pods / calibration)
//
// Pods that are not ready yet, and those of which nothing is known, are reckoned with so that the answer
// moves less: as using nothing when it would grow, as using all they may when it would shrink.
#pragma once

#include <cstdint>
#include <optional>

#include "core/controllers/federated_autoscale/pod_samples.hpp"

namespace flotilla::controllers {

struct AutoscaleTuning {
  double tolerance = 0.1;
  Duration cpu_initialization_period = std::chrono::minutes(5);
  Duration initial_readiness_delay = std::chrono::seconds(30);
  Duration downscale_stabilization = std::chrono::minutes(5);
};

// What every metric of one autoscaler is looked at with.
struct AutoscaleView {
  const std::vector<MemberObject>& pods;
  std::int64_t replicas = 0;         // that the template asks for
  std::int64_t status_replicas = 0;  // that members have
  double calibration = 1;            // replicas in the members that answered / those of the template
  WallTime now;
  const AutoscaleTuning& tuning;
};

struct Proposal {
  std::int64_t replicas = 0;
  std::int64_t usage = 0;                   // average, in thousandths (of an object: as it is)
  std::optional<std::int64_t> utilization;  // percent of the requests
};

// A share of what the pods request. `container` empty: of all containers.
Result<Proposal> propose_for_utilization(PodSamples samples, std::int64_t target_percent,
                                         std::string_view resource, std::string_view container,
                                         const AutoscaleView& view);
// An average amount per pod, in thousandths. `resource` is empty for custom metrics.
Result<Proposal> propose_for_average(PodSamples samples, std::int64_t target, std::string_view resource,
                                     const AutoscaleView& view);
// An amount of something else than pods: as a whole, or divided by the pods.
Result<Proposal> propose_for_value(std::int64_t usage, std::int64_t target, const AutoscaleView& view);
Proposal propose_for_value_per_pod(std::int64_t usage, std::int64_t target, const AutoscaleView& view);

}  // namespace flotilla::controllers
