// SPDX-License-Identifier: Apache-2.0
// What operators ask of the storage of a running daemon, under /flotilla/v1/: GET backup (a stream in the
// format of core/backup), GET storage (figures), POST storage?do=check|compact (a stream of one JSON document
// a line, the last of kind End or Error). Rights: create of backups.flotilla.io, get and update of
// storage.flotilla.io.
#pragma once

#include <memory>
#include <string>

#include "core/async/fiber_scope.hpp"
#include "core/async/metrics.hpp"
#include "core/daemon/operator_endpoint.hpp"
#include "core/store/storage_backend.hpp"

namespace flotilla::daemon {

// `storage` is the backend itself, below encryption: what is hidden stays hidden. All outlive the endpoint.
void serve_storage(OperatorEndpoint& endpoint, store::StorageBackend& storage, const Clock& clock);

// The backend's figures as metrics flotilla_storage_NAME, asked for every few seconds.
class StorageFigures {
 public:
  StorageFigures(const Executor& executor, store::StorageBackend& storage, Metrics& metrics);
  ~StorageFigures();
  void stop();  // not from an I/O thread

 private:
  FiberScope scope_;
};

}  // namespace flotilla::daemon
