// SPDX-License-Identifier: Apache-2.0
// What runs beside the API server: the controllers of a control plane, or the simulators of a member.
#pragma once

#include <memory>
#include <string>

#include "core/apiserver/api_server.hpp"
#include "core/async/metrics.hpp"
#include "core/cluster/registry.hpp"
#include "core/cluster/write_gate.hpp"
#include "core/config/settings.hpp"
#include "core/http/x509.hpp"
#include "core/plugin/registry.hpp"
#include "core/store/store.hpp"

namespace flotilla::daemon {

struct RoleContext {
  const config::Settings& settings;
  const Executor& executor;
  store::Store& store;
  apiserver::ApiServer& api;
  const plugin::Registry& plugins;
  Metrics& metrics;
  http::KeyPair authority;             // its certificate is handed to every namespace; signs those of clients
  cluster::WriteGuard may_write = {};  // asked before every write to a member; empty: always
  bool observes = false;               // nothing is written to members until clusters().gate() is opened
};

// Thread: all from one thread that may block.
class Roles {
 public:
  explicit Roles(RoleContext context);
  ~Roles();
  // All that follows and answers; nothing of it writes.
  Status start();
  // After start(): the controllers and simulators work from now on.
  Status lead();
  // They end for good; what answers goes on until stop(). Idempotent.
  void resign();
  void stop();
  bool idle() const;
  cluster::ClusterRegistry& clusters();
  // The metrics APIs of a control plane over its members, between start() and stop().
  Task<Result<api::Json>> read_metrics(apiserver::ComputedRead read);
  Task<Result<api::Json>> list_custom_metrics(std::string version);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flotilla::daemon
