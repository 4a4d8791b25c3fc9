// SPDX-License-Identifier: Apache-2.0
// The storage of a fork: takes every commit and keeps nothing.
#pragma once

#include <string>
#include <utility>

#include "core/store/storage_backend.hpp"

namespace flotilla::planning {

class ForkBackend final : public store::StorageBackend {
 public:
  explicit ForkBackend(Revision at) : revision_(at) {}

  std::string name() const override { return "fork"; }
  Task<Status> start() override { co_return Status(); }
  Task<void> stop() override { co_return; }
  store::BackendCapabilities capabilities() const override { return {}; }
  Task<Result<store::BackendStatus>> status(bool) override {
    store::BackendStatus status;
    status.revision = revision_;
    co_return status;
  }
  Task<Result<Range>> range(std::string, std::string, Revision, std::uint64_t) override {
    Range nothing;
    nothing.revision = revision_;
    co_return nothing;
  }
  void commit(store::Commit commit, std::function<void(Result<store::CommitResult>)> done) override {
    revision_ = commit.expect;
    done(store::CommitResult{true, revision_});
  }
  Task<Result<Revision>> compact(Revision revision) override { co_return revision; }

 private:
  Revision revision_;
};

}  // namespace flotilla::planning
