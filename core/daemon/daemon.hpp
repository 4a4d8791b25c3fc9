// SPDX-License-Identifier: Apache-2.0
// One running control plane, or one simulated member. An object without global state: a test or a lab starts
// dozens in one process, each with its own data directory.
//
//   Daemon daemon(settings, clock);
//   if (Status status = daemon.start(); !status) ...    // serving when it returns
//   daemon.stop();                                      // drains, within the deadline
//
// Order of composition (reverse at the end): data directory, executor, plugins, storage, store, certificates,
// API server, roles of the profile, HTTPS.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/clock.hpp"
#include "core/config/settings.hpp"

namespace flotilla::store {
class Store;
class Writer;
}  // namespace flotilla::store
namespace flotilla {
class Executor;
}

namespace flotilla::daemon {

class Daemon {
 public:
  // `clock` outlives the daemon.
  Daemon(config::Settings settings, const Clock& clock);
  ~Daemon();  // stop()
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Errors: one sentence that names the cause and what to do. Not from an I/O thread, as stop().
  Status start();
  // Another daemon of this storage leads instead of this one: it is to be stopped and another made in its
  // place. Told once, from any thread, between start() and stop(). Before start().
  void on_lost(std::function<void()> tell);
  // Running requests get up to `deadline`. Idempotent.
  void stop(Duration deadline = std::chrono::seconds(3));

  // While it serves.
  std::string url() const;              // "https://127.0.0.1:6443"
  std::string listens_at() const;       // "0.0.0.0:6443"
  std::string kubeconfig_path() const;  // DIR/admin.kubeconfig
  const Executor& executor() const;
  store::Store& store();
  store::Writer& writer();
  // Nothing is due in any controller or simulator right now.
  bool idle() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flotilla::daemon
