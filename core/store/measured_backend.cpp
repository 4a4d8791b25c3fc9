// SPDX-License-Identifier: Apache-2.0
#include "core/store/measured_backend.hpp"

#include <utility>

namespace flotilla::store {
namespace {

std::shared_ptr<Histogram> series(Metrics& metrics, const char* operation) {
  static const Buckets kBuckets = {0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1,  1.25, 1.5, 2,
                                   3,     4,     5,    6,   8,   10,  15,  20,  30, 45,   60};
  return metrics.histogram("etcd_request_duration_seconds", "How long the storage backend takes.", kBuckets,
                           {{"operation", operation}, {"type", "storage"}});
}

}  // namespace

MeasuredBackend::MeasuredBackend(std::unique_ptr<StorageBackend> backend, const Clock& clock,
                                 Metrics& metrics)
    : LayeredBackend(std::move(backend)),
      clock_(clock),
      ranges_(series(metrics, "list")),
      commits_(series(metrics, "update")),
      compactions_(series(metrics, "compact")),
      errors_(metrics.counter("etcd_request_errors_total", "Commits that the storage backend refused.",
                              {{"operation", "update"}, {"type", "storage"}})) {}

Task<Result<StorageBackend::Range>> MeasuredBackend::range(std::string key, std::string end, Revision at,
                                                           std::uint64_t limit) {
  const SteadyTime began = clock_.steady_now();
  auto reading = LayeredBackend::range(std::move(key), std::move(end), at, limit);
  auto answer = co_await std::move(reading);
  ranges_->observe(clock_.steady_now() - began);
  co_return answer;
}

void MeasuredBackend::commit(Commit commit, std::function<void(Result<CommitResult>)> done) {
  const SteadyTime began = clock_.steady_now();
  LayeredBackend::commit(std::move(commit),
                         [this, began, done = std::move(done)](Result<CommitResult> result) {
                           commits_->observe(clock_.steady_now() - began);
                           if (!result) errors_->add();
                           done(std::move(result));
                         });
}

Task<Result<Revision>> MeasuredBackend::compact(Revision revision) {
  const SteadyTime began = clock_.steady_now();
  auto compacting = LayeredBackend::compact(revision);
  auto answer = co_await std::move(compacting);
  compactions_->observe(clock_.steady_now() - began);
  co_return answer;
}

}  // namespace flotilla::store
