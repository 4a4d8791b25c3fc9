// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <set>

#include "core/api/conditions.hpp"
#include "core/cluster/registry.hpp"
#include "core/controllers/controller.hpp"
#include "core/controllers/reinterpretation.hpp"

namespace flotilla::controllers {

struct WorkCondition {
  std::string_view type, status, reason;  // literals
  std::string message;
};

// Root: Work. Wakes on: a Work's generation; a managed object in the member that changed or vanished; its
// cluster becoming Ready; what members own of its kind. Reads: the Cluster, the member's cache. Writes: the
// member's objects, conditions Applied and Dispatching, and with the first of them the statuses that the
// member answered. Holds: an object that somebody else manages is neither changed nor deleted; what is not
// known (cache not synced, cluster not Ready) is never taken for absent. Ends: the member's objects are gone
// (or preserved, without our marks), then the finalizer karmada.io/execution-controller goes.
class ExecutionReconciler final : public LoopController {
 public:
  explicit ExecutionReconciler(Context& context);
  Task<Outcome> reconcile(Key key) override;

 private:
  struct Target {
    std::shared_ptr<cluster::Member> member;
    bool ready = false;
    bool deleting = false;
    bool served_here = false;
  };

  void on_work(const Event& event);
  void on_cluster(const Event& event);
  void on_member_change(const cluster::MemberChange& change);

  Result<Target> target_of(const std::string& cluster) const;
  Task<Outcome> reconcile_in(Key key, std::string cluster);
  Task<Outcome> withdraw(ObjectPtr work, Target target);
  Task<Outcome> dispatch(ObjectPtr work, Target target);
  // What the member answered, and who knows what has become of it.
  struct Observed {
    Json object;
    std::shared_ptr<cluster::MemberCache> cache;
    Json newest() const;
  };
  struct Sent {
    bool anew =
        false;  // asked: what the member answered once to the same manifest is no reason to be content
    bool wrote = false;
    bool overtaken = false;                       // somebody else has changed it since
    std::shared_ptr<cluster::MemberCache> cache;  // that knows what becomes of it
  };
  // The answer is the member's object. `sent`, where given, says what was done.
  Task<Result<Json>> put(std::shared_ptr<cluster::Member> member, Json manifest, bool preserve,
                         Sent* sent = nullptr);
  Task<Status> put_back(std::shared_ptr<cluster::Member> member, Json manifest);
  Task<Status> take_away(std::shared_ptr<cluster::Member> member, Json manifest);
  // `statuses`: manifestStatuses of a Work that was not reported yet; null: none.
  Task<Status> set_conditions(ObjectKey work, std::vector<WorkCondition> conditions, Json statuses);
  // `observed`: the members' objects, one a manifest that was applied.
  Task<Status> report(ObjectPtr work, std::vector<Observed> observed, std::string errors);
  void tell_dispatching(const Json& work, bool suspended);
  void tell_sync(const Json& work, const Json& manifest, const std::string& cluster, const Error* error);
  enum class Write { Create, Update, Delete };
  void count(Write write, const Json& manifest, const std::string& cluster, bool ok);
  Task<Json> first_statuses(std::shared_ptr<const Json> content, std::vector<Observed> observed);

  // A member that hangs must not take all workers: once the oldest of many pieces of work for it has taken
  // long, what comes next waits here until one ends. On the loop's strand.
  struct Traffic {
    std::set<std::pair<SteadyTime, Key>> working;
    std::deque<Key> parked;
    std::set<Key> parked_keys;
  };
  bool is_stuck(const Traffic& traffic) const;
  std::map<std::string, Traffic> traffic_;
  Reinterpretation reinterpretation_;
  std::set<ObjectKey> reinterpreted_;  // Works whose manifests mean something else since they were written
};

}  // namespace flotilla::controllers
