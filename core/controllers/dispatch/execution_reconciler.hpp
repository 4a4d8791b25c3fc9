// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/api/conditions.hpp"
#include "core/cluster/registry.hpp"
#include "core/controllers/controller.hpp"

namespace flotilla::controllers {

struct WorkCondition {
  std::string_view type, status, reason;  // literals
  std::string message;
};

// Root: Work. Wakes on: a Work's generation; a managed object in the member that changed or vanished; its
// cluster becoming Ready. Reads: the Cluster, the member's cache. Writes: the member's objects, conditions
// Applied and Dispatching. Holds: an object that somebody else manages is neither changed nor deleted; what
// is not known (cache not synced, cluster not Ready) is never taken for absent. Ends: the member's objects
// are gone (or preserved, without our marks), then the finalizer karmada.io/execution-controller goes.
class ExecutionReconciler final : public LoopController {
 public:
  explicit ExecutionReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  struct Target {
    std::shared_ptr<cluster::Member> member;
    bool ready = false;
    bool deleting = false;
    bool pull = false;
  };

  void on_work(const Event& event);
  void on_cluster(const Event& event);
  void on_member_change(const cluster::MemberChange& change);

  Result<Target> target_of(const std::string& cluster) const;
  Task<Outcome> withdraw(ObjectPtr work, Target target);
  Task<Outcome> dispatch(ObjectPtr work, Target target);
  Task<Status> put(std::shared_ptr<cluster::Member> member, Json manifest, bool preserve);
  Task<Status> take_away(std::shared_ptr<cluster::Member> member, Json manifest);
  Task<Status> set_conditions(ObjectKey work, std::vector<WorkCondition> conditions);
  Task<Status> report(ObjectPtr work, std::size_t applied, std::size_t total, std::string errors);
};

}  // namespace flotilla::controllers
