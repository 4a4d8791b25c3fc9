// SPDX-License-Identifier: Apache-2.0
// A control plane that was restored from a backup: it serves, watches members and decides, and writes nothing
// to them until a person has seen what would change and accepted it. What it is restored from lies beside the
// objects (backup::kRestoreKey), so every daemon over the same storage observes, also after a restart.
// /flotilla/v1/restore: GET (?unknown=true also looks in members for what the backup does not know), POST
// {"accept": true}. Rights: get and update of restores.flotilla.io.
#pragma once

#include <memory>
#include <optional>

#include "core/async/executor.hpp"
#include "core/cluster/registry.hpp"
#include "core/daemon/operator_endpoint.hpp"
#include "core/store/writer.hpp"

namespace flotilla::daemon {

// What was restored, as it was written down; nullopt: nothing, or it was accepted. Errors: of the storage,
// and of a restore that was not finished.
Task<Result<std::optional<api::Json>>> read_restored(store::StorageBackend* storage);

struct RestoreContext {
  const Executor& executor;
  store::Store& store;
  store::StorageBackend& storage;
  store::Writer& writer;
  cluster::ClusterRegistry& clusters;
  std::optional<api::Json> restored;  // as read; then the gate of `clusters` is closed
};

class RestoreService {
 public:
  RestoreService(RestoreContext context, OperatorEndpoint& endpoint);
  ~RestoreService();
  void stop();  // not from an I/O thread

  struct State;

 private:
  std::shared_ptr<State> state_;
};

// Agents of members in pull mode are told no Works while the gate is closed.
http::Handler without_works_for_agents(http::Handler handler, const cluster::WriteGate& gate);

}  // namespace flotilla::daemon
