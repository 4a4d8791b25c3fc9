// SPDX-License-Identifier: Apache-2.0
// A storage backend whose values are hidden from whoever reads the disk. Stands between the store and another
// backend; memory holds plain objects.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/store/encryption/encryption_rules.hpp"
#include "core/store/layered_backend.hpp"

namespace flotilla::store {

class EncryptedBackend final : public LayeredBackend {
 public:
  // `origin` names the file of the rules in errors. Without rules values pass as they are, but what is
  // encrypted is named instead of being taken for damage.
  EncryptedBackend(std::unique_ptr<StorageBackend> backend, std::optional<EncryptionRules> rules,
                   std::string origin);

  Task<Result<Range>> range(std::string key, std::string end, Revision at, std::uint64_t limit) override;
  void commit(Commit commit, std::function<void(Result<CommitResult>)> done) override;
  Result<std::unique_ptr<StorageWatch>> watch(std::string key, std::string end, Revision start) override;

  // Keys of values that are not stored as the rules would write them now; to be written again. Once.
  std::vector<std::string> take_stale();

 private:
  class Watch;
  // Replaces the stored value by the plain one. `stale`: the rules would write it otherwise now.
  Status open(KeyValue& kv, bool& stale) const;

  const std::optional<EncryptionRules> rules_;
  const std::string origin_;
  std::vector<std::string> stale_;  // filled while the store loads
};

}  // namespace flotilla::store
