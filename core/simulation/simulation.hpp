// SPDX-License-Identifier: Apache-2.0
// Turns a daemon into a simulated Kubernetes cluster: nodes with capacity, and workloads that become Running
// and Ready.
//
// Thread: construct before the informers start; start() after they have started; stop() not from an I/O
// thread.
#pragma once

#include <memory>

#include "core/informer/informers.hpp"
#include "core/simulation/settings.hpp"
#include "core/store/writer.hpp"

namespace flotilla::simulation {

class Simulation {
 public:
  Simulation(const Executor& executor, store::Writer& writer, informer::Informers& informers,
             Settings settings);
  ~Simulation();

  // Makes the nodes that do not exist yet.
  Task<Status> prepare();
  void start();
  void stop();
  // No simulator has anything to do right now (delays may still be running).
  bool idle() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flotilla::simulation
