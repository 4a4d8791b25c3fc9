// SPDX-License-Identifier: Apache-2.0
// Tells Prometheus how long a storage backend takes, under the name that dashboards know from etcd.
#pragma once

#include <string>

#include "core/async/metrics.hpp"
#include "core/store/layered_backend.hpp"

namespace flotilla::store {

class MeasuredBackend final : public LayeredBackend {
 public:
  // `clock` and `metrics` outlive it.
  MeasuredBackend(std::unique_ptr<StorageBackend> backend, const Clock& clock, Metrics& metrics);

  Task<Result<Range>> range(std::string key, std::string end, Revision at, std::uint64_t limit) override;
  // From submission to safety: groups of commits wait for one fsync.
  void commit(Commit commit, std::function<void(Result<CommitResult>)> done) override;
  Task<Result<Revision>> compact(Revision revision) override;

 private:
  const Clock& clock_;
  std::shared_ptr<Histogram> ranges_, commits_, compactions_;
  std::shared_ptr<Counter> errors_;
};

}  // namespace flotilla::store
