// SPDX-License-Identifier: Apache-2.0
// Every controller of the control plane, in one table.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/controllers/controller.hpp"
#include "core/controllers/policy_index.hpp"
#include "core/controllers/world_index.hpp"

namespace flotilla::controllers {

// The controllers and what they share. Made before the informers start; start() after they have synced;
// stop() before the informers stop, not from an I/O thread.
class ControllerSet {
 public:
  explicit ControllerSet(Context context);
  ~ControllerSet();

  void start();
  void stop();
  bool idle() const;
  std::vector<std::string> names() const;
  // Null: there is none of this name.
  Controller* find(std::string_view name) const;
  // What they look up, for who answers questions about it.
  const WorkIndex& works() const;
  const OverrideIndex& overrides() const;
  const PolicyIndex& policies() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flotilla::controllers
