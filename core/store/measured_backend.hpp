// SPDX-License-Identifier: Apache-2.0
// Tells Prometheus how long a storage backend takes, under the name that dashboards know from etcd.
#pragma once

#include <memory>
#include <string>

#include "core/async/metrics.hpp"
#include "core/store/storage_backend.hpp"

namespace flotilla::store {

class MeasuredBackend final : public StorageBackend {
 public:
  // `clock` and `metrics` outlive it.
  MeasuredBackend(std::unique_ptr<StorageBackend> backend, const Clock& clock, Metrics& metrics);

  std::string name() const override { return backend_->name(); }
  Task<Status> start() override { return backend_->start(); }
  Task<void> stop() override { return backend_->stop(); }
  BackendCapabilities capabilities() const override { return backend_->capabilities(); }
  Task<Result<BackendStatus>> status() override { return backend_->status(); }
  Task<Result<Range>> range(std::string key, std::string end, Revision at, std::uint64_t limit) override;
  // From submission to safety: groups of commits wait for one fsync.
  void commit(Commit commit, std::function<void(Result<CommitResult>)> done) override;
  Task<Result<Revision>> compact(Revision revision) override;

 private:
  std::unique_ptr<StorageBackend> backend_;
  const Clock& clock_;
  std::shared_ptr<Histogram> ranges_, commits_, compactions_;
  std::shared_ptr<Counter> errors_;
};

}  // namespace flotilla::store
