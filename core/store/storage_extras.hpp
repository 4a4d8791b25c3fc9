// SPDX-License-Identifier: Apache-2.0
// What a storage backend may do beside StorageBackend: snapshots and maintenance. The functions below work
// with every backend: where it has no better way, with pages of range at one revision and with commits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/store/storage_backend.hpp"

namespace flotilla::store {

// Everything at one revision, ascending by key, while commits go on. Thread: one fiber.
class SnapshotReader {
 public:
  virtual ~SnapshotReader() = default;
  struct Part {
    std::vector<KeyValue> values;  // as stored: hidden values stay hidden
    Revision revision;             // the same in every part
  };
  // Nullopt: that was all. At least one part comes.
  virtual Task<Result<std::optional<Part>>> next() = 0;
};

// A piece of a snapshot on its way into an empty backend.
struct LoadedPart {
  std::vector<KeyValue> values;  // ascending over all parts
  Revision revision;             // of the backend, once the last part is in; at least that of every value
  bool first = false;
  bool last = false;
};

enum class Maintenance { Check, Compact };
struct MaintenanceReport {
  enum class Kind { Progress, Finding, Fault };
  Kind kind = Kind::Progress;
  std::uint64_t done = 0, total = 0;  // 0: unknown
  std::string text;
};
class MaintenanceReader {
 public:
  virtual ~MaintenanceReader() = default;
  // Nullopt: the end.
  virtual Task<Result<std::optional<MaintenanceReport>>> next() = 0;
};

// A number that monitoring wants: "free_bytes".
struct StorageFigure {
  std::string name, help;
  double value = 0;
};

// Of backends that have a way of their own; each may be missing.
class StorageExtras {
 public:
  virtual ~StorageExtras() = default;
  virtual bool has_snapshots() const = 0;
  virtual std::unique_ptr<SnapshotReader> save() = 0;
  virtual Task<Status> load(LoadedPart part) = 0;
  virtual bool has_maintenance() const = 0;
  virtual std::unique_ptr<MaintenanceReader> maintain(Maintenance what, bool alone) = 0;
  virtual Task<Result<std::vector<StorageFigure>>> figures() = 0;
  virtual std::uint64_t max_operations() const = 0;  // of a commit
};

std::unique_ptr<SnapshotReader> save_snapshot(StorageBackend& backend);

// One part after the other; nothing else is asked meanwhile. A first part begins anew, if what is there is a
// load that was never finished; before the last part is in, nobody is served from the backend. Backends that
// cannot keep revisions give new ones. Errors: Conflict: it is not empty.
Task<Status> load_snapshot(StorageBackend* backend, LoadedPart part);
// A key beside all objects: it is there while a backend without a way of its own is being filled.
inline constexpr const char* kLoadingKey = "/flotilla/loading";

// `alone`: nobody else uses the backend. Errors: Unsupported.
Result<std::unique_ptr<MaintenanceReader>> maintain(StorageBackend& backend, Maintenance what, bool alone);
Task<Result<std::vector<StorageFigure>>> figures_of(StorageBackend* backend);

}  // namespace flotilla::store
