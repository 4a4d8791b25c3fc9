// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>

#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

// Root: CronFederatedHPA. Wakes on: its spec, and the time at which its next rule is due. Reads: the clock,
// its target. Writes: the bounds of a FederatedHPA, or the replicas of any other target;
// status.executionHistories. Holds: a rule that is unchanged keeps its date; what was missed while nobody ran
// is not made up for. Ends: with the object its dates are forgotten.
class CronAutoscaleReconciler final : public LoopController {
 public:
  explicit CronAutoscaleReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  struct Runner {
    Json rule;
    WallTime next;
  };
  struct Schedule {
    Json target;
    std::map<std::string, Runner> runners;  // by rule
  };

  // Starts and stops runners so that they are those of the spec.
  Task<Status> settle(std::shared_ptr<const Json> object);
  Task<Status> fire(std::shared_ptr<const Json> object, Json rule, WallTime next);
  Task<Status> execute(std::shared_ptr<const Json> object, Json rule);

  std::map<ObjectKey, Schedule> schedules_;  // on the loop's strand
};

}  // namespace flotilla::controllers
