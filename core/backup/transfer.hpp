// SPDX-License-Identifier: Apache-2.0
// Everything from one place to another: a backup into a backend, a backend into another, and whether both
// have the same.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/async/task.hpp"
#include "core/backup/backup_file.hpp"
#include "core/store/storage_extras.hpp"

namespace flotilla::backup {

// Beside all objects: what a daemon has to know about the backup that it was restored from. While it is there
// the daemon observes: it writes nothing to members. JSON {created, revision, storage, version, restored}.
inline constexpr const char* kRestoreKey = "/side/flotilla.io/restore";
// What comes after a restore is numbered far beyond what anybody can have seen before it, so that watches and
// caches of that time notice.
inline constexpr std::int64_t kRevisionLeap = 1'000'000'000;

using Progress = std::function<void(const BackupTotals&)>;

struct TransferOptions {
  // Put among the others, instead of one with its key.
  std::optional<store::KeyValue> mark;
  std::int64_t leap = 0;  // added to the revision
  Progress progress;      // may be empty
};

// Into an empty backend. Errors: Conflict: it is not empty. What was begun and not finished is begun anew by
// the next transfer, and served to nobody.
Task<Result<BackupTotals>> transfer(std::unique_ptr<store::SnapshotReader> from, store::StorageBackend* to,
                                    TransferOptions options);

// The backup in a file as a snapshot. Its errors come from next(), also that it was cut short.
std::unique_ptr<store::SnapshotReader> read_backup(int file);

struct ContentHash {
  BackupTotals totals;
  std::string sha256;  // of every key and value, by key; not of revisions
  bool operator==(const ContentHash& other) const {
    return sha256 == other.sha256 && totals.keys == other.totals.keys;
  }
};
Task<Result<ContentHash>> hash_content(std::unique_ptr<store::SnapshotReader> of, Progress progress);

}  // namespace flotilla::backup
