// SPDX-License-Identifier: Apache-2.0
#include "core/reconcile/loop_metrics.hpp"

namespace flotilla::reconcile {
namespace {

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

const Buckets& queue_buckets() {
  static const Buckets kBuckets = exponential_buckets(1e-8, 10, 12);
  return kBuckets;
}

const Buckets& reconcile_buckets() {
  static const Buckets kBuckets = {0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3,  0.35,
                                   0.4,   0.45, 0.5,   0.6,  0.7, 0.8,  0.9, 1,    1.25, 1.5,
                                   1.75,  2,    2.5,   3,    3.5, 4,    4.5, 5,    6,    7,
                                   8,     9,    10,    15,   20,  25,   30,  40,   50,   60};
  return kBuckets;
}

}  // namespace

LoopMetrics::LoopMetrics(Metrics& metrics, const std::string& name, const LoopOptions& options,
                         WorkQueue<Key>& queue) {
  const MetricLabels queue_label = {{"name", name}, {"controller", name}}, label = {{"controller", name}};
  queue.observe({metrics.counter("workqueue_adds_total", "Keys that became due.", queue_label),
                 metrics.histogram("workqueue_queue_duration_seconds", "How long keys wait in the queue.",
                                   queue_buckets(), queue_label),
                 metrics.histogram("workqueue_work_duration_seconds", "How long keys are in work.",
                                   queue_buckets(), queue_label)});
  retries =
      metrics.counter("workqueue_retries_total", "Keys that are tried again after a failure.", queue_label);
  computed = {
      metrics.computed("workqueue_depth", "Keys that wait in the queue.", queue_label,
                       [&queue] { return static_cast<double>(queue.size()); }),
      metrics.computed("workqueue_unfinished_work_seconds", "How long the keys in work have been there.",
                       queue_label, [&queue] { return seconds(queue.in_work().first); }),
      metrics.computed("workqueue_longest_running_processor_seconds",
                       "How long the key that is longest in work has been there.", queue_label,
                       [&queue] { return seconds(queue.in_work().second); }),
      metrics.computed("controller_runtime_active_workers", "Keys in work.", label,
                       [&queue] { return static_cast<double>(queue.working()); })};
  metrics.gauge("controller_runtime_max_concurrent_reconciles", "Keys that may be in work at once.", label)
      ->set(options.workers);
  constexpr const char* kResults[] = {"success", "requeue_after", "error", "error"};
  for (std::size_t i = 0; i < results.size(); ++i) {
    results[i] = metrics.counter("controller_runtime_reconcile_total", "Keys that were worked on.",
                                 {{"controller", name}, {"result", kResults[i]}});
  }
  errors = metrics.counter("controller_runtime_reconcile_errors_total", "Keys that failed.", label);
  terminal = metrics.counter("controller_runtime_terminal_reconcile_errors_total",
                             "Keys that failed and wait for a change.", label);
  metrics.counter("controller_runtime_reconcile_panics_total", "Keys that broke their controller.", label);
  took = metrics.histogram("controller_runtime_reconcile_time_seconds", "How long a key takes.",
                           reconcile_buckets(), label);
  if (options.timed_as == nullptr) return;
  static const Buckets kKarmada = exponential_buckets(0.001, 2, 12);
  succeeded = metrics.histogram(options.timed_as, "How long it takes.", kKarmada, {{"result", "success"}});
  failed = metrics.histogram(options.timed_as, "How long it takes.", kKarmada, {{"result", "error"}});
}

}  // namespace flotilla::reconcile
