// SPDX-License-Identifier: Apache-2.0
// What a FederatedHPA does, given what was seen: the algorithm of Kubernetes' HorizontalPodAutoscaler over
// the pods of several clusters. Pure but for what it remembers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/api/conditions.hpp"
#include "core/controllers/federated_autoscale/replica_proposal.hpp"
#include "core/controllers/federated_autoscale/scaling_limits.hpp"

namespace flotilla::controllers {

// The answer to one entry of spec.metrics.
struct MetricAnswer {
  std::vector<MemberObject> pods;  // PodMetrics, or MetricValues that describe pods
  std::int64_t value = 0;          // Object, External: thousandths, of all clusters together
};

struct AutoscaleInput {
  const api::Json& autoscaler;
  std::int64_t template_replicas = 0;  // the template's scale
  std::int64_t member_replicas = 0;    // spec.replicas of the members that answered
  std::int64_t member_status_replicas = 0;
  std::vector<MemberObject> pods;
  // In the order of spec.metrics; empty when needs_metrics() says no.
  std::vector<Result<MetricAnswer>> metrics;
  WallTime now;
  AutoscaleTuning tuning;
};

struct PlannedEvent {
  bool warning = true;
  std::string reason, message;
};

// What one metric asks for.
struct MetricWish {
  bool known = false;
  std::int64_t replicas = 0;
};

struct AutoscalePlan {
  bool rescale = false;
  std::int64_t replicas = 0;
  std::string rescale_reason;
  api::Json status;  // as it is to be, but for the outcome of the scaling
  std::vector<PlannedEvent> events;
  std::vector<MetricWish> wishes;  // of each entry of spec.metrics, where they were needed
  std::optional<Error> error;      // to be retried; the status is written all the same
};

// Scaling may be decided without metrics: it is disabled, or the replicas are out of bounds.
bool needs_metrics(const api::Json& autoscaler, std::int64_t template_replicas, std::int64_t member_replicas);

AutoscalePlan plan_autoscale(const AutoscaleInput& input, AutoscaleMemory& memory);

// A condition of an autoscaler's status: type, status, reason, message.
void set_autoscale_condition(api::Json& status, const api::Condition& condition, WallTime now);
// The status after a failure to get so far as to plan.
api::Json status_after_failure(const api::Json& autoscaler, std::string_view reason,
                               const std::string& message, WallTime now);
// After the scaling was tried; null error: it succeeded.
void note_rescale(AutoscalePlan& plan, const api::Json& autoscaler, std::int64_t before, const Error* error,
                  WallTime now);

}  // namespace flotilla::controllers
