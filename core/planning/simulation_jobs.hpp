// SPDX-License-Identifier: Apache-2.0
// Simulations under way. A question is answered within a moment: with the simulation, or with how far it is
// and the name under which it may be asked for again.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "core/planning/simulate.hpp"

namespace flotilla::planning {

// Questions that wait for the one thread that computes; more are refused.
inline constexpr int kMostQuestionsWaiting = 16;

// Thread: begin() and look() from anywhere.
class SimulationJobs {
 public:
  // `waiting`: how many questions of all kinds wait. Both outlive this.
  SimulationJobs(const Executor& executor, std::atomic<int>& waiting);

  // `sources` and `worker` outlive what runs on the worker. Errors: ResourceExhausted; of simulate().
  Task<Result<Json>> begin(SimulationQuestion question, const Sources* sources, const Executor* worker);
  // {kind: SimulationProgress, id, looked, of} or the simulation. Errors: NotFound.
  Task<Result<Json>> look(std::string id);

 private:
  struct Job;
  Task<Result<Json>> wait_for(std::shared_ptr<Job> job, std::string id);

  const Executor& executor_;
  std::atomic<int>& waiting_;
  AnyExecutor strand_;
  std::map<std::string, std::shared_ptr<Job>> jobs_;  // on the strand
};

}  // namespace flotilla::planning
