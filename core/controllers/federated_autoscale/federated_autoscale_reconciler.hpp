// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "core/api/selector.hpp"
#include "core/cluster/registry.hpp"
#include "core/controllers/controller.hpp"
#include "core/controllers/federated_autoscale/autoscale_metrics.hpp"
#include "core/controllers/federated_autoscale/autoscale_plan.hpp"
#include "core/controllers/scale_target.hpp"

namespace flotilla::controllers {

// Root: FederatedHPA. Wakes on: its spec, and every horizontal_pod_autoscaler_sync_period. Reads: its target
// and the target's binding; in the clusters of that: the target's scale, its pods, what the metrics APIs say.
// Writes: the replicas of the target's template, its own status. Holds: a member that does not answer is
// reckoned with by calibration, not taken for empty; when none answers nothing is scaled. Ends: with the
// object what it remembers is forgotten.
class FederatedAutoscaleReconciler final : public LoopController {
 public:
  explicit FederatedAutoscaleReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  using Autoscaler = std::shared_ptr<const Json>;
  // Why it came to nothing, as event, condition and error tell it.
  struct Obstacle {
    std::string_view event, reason;
    std::string condition;
    Error error;
  };
  // What the members say together.
  struct Fleet {
    std::vector<std::shared_ptr<cluster::Member>> members;
    std::int64_t replicas = 0, status_replicas = 0;
    std::map<std::string, std::string> selectors;  // by cluster
    std::vector<MemberObject> pods;
    std::string selector;  // the first there was
  };
  // How one look went, for the metrics.
  struct Look {
    ScalingAction action = ScalingAction::None;
    std::vector<Duration> asking;  // for each entry of spec.metrics
  };

  // What one member says.
  struct Sight {
    std::int64_t replicas = 0, status_replicas = 0;
    std::string selector;
    std::vector<Json> pods;
  };
  using Sights = std::shared_ptr<std::vector<Sight>>;

  Task<Outcome> look(Autoscaler autoscaler, Look& look);
  Result<Fleet> find_fleet(const ScaleTarget& target, Obstacle& obstacle) const;
  Task<Status> look_at_members(Autoscaler autoscaler, ScaleTarget target, std::shared_ptr<Fleet> fleet);
  Task<void> look_at(Autoscaler autoscaler, ScaleTarget target, std::shared_ptr<cluster::Member> member,
                     Sights sights, std::size_t index);
  // Null: its pods are its own.
  std::optional<Error> ambiguity(const ObjectKey& key, const Fleet& fleet);
  Task<Outcome> scale(Autoscaler autoscaler, ScaleTarget target, std::shared_ptr<Fleet> fleet, Look& look);
  void count(const Json& autoscaler, const AutoscaleInput& input, const AutoscalePlan& plan,
             Look& look) const;
  Task<Outcome> stop_at(Autoscaler autoscaler, Obstacle obstacle);
  Task<Status> write_status(ObjectKey key, Json status);

  Task<std::vector<Result<MetricAnswer>>> ask_metrics(Autoscaler autoscaler, std::shared_ptr<Fleet> fleet,
                                                      Look& look);
  Task<Result<MetricAnswer>> ask_metric(Autoscaler autoscaler, Json spec, std::shared_ptr<Fleet> fleet);
  Task<Result<MetricAnswer>> ask_pods(std::string ns, std::shared_ptr<Fleet> fleet, Json metric);
  Task<Result<MetricAnswer>> ask_object(std::string ns, Json source);

  const AutoscaleMetrics metrics_;
  std::map<ObjectKey, AutoscaleMemory> memories_;      // on the loop's strand
  std::map<ObjectKey, api::LabelSelector> selectors_;  // on the loop's strand
};

}  // namespace flotilla::controllers
