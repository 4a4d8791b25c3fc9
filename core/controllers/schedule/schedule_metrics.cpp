// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/schedule/schedule_metrics.hpp"

#include <algorithm>
#include <string>

namespace flotilla::controllers {
namespace {

using scheduler::PolicyTime;
using scheduler::Step;

// As Karmada's framework names its codes.
constexpr const char* kResults[] = {"Success", "Unschedulable", "Error"};
constexpr const char* kPoints[] = {"Filter", "Score"};

// As Karmada writes names of plugins: taint_toleration is TaintToleration, api_enablement APIEnablement.
std::string written_as_karmada(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::string_view word = name.substr(0, name.find('_'));
    name.remove_prefix(std::min(name.size(), word.size() + 1));
    for (std::size_t i = 0; i < word.size(); ++i) {
      const bool upper = (i == 0 || word.size() <= 3) && word[i] >= 'a' && word[i] <= 'z';
      out += static_cast<char>(upper ? word[i] - 'a' + 'A' : word[i]);
    }
  }
  return out;
}

}  // namespace

ScheduleMetrics::ScheduleMetrics(Metrics* metrics, std::function<QueueLengths()> lengths)
    : metrics_(metrics) {
  constexpr const char* kEvents[] = {"BindingAdd", "BindingUpdate", "ScheduleAttemptFailure",
                                     "ClusterChanged"};
  for (std::size_t i = 0; i < incoming_.size(); ++i) {
    incoming_[i] = counter_in(metrics, "karmada_scheduler_queue_incoming_bindings_total",
                              "Bindings that became due, by what made them so.", {{"event", kEvents[i]}});
  }
  static const Buckets kBuckets = exponential_buckets(0.001, 2, 15);
  for (std::size_t i = 0; i < attempts_.size(); ++i) {
    const char* type = (i & 1) != 0 ? "ScaleSchedule" : "ReconcileSchedule";
    const MetricLabels labels = {{"result", (i & 2) != 0 ? "scheduled" : "error"}, {"schedule_type", type}};
    attempts_[i] = counter_in(metrics, "karmada_scheduler_schedule_attempts_total",
                              "Tries to schedule a binding.", labels);
    all_[i] = histogram_in(metrics, "karmada_scheduler_e2e_scheduling_duration_seconds",
                           "How long it takes to schedule a binding.", kBuckets, labels);
  }
  constexpr const char* kSteps[] = {"Filter", "Score", "Select", "AssignReplicas"};
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    steps_[i] =
        histogram_in(metrics, "karmada_scheduler_scheduling_algorithm_duration_seconds",
                     "How long the steps of the algorithm take.", kBuckets, {{"schedule_step", kSteps[i]}});
  }
  static const Buckets kPointBuckets = exponential_buckets(0.0001, 2, 12);
  for (std::size_t point = 0; point < points_.size(); ++point) {
    for (std::size_t result = 0; result < points_[point].size(); ++result) {
      points_[point][result] =
          histogram_in(metrics, "karmada_scheduler_framework_extension_point_duration_seconds",
                       "How long all policies of a step take together.", kPointBuckets,
                       {{"extension_point", kPoints[point]}, {"result", kResults[result]}});
    }
  }
  const MetricLabels own = {{"controller", "scheduler"}}, queue = {{"name", "scheduler"}, own.front()};
  adds_ = counter_in(metrics, "workqueue_adds_total", "Keys that became due.", queue);
  for (std::size_t i = 0; i < worked_.size(); ++i) {
    worked_[i] = counter_in(metrics, "controller_runtime_reconcile_total", "Keys that were worked on.",
                            {{"controller", "scheduler"}, {"result", i == 0 ? "success" : "error"}});
  }
  static const Buckets kReconcile = {0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3,  0.35,
                                     0.4,   0.45, 0.5,   0.6,  0.7, 0.8,  0.9, 1,    1.25, 1.5,
                                     1.75,  2,    2.5,   3,    3.5, 4,    4.5, 5,    6,    7,
                                     8,     9,    10,    15,   20,  25,   30,  40,   50,   60};
  took_ = histogram_in(metrics, "controller_runtime_reconcile_time_seconds", "How long a key takes.",
                       kReconcile, own);
  woken_ = counter_in(metrics, "flotilla_scheduler_woken_bindings_total",
                      "Bindings that changes of clusters made due, as their result can differ.");
  spared_ = counter_in(metrics, "flotilla_scheduler_spared_bindings_total",
                       "Bindings that changes of clusters left alone, as their result cannot differ.");
  if (metrics == nullptr) return;
  const auto length = [&](const char* queue, std::size_t QueueLengths::*member) {
    const auto value = [lengths, member] { return static_cast<double>(lengths().*member); };
    // Karmada's source and its documentation name it differently.
    for (const char* name : {"scheduler_pending_bindings", "karmada_scheduler_pending_bindings"}) {
      computed_.push_back(
          metrics->computed(name, "Bindings that wait to be scheduled.", {{"queue", queue}}, value));
    }
  };
  length("active", &QueueLengths::active);
  length("backoff", &QueueLengths::backoff);
  length("unschedulable", &QueueLengths::unschedulable);
  computed_.push_back(metrics->computed("workqueue_depth", "Keys that wait in the queue.", queue,
                                        [lengths] { return static_cast<double>(lengths().waiting); }));
  computed_.push_back(metrics->computed("controller_runtime_active_workers", "Keys in work.", own,
                                        [lengths] { return static_cast<double>(lengths().in_work); }));
}

void ScheduleMetrics::tried(const scheduler::Decision& decision, std::string_view reason,
                            const scheduler::Policies& policies, Duration all) {
  const bool ok = decision.ok();
  const auto& steps = decision.record.nanoseconds;
  const std::size_t scales = reason.find("replica") != reason.npos ? 1 : 0;
  const std::size_t which = (ok ? 2u : 0u) + scales;
  attempts_[which]->add();
  all_[which]->observe(all);
  const auto took = [&](scheduler::Step step) { return Duration(steps[static_cast<std::size_t>(step)]); };
  steps_[0]->observe(took(Step::Filter));
  steps_[1]->observe(took(Step::Score));
  steps_[2]->observe(took(Step::Estimate) + took(Step::Select));  // Karmada estimates while it selects
  steps_[3]->observe(took(Step::Assign));
  const auto end = [&](Step step, bool none) {
    const auto result = none                        ? PolicyTime::Result::Unschedulable
                        : took(step) == Duration(0) ? PolicyTime::Result::Error  // it was not finished
                                                    : PolicyTime::Result::Success;
    points_[static_cast<std::size_t>(step)][static_cast<std::size_t>(result)]->observe(took(step));
    return result == PolicyTime::Result::Success;
  };
  if (end(Step::Filter, decision.failure.kind == scheduler::FailureKind::NoClusterFit))
    end(Step::Score, false);
  for (const PolicyTime& time : decision.record.policy_times)
    policy_took(*policies.entries()[time.policy].policy, time);
}

void ScheduleMetrics::policy_took(const scheduler::Policy& policy, const PolicyTime& time) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Histogram>& series = by_policy_[{&policy, time.step, time.result}];
  if (!series) {
    static const Buckets kBuckets = exponential_buckets(0.00001, 1.5, 20);
    series = histogram_in(metrics_, "karmada_scheduler_plugin_execution_duration_seconds",
                          "How long a policy takes in one step, of one decision in 16.", kBuckets,
                          {{"plugin", written_as_karmada(policy.name())},
                           {"extension_point", kPoints[static_cast<std::size_t>(time.step)]},
                           {"result", kResults[static_cast<std::size_t>(time.result)]}});
  }
  series->observe(Duration(time.nanoseconds));
}

void ScheduleMetrics::worked(bool failed, Duration took) {
  worked_[failed ? 1 : 0]->add();
  took_->observe(took);
}

void ScheduleMetrics::woke(std::size_t woken, std::size_t spared) {
  came(Incoming::ClusterChanged, woken);
  woken_->add(woken);
  spared_->add(spared);
}

}  // namespace flotilla::controllers
