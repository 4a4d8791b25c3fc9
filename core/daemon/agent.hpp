// SPDX-License-Identifier: Apache-2.0
// One running agent of a pull cluster (docs/design/pull-agent.md): an object without global state, as Daemon
// is.
//
//   Agent agent(settings, clock);
//   if (Status status = agent.start(); !status) ...   // composed; it registers and works in the background
//   ... agent.failure() ...                            // what ends it for good
//   agent.stop();
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/base/clock.hpp"
#include "core/config/settings.hpp"

namespace flotilla::daemon {

class Agent {
 public:
  // `clock` outlives the agent.
  Agent(config::Settings settings, const Clock& clock);
  ~Agent();  // stop()
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Errors: one sentence that names the cause and what to do. Not from an I/O thread, as stop().
  Status start();
  void stop();

  // It may not register: its name or its cluster is another's.
  std::optional<Error> failure() const;
  std::string control_plane() const;  // URL
  std::string health_url() const;     // empty: not served

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flotilla::daemon
