// SPDX-License-Identifier: Apache-2.0
// A storage backend whose values are hidden from whoever reads the disk. Stands between the store and another
// backend; memory holds plain objects.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/store/encryption/encryption_rules.hpp"
#include "core/store/storage_backend.hpp"

namespace flotilla::store {

class EncryptedBackend final : public StorageBackend {
 public:
  // `origin` names the file of the rules in errors. Without rules values pass as they are, but what is
  // encrypted is named instead of being taken for damage.
  EncryptedBackend(std::unique_ptr<StorageBackend> backend, std::optional<EncryptionRules> rules,
                   std::string origin);

  std::string name() const override { return backend_->name(); }
  Task<Status> start() override { return backend_->start(); }
  Task<void> stop() override { return backend_->stop(); }
  BackendCapabilities capabilities() const override { return backend_->capabilities(); }
  Task<Result<BackendStatus>> status() override { return backend_->status(); }
  Task<Result<Range>> range(std::string key, std::string end, Revision at, std::uint64_t limit) override;
  void commit(Commit commit, std::function<void(Result<CommitResult>)> done) override;
  Task<Result<Revision>> compact(Revision revision) override { return backend_->compact(revision); }

  // Keys of values that are not stored as the rules would write them now; to be written again. Once.
  std::vector<std::string> take_stale();

 private:
  std::unique_ptr<StorageBackend> backend_;
  const std::optional<EncryptionRules> rules_;
  const std::string origin_;
  std::vector<std::string> stale_;  // filled while the store loads
};

}  // namespace flotilla::store
