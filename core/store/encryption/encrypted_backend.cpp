// SPDX-License-Identifier: Apache-2.0
#include "core/store/encryption/encrypted_backend.hpp"

#include <utility>

namespace flotilla::store {

EncryptedBackend::EncryptedBackend(std::unique_ptr<StorageBackend> backend,
                                   std::optional<EncryptionRules> rules, std::string origin)
    : LayeredBackend(std::move(backend)), rules_(std::move(rules)), origin_(std::move(origin)) {}

// What other writers store is opened as it comes.
class EncryptedBackend::Watch final : public StorageWatch {
 public:
  Watch(const EncryptedBackend& backend, std::unique_ptr<StorageWatch> below)
      : backend_(backend), below_(std::move(below)) {}

  Task<Result<StoredChanges>> next() override {
    auto waiting = below_->next();
    Result<StoredChanges> changes = co_await std::move(waiting);
    if (!changes) co_return changes;
    for (StoredChange& change : changes->changes) {
      bool stale = false;  // by another writer's rules; it is written again when one of ours touches it
      if (change.removed) continue;
      if (Status opened = backend_.open(change.kv, stale); !opened) co_return std::move(opened).error();
    }
    co_return changes;
  }
  void ask_progress() override { below_->ask_progress(); }

 private:
  const EncryptedBackend& backend_;
  const std::unique_ptr<StorageWatch> below_;
};

Status EncryptedBackend::open(KeyValue& kv, bool& stale) const {
  if (!rules_) {
    if (!kv.value.starts_with(kEncryptedPrefix)) return {};
    return Error(Code::DataLoss, kv.key +
                                     " is encrypted; name the file with its keys in "
                                     "security.encryption_config");
  }
  auto opened = rules_->open(kv.key, std::move(kv.value));
  if (!opened) return std::move(opened).context(origin_ + " cannot read " + kv.key);
  kv.value = std::move(opened->value);
  stale = opened->stale;
  return {};
}

Task<Result<StorageBackend::Range>> EncryptedBackend::range(std::string key, std::string end, Revision at,
                                                            std::uint64_t limit) {
  auto ranging = LayeredBackend::range(std::move(key), std::move(end), at, limit);
  Result<Range> range = co_await std::move(ranging);
  if (!range) co_return range;
  for (KeyValue& kv : range->values) {
    bool stale = false;
    if (Status opened = open(kv, stale); !opened) co_return std::move(opened).error();
    if (stale) stale_.push_back(kv.key);
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

Result<std::unique_ptr<StorageWatch>> EncryptedBackend::watch(std::string key, std::string end,
                                                              Revision start) {
  auto below = LayeredBackend::watch(std::move(key), std::move(end), start);
  if (!below) return below;
  return std::unique_ptr<StorageWatch>(std::make_unique<Watch>(*this, *std::move(below)));
}

std::vector<std::string> EncryptedBackend::take_stale() {
  return std::exchange(stale_, {});
}

}  // namespace flotilla::store
