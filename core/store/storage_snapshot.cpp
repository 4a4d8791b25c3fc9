// SPDX-License-Identifier: Apache-2.0
// For storage backends that have no snapshots or maintenance of their own: pages of range at one revision,
// and commits.
#include <algorithm>
#include <utility>

#include "core/async/event.hpp"
#include "core/store/storage_extras.hpp"

namespace flotilla::store {
namespace {

constexpr std::uint64_t kPage = 1'000;
constexpr std::size_t kOperations = 100;
constexpr std::size_t kBytes = 512u << 10;  // of a commit

std::string first_key() {
  return std::string(1, '\0');
}
std::string behind_all_keys() {
  return "\xff\xff";
}

class RangeReader final : public SnapshotReader {
 public:
  explicit RangeReader(StorageBackend& backend) : backend_(backend) {}

  Task<Result<std::optional<Part>>> next() override {
    if (done_) co_return std::optional<Part>();
    auto ranging = backend_.range(from_, behind_all_keys(), at_, kPage);
    Result<StorageBackend::Range> range = co_await std::move(ranging);
    if (!range) co_return std::move(range).error();
    at_ = range->revision;
    done_ = !range->more || range->values.empty();
    if (!done_) from_ = range->values.back().key + '\0';
    co_return std::optional<Part>(Part{std::move(range->values), at_});
  }

 private:
  StorageBackend& backend_;
  std::string from_ = first_key();
  Revision at_;
  bool done_ = false;
};

struct Answer {
  Event come;
  std::optional<Result<CommitResult>> result;
};

Task<Status> commit_now(StorageBackend& backend, std::vector<Operation> operations) {
  if (operations.empty()) co_return Status();
  Commit commit;
  commit.operations = std::move(operations);
  const auto answer = std::make_shared<Answer>();
  const std::uint64_t seen = answer->come.version();
  backend.commit(std::move(commit), [answer](Result<CommitResult> result) {
    answer->result.emplace(std::move(result));
    answer->come.notify();
  });
  auto waiting = answer->come.wait_past(seen);
  const bool come = co_await std::move(waiting);
  if (!come || !answer->result) co_return Error(Code::Cancelled, "cancelled while storage was writing");
  if (!*answer->result) co_return std::move(*answer->result).error();
  co_return Status();
}

// Everything goes, if it is the rest of a load that was never finished.
Task<Status> clear_unfinished(StorageBackend& backend) {
  for (bool checked = false;; checked = true) {
    auto ranging = backend.range(first_key(), behind_all_keys(), Revision(), kOperations / 2);
    const Result<StorageBackend::Range> range = co_await std::move(ranging);
    if (!range) co_return range.error();
    if (range->values.empty()) co_return Status();
    if (!checked) {
      auto asking = backend.range(kLoadingKey, std::string(kLoadingKey) + '\0', Revision(), 1);
      const Result<StorageBackend::Range> mark = co_await std::move(asking);
      if (!mark) co_return mark.error();
      if (mark->values.empty())
        co_return Error(Code::Conflict,
                        "storage " + backend.name() + " is not empty; only an empty one takes a backup");
    }
    std::vector<Operation> removals;
    for (const KeyValue& kv : range->values) {
      // The mark goes last, when it is alone.
      if (kv.key != kLoadingKey || range->values.size() == 1) removals.push_back({kv.key, {}, true});
    }
    auto removing = commit_now(backend, std::move(removals));
    const Status removed = co_await std::move(removing);
    if (!removed) co_return removed;
  }
}

Task<Status> commit_part(StorageBackend& backend, std::uint64_t max_operations, LoadedPart part) {
  if (part.first) {
    auto clearing = clear_unfinished(backend);
    const Status cleared = co_await std::move(clearing);
    if (!cleared) co_return cleared;
    std::vector<Operation> mark(1, Operation{kLoadingKey, "1", false});
    auto marking = commit_now(backend, std::move(mark));
    const Status marked = co_await std::move(marking);
    if (!marked) co_return marked;
  }
  const std::size_t most = std::clamp<std::size_t>(max_operations, 1, kOperations);
  std::vector<Operation> operations;
  std::size_t bytes = 0;
  for (KeyValue& kv : part.values) {
    if (operations.size() == most || bytes + kv.value.size() > kBytes) {
      auto committing = commit_now(backend, std::exchange(operations, {}));
      const Status committed = co_await std::move(committing);
      if (!committed) co_return committed;
      bytes = 0;
    }
    bytes += kv.key.size() + kv.value.size();
    operations.push_back({std::move(kv.key), std::move(kv.value), false});
  }
  if (part.last) {
    if (operations.size() == most) {
      auto committing = commit_now(backend, std::exchange(operations, {}));
      const Status committed = co_await std::move(committing);
      if (!committed) co_return committed;
    }
    operations.push_back({kLoadingKey, {}, true});
  }
  auto committing = commit_now(backend, std::move(operations));
  co_return co_await std::move(committing);
}

}  // namespace

std::unique_ptr<SnapshotReader> save_snapshot(StorageBackend& backend) {
  auto* extras = dynamic_cast<StorageExtras*>(&backend);
  if (extras != nullptr && extras->has_snapshots()) return extras->save();
  return std::make_unique<RangeReader>(backend);
}

Task<Status> load_snapshot(StorageBackend* backend, LoadedPart part) {
  auto* extras = dynamic_cast<StorageExtras*>(backend);
  auto loading =
      extras != nullptr && extras->has_snapshots()
          ? extras->load(std::move(part))
          : commit_part(*backend, extras == nullptr ? 1 : extras->max_operations(), std::move(part));
  co_return co_await std::move(loading);
}
Result<std::unique_ptr<MaintenanceReader>> maintain(StorageBackend& backend, Maintenance what, bool alone) {
  auto* extras = dynamic_cast<StorageExtras*>(&backend);
  if (extras == nullptr || !extras->has_maintenance())
    return Error(Code::Unsupported, "storage " + backend.name() + " has no maintenance of its own");
  return extras->maintain(what, alone);
}

Task<Result<std::vector<StorageFigure>>> figures_of(StorageBackend* backend) {
  auto* extras = dynamic_cast<StorageExtras*>(backend);
  if (extras != nullptr && extras->has_maintenance()) {
    auto asking = extras->figures();
    co_return co_await std::move(asking);
  }
  auto asking = backend->status(false);
  const Result<BackendStatus> known = co_await std::move(asking);
  if (!known) co_return known.error();
  std::vector<StorageFigure> figures;
  figures.push_back({"database_bytes", "What the backend takes.", static_cast<double>(known->bytes)});
  figures.push_back({"read_only", "1: writes are refused.", known->read_only ? 1.0 : 0.0});
  co_return figures;
}

}  // namespace flotilla::store
