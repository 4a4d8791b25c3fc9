// SPDX-License-Identifier: Apache-2.0
// A storage backend that stands between the store and another one and hands on what it does not concern.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "core/store/storage_backend.hpp"

namespace flotilla::store {

class LayeredBackend : public StorageBackend {
 public:
  explicit LayeredBackend(std::unique_ptr<StorageBackend> below) : below_(std::move(below)) {}

  std::string name() const override { return below_->name(); }
  Task<Status> start() override { return below_->start(); }
  Task<void> stop() override { return below_->stop(); }
  BackendCapabilities capabilities() const override { return below_->capabilities(); }
  Task<Result<BackendStatus>> status(bool linearizable) override { return below_->status(linearizable); }
  Task<Result<Range>> range(std::string key, std::string end, Revision at, std::uint64_t limit) override {
    return below_->range(std::move(key), std::move(end), at, limit);
  }
  void commit(Commit commit, std::function<void(Result<CommitResult>)> done) override {
    below_->commit(std::move(commit), std::move(done));
  }
  Task<Result<Revision>> compact(Revision revision) override { return below_->compact(revision); }
  Result<std::unique_ptr<StorageWatch>> watch(std::string key, std::string end, Revision start) override {
    return below_->watch(std::move(key), std::move(end), start);
  }

 private:
  const std::unique_ptr<StorageBackend> below_;
};

}  // namespace flotilla::store
