// SPDX-License-Identifier: Apache-2.0
// What the metrics APIs of members say, as an autoscaler reckons with it: thousandths, by pod. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::controllers {

// An object of a member; pods of different members may share a name.
struct MemberObject {
  std::string cluster;
  api::Json object;
};
std::string member_key(std::string_view cluster, std::string_view name);

struct PodSample {
  std::int64_t value = 0;  // thousandths
  WallTime timestamp;
  Duration window = std::chrono::minutes(1);
};
using PodSamples = std::map<std::string, PodSample>;  // by member_key

// Of PodMetrics objects (metrics.k8s.io): the sum of a pod's containers. A pod of which a container says
// nothing of the resource is left out.
PodSamples pod_usage(const std::vector<MemberObject>& metrics, std::string_view resource);
// Of one container of each pod. Errors: Invalid, a pod without this container.
Result<PodSamples> container_usage(const std::vector<MemberObject>& metrics, std::string_view resource,
                                   std::string_view container);
// Of MetricValue objects (custom.metrics.k8s.io) that describe pods.
PodSamples custom_values(const std::vector<MemberObject>& metrics);

// What is left of a pod for those who reckon with it.
api::Json trim_scaled_pod(const api::Json& pod);

// A quantity in thousandths; 0 where it cannot be read.
std::int64_t milli_of(const api::Json& quantity);

}  // namespace flotilla::controllers
