// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/federated_autoscale/autoscale_plan.hpp"

#include "core/api/quantity.hpp"
#include "core/controllers/federated_autoscale/metric_proposal.hpp"

namespace flotilla::controllers {

using api::Json;

namespace {

constexpr std::string_view kAble = "AbleToScale", kActive = "ScalingActive", kLimited = "ScalingLimited";

std::int64_t least_replicas(const Json& autoscaler) {
  return autoscaler["spec"]["minReplicas"].as_int(1);
}

std::int64_t most_replicas(const Json& autoscaler) {
  return autoscaler["spec"]["maxReplicas"].as_int();
}

bool is_disabled(const Json& autoscaler, std::int64_t member_replicas) {
  return member_replicas == 0 && least_replicas(autoscaler) != 0;
}

struct Computed {
  std::int64_t replicas = -1;  // -1: nothing can be done
  std::string metric;
  Json statuses = Json::array();
  std::optional<Error> error;
};

// The greatest of what the metrics ask for. When some are not known they may make it grow, not shrink.
Computed compute(const AutoscaleInput& input, AutoscalePlan& plan) {
  const double calibration =
      static_cast<double>(input.member_replicas) / static_cast<double>(input.template_replicas);
  const AutoscaleView view{
      input.pods,  input.template_replicas, input.member_status_replicas, calibration, input.now,
      input.tuning};
  const auto specs = input.autoscaler["spec"]["metrics"].elements();
  Computed computed;
  std::int64_t replicas = 0;
  std::size_t invalid = 0;
  std::optional<MetricFailure> first;
  for (std::size_t i = 0; i < specs.size() && i < input.metrics.size(); ++i) {
    MetricOutcome outcome = propose_for_metric(specs[i], input.metrics[i], view);
    plan.wishes.push_back({!outcome.failure, outcome.replicas});
    if (outcome.failure) {
      plan.events.push_back({true, outcome.failure->reason, outcome.failure->cause});
      if (!first) first = std::move(outcome.failure);
      ++invalid;
      continue;
    }
    computed.statuses.push_back(std::move(outcome.status));
    if (replicas == 0 || outcome.replicas > replicas) {
      replicas = outcome.replicas;
      computed.metric = outcome.name;
    }
  }
  if (first) {
    computed.error =
        Error(Code::Unavailable, "invalid metrics (" + std::to_string(invalid) + " invalid out of " +
                                     std::to_string(specs.size()) + "), first error is: " + first->error);
  }
  if (invalid >= specs.size() || (invalid > 0 && replicas < input.template_replicas)) {
    const std::string message =
        "the HPA was unable to compute the replica count: " + (first ? first->cause : std::string());
    set_autoscale_condition(plan.status, {kActive, "False", first ? first->reason : "", message}, input.now);
    return computed;
  }
  set_autoscale_condition(
      plan.status,
      {kActive, "True", "ValidMetricFound",
       "the HPA was able to successfully calculate a replica count from " + computed.metric},
      input.now);
  computed.replicas = replicas;
  return computed;
}

Json status_of(const Json& autoscaler) {
  const Json& status = autoscaler["status"];
  return status.is_object() ? status : Json::object();
}

void set_counts(Json& status, std::int64_t current, std::int64_t desired) {
  status.set("currentReplicas", current);
  status.set("desiredReplicas", desired);
}

void plan_by_metrics(const AutoscaleInput& input, AutoscaleMemory& memory, AutoscalePlan& plan) {
  const std::int64_t current = input.template_replicas;
  Computed computed = compute(input, plan);
  if (computed.error && computed.replicas == -1) {
    plan.events.push_back({true, "FailedComputeMetricsReplicas", computed.error->message()});
    set_counts(plan.status, current, std::as_const(plan.status)["desiredReplicas"].as_int());
    plan.error = std::move(computed.error);
    return;
  }
  plan.error = std::move(computed.error);
  if (computed.replicas > current) plan.rescale_reason = computed.metric + " above target";
  if (computed.replicas < current) plan.rescale_reason = "All metrics below target";
  const Json& behavior = input.autoscaler["spec"]["behavior"];
  const Limited limited = limit_replicas(
      memory, {behavior, current, computed.replicas, least_replicas(input.autoscaler),
               most_replicas(input.autoscaler), input.tuning.downscale_stabilization, input.now});
  const auto say = [&](std::string_view type, bool holds, const LimitReason& why) {
    set_autoscale_condition(plan.status, {type, holds ? "True" : "False", why.reason, why.message},
                            input.now);
  };
  say(kAble, true, limited.able);
  say(kLimited, limited.limited, limited.limit);
  plan.replicas = limited.replicas;
  plan.rescale = limited.replicas != current;
  plan.status.set("currentMetrics", std::move(computed.statuses));
  set_counts(plan.status, current, plan.replicas);
}

}  // namespace

bool needs_metrics(const Json& autoscaler, std::int64_t template_replicas, std::int64_t member_replicas) {
  return !is_disabled(autoscaler, member_replicas) && template_replicas <= most_replicas(autoscaler) &&
         template_replicas >= least_replicas(autoscaler);
}

AutoscalePlan plan_autoscale(const AutoscaleInput& input, AutoscaleMemory& memory) {
  const std::int64_t current = input.template_replicas;
  AutoscalePlan plan;
  plan.status = status_of(input.autoscaler);
  plan.replicas = current;
  set_autoscale_condition(
      plan.status,
      {kAble, "True", "SucceededGetScale", "the HPA controller was able to get the target's current scale"},
      input.now);
  if (memory.recommendations.empty()) memory.recommendations.push_back({current, input.now});
  if (needs_metrics(input.autoscaler, current, input.member_replicas)) {
    plan_by_metrics(input, memory, plan);
    return plan;
  }
  plan.status.erase("currentMetrics");
  if (is_disabled(input.autoscaler, input.member_replicas)) {
    set_autoscale_condition(plan.status,
                            {kActive, "False", "ScalingDisabled",
                             "scaling is disabled since the replica count of the target is zero"},
                            input.now);
  } else if (current > most_replicas(input.autoscaler)) {
    plan.rescale_reason = "Current number of replicas above Spec.MaxReplicas";
    plan.replicas = most_replicas(input.autoscaler);
    plan.rescale = true;
  } else {
    plan.rescale_reason = "Current number of replicas below Spec.MinReplicas";
    plan.replicas = least_replicas(input.autoscaler);
    plan.rescale = true;
  }
  set_counts(plan.status, current, plan.replicas);
  return plan;
}

void set_autoscale_condition(Json& status, const api::Condition& condition, WallTime now) {
  api::set_condition(status["conditions"], condition, now);
}

Json status_after_failure(const Json& autoscaler, std::string_view reason, const std::string& message,
                          WallTime now) {
  Json status = status_of(autoscaler);
  set_autoscale_condition(status, {kAble, "False", reason, message}, now);
  return status;
}

void note_rescale(AutoscalePlan& plan, const Json& autoscaler, std::int64_t before, const Error* error,
                  WallTime now) {
  const std::string size = std::to_string(plan.replicas);
  if (error != nullptr) {
    plan.events.push_back(
        {true, "FailedRescale",
         "New size: " + size + "; reason: " + plan.rescale_reason + "; error: " + error->message()});
    set_autoscale_condition(plan.status,
                            {kAble, "False", "FailedUpdateScale",
                             "the HPA controller was unable to update the target scale: " + error->message()},
                            now);
    set_counts(plan.status, before, autoscaler["status"]["desiredReplicas"].as_int());
    plan.error = *error;
    return;
  }
  set_autoscale_condition(plan.status,
                          {kAble, "True", "SucceededRescale",
                           "the HPA controller was able to update the target scale to " + size},
                          now);
  plan.events.push_back(
      {false, "SuccessfulRescale", "New size: " + size + "; reason: " + plan.rescale_reason});
  plan.status.set("lastScaleTime", format_time(now));
}

}  // namespace flotilla::controllers
