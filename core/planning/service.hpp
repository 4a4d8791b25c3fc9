// SPDX-License-Identifier: Apache-2.0
// Answers /flotilla/v1/...: plans, simulations, renders, diffs, why, timeline. Everything that computes runs
// on one thread of its own, one question after the other, so that questions never compete with the
// controllers for more than a core.
//
// Rights. A plan needs what applying would need (create or patch, as a dry run) and delete for what it
// deletes; to see the consequences: list clusters, works, and in the namespaces concerned the bindings,
// propagation and override policies. A simulation needs the same in all namespaces. The others need get of
// the object, and list of the same kinds; what is read from a member needs get of clusters/proxy.
#pragma once

#include <atomic>
#include <memory>

#include "core/apiserver/extension.hpp"
#include "core/planning/sources.hpp"

namespace flotilla::planning {

class Service {
 public:
  explicit Service(Sources sources);
  ~Service();

  Task<Result<Json>> answer(apiserver::ExtensionCallPtr call);
  // Ends what runs. Not from an I/O thread.
  void stop();

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace flotilla::planning
