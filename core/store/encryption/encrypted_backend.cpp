// SPDX-License-Identifier: Apache-2.0
#include "core/store/encryption/encrypted_backend.hpp"

#include <utility>

namespace flotilla::store {

EncryptedBackend::EncryptedBackend(std::unique_ptr<StorageBackend> backend,
                                   std::optional<EncryptionRules> rules, std::string origin)
    : LayeredBackend(std::move(backend)), rules_(std::move(rules)), origin_(std::move(origin)) {}

Task<Result<StorageBackend::Range>> EncryptedBackend::range(std::string key, std::string end, Revision at,
                                                            std::uint64_t limit) {
  auto ranging = LayeredBackend::range(std::move(key), std::move(end), at, limit);
  Result<Range> range = co_await std::move(ranging);
  if (!range) co_return range;
  for (KeyValue& kv : range->values) {
    if (!rules_) {
      if (!kv.value.starts_with(kEncryptedPrefix)) continue;
      co_return Error(Code::DataLoss, kv.key +
                                          " is encrypted; name the file with its keys in "
                                          "security.encryption_config");
    }
    auto opened = rules_->open(kv.key, std::move(kv.value));
    if (!opened) co_return std::move(opened).context(origin_ + " cannot read " + kv.key);
    kv.value = std::move(opened->value);
    if (opened->stale) stale_.push_back(kv.key);
  }
  co_return range;
}

void EncryptedBackend::commit(Commit commit, std::function<void(Result<CommitResult>)> done) {
  if (rules_) {
    for (Operation& operation : commit.operations) {
      if (!operation.remove) operation.value = rules_->seal(operation.key, std::move(operation.value));
    }
  }
  LayeredBackend::commit(std::move(commit), std::move(done));
}

std::vector<std::string> EncryptedBackend::take_stale() {
  return std::exchange(stale_, {});
}

}  // namespace flotilla::store
