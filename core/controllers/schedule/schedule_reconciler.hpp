// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/async/event.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/controllers/controller.hpp"
#include "core/controllers/estimators.hpp"
#include "core/controllers/schedule/bindings_by_placement.hpp"
#include "core/controllers/schedule/decision_log.hpp"
#include "core/controllers/schedule/schedule_metrics.hpp"
#include "core/controllers/schedule/watched_decisions.hpp"
#include "core/scheduler/affinity_groups.hpp"
#include "core/scheduler/attempt.hpp"
#include "core/scheduler/binding_queue.hpp"
#include "core/scheduler/cluster_table_builder.hpp"
#include "core/scheduler/reservations.hpp"

namespace flotilla::controllers {

// Root: ResourceBinding, ClusterResourceBinding. Wakes on: a binding that is new or whose generation changed;
// a cluster whose change can alter the answer for a binding (docs/design/scheduler.md, "Waking"). Reads: the
// table of clusters. Writes: spec.clusters, the annotation policy.karmada.io/applied-placement,
// status.schedulerObserved*, status.lastScheduledTime, condition Scheduled, and beside the binding the record
// of the decision. Holds: only bindings that name a scheduler of this daemon, are claimed and not suspended
// are touched; a result is replaced by an empty one only when no cluster fits. Ends: deleting bindings are
// left alone.
//
// A cycle takes what is due (a few hundred at most), decides on two lanes over one table, and writes each
// decision in one commit. A binding whose decision wants answers of estimators leaves the cycle until they
// have come, and is decided in a later one (ask_reconciler.cpp). Decisions of a cycle that depend on one
// another are made again one after the other, so the answer is that of one scheduler that takes bindings in
// the queue's order.
class ScheduleReconciler final : public Controller {
 public:
  explicit ScheduleReconciler(Context& context);
  ~ScheduleReconciler() override;
  std::string name() const override { return "scheduler"; }
  void start() override;
  void stop() override;
  bool idle() const override;
  Task<std::optional<Loop::Step>> step(bool later) override;

 private:
  using SheetPtr = Estimators::SheetPtr;
  // What estimators were asked for a binding.
  struct Asked {
    SheetPtr sheet{};
    cluster::RoomQuestion question{};
    std::size_t rounds = 0;
  };
  // A binding that is due, perhaps with answers.
  struct Due {
    Key key;
    Asked asked{};
  };
  // One binding on its way through a cycle.
  struct Trial {
    Key key;
    Asked asked{};
    ObjectPtr object{};
    std::shared_ptr<const Json> content{};
    scheduler::Policies* policies = nullptr;  // of the scheduler it names; null: it is not ours
    std::string_view reason{};                // empty: there is nothing to decide
    scheduler::Binding binding{};
    scheduler::Attempt attempt{};
    scheduler::ClusterTablePtr table{};  // it was decided over
    bool asks = false;                   // nothing is decided before estimators have answered
    Duration deciding{0};
    Outcome outcome = Outcome::done();
    std::size_t place = 0;  // in the queue's order
    bool watched = false;   // to be decided where policies may hang
    bool written = false;   // what was decided stands on the binding
  };
  struct Cycle {
    std::vector<Trial> trials;
    std::atomic<std::size_t> next = 0;
    std::atomic<std::size_t> running = 0;  // lanes beside the first
    flotilla::Event ended;
  };
  // A binding that is asked for, or waits until it is.
  struct Parked {
    Key key;
    Asked asked{};
    std::string demand{};
    Estimators::Assumed assumed{};
  };
  // Memory of one lane; one trial at a time.
  struct Lane {
    AnyExecutor strand;
    scheduler::Workspace workspace;
    scheduler::PlacementPool placements;
    std::uint64_t decided = 0;
  };

  // Events, on the informers' strand.
  void on_binding(const Event& event);
  void on_cluster(const Event& event);

  Task<void> work();
  // Waits until something is due; false: the end.
  Task<bool> wait_for_work();
  std::vector<Due> take_due();
  // What the others are told of how much waits here; under the mutex.
  void tell_congestion();
  Task<void> follow_clusters();
  Task<void> wake(scheduler::ClusterTablePtr before, std::vector<ChangedCluster> changes);
  void tell_woken(const Wakening& wakening, const std::vector<ChangedCluster>& changes);
  Task<void> run_cycle(std::vector<Due> due);
  // The bindings of a lane, from any strand: `writing` writes what was decided, else decides.
  static Task<void> run_lane(ScheduleReconciler& self, std::shared_ptr<Cycle> cycle, std::size_t lane,
                             bool writing);
  Task<void> run_lanes(std::shared_ptr<Cycle> cycle, bool writing);
  void examine(Trial& trial, Lane& lane) const;
  void decide(Trial& trial, Lane& lane) const;
  // Decisions with policies that may hang: given away, and what has come back.
  Task<void> ask_watched(Cycle& cycle, bool waits);
  void take_answered(Cycle& cycle);
  Task<void> decide_again(Trial& trial);
  // One after the other where an earlier decision of the cycle matters to a later one.
  Task<void> settle_conflicts(Cycle& cycle);
  Task<Outcome> write(Trial& trial);
  // What became of it, for policies that observe.
  Task<void> tell_outcomes(Cycle& cycle);
  void finish(Trial& trial);
  void note_place(const Trial& trial);
  void settle(const Trial& trial);

  scheduler::Policies* policies_for(const Json& binding) const;
  bool targets_leaving(const Json& binding, const scheduler::ClusterTable& table) const;
  Task<Outcome> observe_generation(const BindingScope& scope, ObjectPtr binding);
  // What was decided, onto the binding.
  Task<Outcome> record(Trial& trial);
  // For the record that is kept beside the binding.
  scheduler::DecisionRecord describe(const Trial& trial, WallTime now, Revision world);
  // A FederatedResourceQuota has no room for the result.
  Task<Outcome> refuse(const BindingScope& scope, ObjectPtr binding, Error error);
  void tell(const Json& binding, std::string_view type, std::string_view reason, const std::string& message);
  void tell_passed_terms(const Json& binding, const scheduler::Attempt& attempt);

  // Estimators that have to be asked.
  void attach_sheet(Trial& trial) const;
  bool wants_answers(const Trial& trial) const;
  void park(Trial& trial);
  void exempt_pulled(scheduler::EstimateSheet& sheet) const;
  void ask_next();
  void outdate(const Trial& trial);
  Json assumed_workloads(const std::string& cluster, const Key& but) const;

  // Groups of workload affinity (gate WorkloadAffinity).
  bool in_group(const Trial& trial) const {
    return !trial.binding.affinity_group.empty() || !trial.binding.anti_affinity_group.empty();
  }
  void note_group(const Trial& trial, const std::vector<scheduler::TargetCluster>& clusters);
  // What bindings say now of their groups and clusters; companions that have none are woken.
  void follow_groups();
  // Reservations (gate SchedulingOvercommitProtection).
  void observe_health();
  void reserve(const Trial& trial);
  void restore_reservation(const Trial& trial);
  // Lets the table know what is promised; room that became free is added to `freed`.
  void show_promises(std::vector<ChangedCluster>* freed);

  Context& context_;
  DecisionLog log_;
  FiberScope scope_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  scheduler::Options options_;
  std::map<std::string, scheduler::Policies*, std::less<>> schedulers_;

  mutable std::mutex mutex_;
  scheduler::BindingQueue<Key> queue_;
  std::set<std::string> changed_clusters_;
  std::int64_t urgent_told_ = 0;  // to the others, through Congestion
  std::set<Key> reported_;        // bindings whose status has changed since the last cycle
  std::set<Key> group_news_;      // bindings of groups that have changed
  std::deque<Parked> parked_;
  std::size_t asking_ = 0;         // bindings that estimators are asked for
  std::map<Key, Asked> answered_;  // those that are due for it
  bool shut_down_ = false;
  flotilla::Event changed_;
  std::atomic<bool> busy_ = false;  // a cycle is under way

  // On the strand.
  scheduler::ClusterTableBuilder builder_;
  scheduler::ClusterTablePtr table_;
  BindingsByPlacement bindings_;
  std::unique_ptr<scheduler::Reservations> reservations_;  // null without the gate
  scheduler::AffinityGroups groups_;                       // empty without the gate
  std::map<Key, int> steps_;                               // of rehearsed keys that failed
  bool ordered_ = false;  // decisions depend on one another: each cycle waits for all of its own
  std::unique_ptr<WatchedDecisions> watched_;  // null where no policy may hang
  std::map<std::uint64_t, Trial> waiting_;     // by question
  std::uint64_t last_question_ = 0;
  ScheduleMetrics metrics_;  // asks the others for their lengths: goes first
};

}  // namespace flotilla::controllers
