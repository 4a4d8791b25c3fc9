// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/scheduler_adapter.hpp"

#include <flotilla/abi/scheduler.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <vector>

#include "core/base/log.hpp"
#include "core/plugin/crash_note.hpp"
#include "core/plugin/host_state.hpp"
#include "core/plugin/table_view.hpp"
#include "core/plugin/workload_view.hpp"

namespace flotilla::plugin {
namespace {

using scheduler::Candidate;
using scheduler::ClusterTable;
using scheduler::Reason;
using scheduler::Row;
using scheduler::RowRange;
using scheduler::Target;
using scheduler::Workload;

const Logger kLog("plugin");

// Candidates are shown where they lie, and the words of both sides are one.
static_assert(sizeof(flt_candidate_t) == sizeof(Candidate));
static_assert(offsetof(flt_candidate_t, score) == offsetof(Candidate, score));
static_assert(offsetof(flt_candidate_t, allocatable) == offsetof(Candidate, allocatable));
static_assert(offsetof(flt_candidate_t, overflow_order) == offsetof(Candidate, overflow_order));
static_assert(offsetof(flt_candidate_t, available) == offsetof(Candidate, available));
static_assert(FLT_SKIP_FILTER == scheduler::kFilterStep && FLT_SKIP_SCORE == scheduler::kScoreStep);
static_assert(FLT_SKIP_ESTIMATE == scheduler::kEstimateStep && FLT_SKIP_SELECT == scheduler::kSelectStep);
static_assert(FLT_SKIP_ASSIGN == scheduler::kAssignStep && FLT_ANY_ORDER == scheduler::kAnyOrder);
static_assert(FLT_OUTCOME_ROLLED_BACK == static_cast<std::uint32_t>(scheduler::Outcome::RolledBack));

constexpr std::uint32_t kAllSkips =
    FLT_SKIP_FILTER | FLT_SKIP_SCORE | FLT_SKIP_ESTIMATE | FLT_SKIP_SELECT | FLT_SKIP_ASSIGN | FLT_ANY_ORDER;

struct Binding {
  ColumnNumbers& columns;
  scheduler::Reasons& reasons;
};

std::int32_t bind_column(const flt_binder_t* binder, flt_str_t name) {
  return static_cast<const Binding*>(binder->ctx)->columns.number({name.p, static_cast<std::size_t>(name.n)});
}

std::uint16_t bind_reason(const flt_binder_t* binder, flt_str_t text) {
  return static_cast<const Binding*>(binder->ctx)->reasons.intern({text.p, static_cast<std::size_t>(text.n)});
}

// A fault of the plugin, as opposed to an answer that the user has to hear.
bool is_fault(const Error& error) {
  return !error.is(Code::Conflict) && !error.is(Code::ResourceExhausted);
}

class PluginPolicy final : public scheduler::Policy {
 public:
  PluginPolicy(std::shared_ptr<Instance> instance, const SchedulerPolicyLimits& limits)
      : instance_(std::move(instance)),
        ops_(*instance_->ops<flt_scheduler_ops_t>()),
        clock_(instance_->services()->environment().executor().clock()),
        longest_(limits.longest_call),
        watched_((instance_->component().caps & FLT_SCHEDULER_BOUNDED) == 0),
        on_hang_(limits.on_hang),
        budget_(limits.budget),
        hangs_(limits.hangs) {
    if (FLT_HAS(&ops_, prepare)) steps_ |= scheduler::kPrepareStep;
    if (FLT_HAS(&ops_, filter)) steps_ |= scheduler::kFilterStep;
    if (FLT_HAS(&ops_, score)) steps_ |= scheduler::kScoreStep;
    if (FLT_HAS(&ops_, estimate)) steps_ |= scheduler::kEstimateStep;
    if (FLT_HAS(&ops_, select)) steps_ |= scheduler::kSelectStep;
    if (FLT_HAS(&ops_, assign)) steps_ |= scheduler::kAssignStep;
    if (FLT_HAS(&ops_, observe)) steps_ |= scheduler::kOutcomeStep;
  }

  std::string_view name() const override { return instance_->name(); }
  std::uint32_t steps() const override { return left_out_.load(std::memory_order_relaxed) ? 0 : steps_; }
  bool watched() const override { return watched_; }
  bool is_fallback() const override { return (instance_->component().caps & FLT_SCHEDULER_FALLBACK) != 0; }
  bool filters_by_placement() const override {
    return (instance_->component().caps & FLT_SCHEDULER_FILTERS_BY_PLACEMENT) != 0;
  }

  Status observe(const ClusterTable& table, scheduler::Reasons& reasons) override {
    // It is shown nothing while it is still inside.
    if (stuck() && !left_out_) leave_out("was still in a call that had been given up when clusters changed");
    if (left_out_) return {};
    const Binding binding{columns_, reasons};
    const flt_binder_t binder = {sizeof binder, 0, &binding, bind_column, bind_reason};
    const CrashNote note(instance_->component().name);
    if (!bound_ && FLT_HAS(&ops_, bind)) {
      ErrorSlot error;
      const flt_status_t status = ops_.bind(instance_->self(), &binder, error.get());
      if (status != FLT_OK) return error.take(status).context("bind");
    }
    bound_ = true;
    if (!FLT_HAS(&ops_, table_changed)) return {};
    const TableView view(table, columns_);
    ErrorSlot error;
    const flt_status_t status =
        ops_.table_changed(instance_->self(), &binder, view.get(), nullptr, error.get());
    if (status != FLT_OK) return error.take(status).context("look at the clusters");
    return {};
  }

  Status prepare(const Workload& workload, std::span<std::uint64_t> rows,
                 std::uint32_t& skipped) const override {
    const auto operation = [&](const flt_cycle_t* cycle, const flt_workload_t* shown, flt_error_t* error) {
      return ops_.prepare(instance_->self(), cycle, shown, rows.data(), &skipped, error);
    };
    Status done = run(workload, scheduler::kPrepareStep, operation);
    skipped &= kAllSkips;
    return done;
  }

  Status filter(const Workload& workload, RowRange range, std::span<std::uint64_t> fits,
                std::span<Reason> reasons) const override {
    const auto operation = [&](const flt_cycle_t* cycle, const flt_workload_t* shown, flt_error_t* error) {
      return ops_.filter(instance_->self(), cycle, shown, {range.first, range.last}, fits.data(),
                         reasons.data(), error);
    };
    return run(workload, scheduler::kFilterStep, operation);
  }

  // What only advises is left out while the policy rests.
  Status score(const Workload& workload, RowRange range, std::span<const std::uint64_t> fits,
               std::span<std::int32_t> scores) const override {
    if (budget_.resting(clock_.steady_now())) return {};
    const auto operation = [&](const flt_cycle_t* cycle, const flt_workload_t* shown, flt_error_t* error) {
      return ops_.score(instance_->self(), cycle, shown, {range.first, range.last}, fits.data(),
                        scores.data(), error);
    };
    return run(workload, scheduler::kScoreStep, operation);
  }

  Status estimate(const Workload& workload, RowRange range, std::span<const std::uint64_t> fits,
                  std::span<std::int64_t> replicas) const override {
    const auto operation = [&](const flt_cycle_t* cycle, const flt_workload_t* shown, flt_error_t* error) {
      return ops_.estimate(instance_->self(), cycle, shown, {range.first, range.last}, fits.data(),
                           replicas.data(), error);
    };
    return run(workload, scheduler::kEstimateStep, operation);
  }

  Status select(const Workload& workload, std::span<const Candidate> candidates, std::span<Row> chosen,
                std::size_t& count) const override {
    std::uint64_t n = 0;
    const auto operation = [&](const flt_cycle_t* cycle, const flt_workload_t* shown, flt_error_t* error) {
      return ops_.select(instance_->self(), cycle, shown,
                         reinterpret_cast<const flt_candidate_t*>(candidates.data()), candidates.size(),
                         chosen.data(), &n, error);
    };
    Status done = run(workload, scheduler::kSelectStep, operation);
    count = static_cast<std::size_t>(n);
    return done;
  }

  Status assign(const Workload& workload, std::span<const Candidate> chosen, std::span<Target> targets,
                std::size_t& count) const override {
    std::uint64_t n = 0;
    const auto operation = [&](const flt_cycle_t* cycle, const flt_workload_t* shown, flt_error_t* error) {
      return ops_.assign(instance_->self(), cycle, shown,
                         reinterpret_cast<const flt_candidate_t*>(chosen.data()), chosen.size(),
                         reinterpret_cast<flt_target_t*>(targets.data()), &n, error);
    };
    Status done = run(workload, scheduler::kAssignStep, operation);
    count = static_cast<std::size_t>(n);
    return done;
  }

  void outcome(const Workload& workload, scheduler::Outcome outcome,
               std::span<const Target> targets) const override {
    const auto operation = [&](const flt_cycle_t* cycle, const flt_workload_t* shown, flt_error_t*) {
      ops_.observe(instance_->self(), cycle, shown, static_cast<std::uint32_t>(outcome),
                   reinterpret_cast<const flt_target_t*>(targets.data()), targets.size());
      return FLT_OK;
    };
    static_cast<void>(run(workload, scheduler::kOutcomeStep, operation));
  }

  void charge(std::string_view what) const override {
    instance_->services()->state().misbehaved(what);
    if (!budget_.spend(clock_.steady_now(), what)) return;
    kLog.error("scheduler policy rests for being wrong too often", {{"policy", name()}, {"last", what}});
  }

  void hung(std::uint32_t step, std::weak_ptr<const void> call) const override {
    instance_->services()->state().hung = true;
    const std::string what = "did not return from " + std::string(scheduler::name_of_step(step)) +
                             " within " + milliseconds(longest_) + " and was given up";
    {
      const std::lock_guard lock(mutex_);
      stuck_.push_back(std::move(call));
    }
    charge(what);
    // Nobody can show it clusters again.
    if (hangs_.spend(clock_.steady_now(), what) || step == scheduler::kObserveStep) return leave_out(what);
    kLog.error("scheduler policy hangs", {{"policy", name()}, {"what", what}});
    if (on_hang_) on_hang_(instance_->component().name, what, false);
  }

  bool stuck() const override {
    const std::lock_guard lock(mutex_);
    std::erase_if(stuck_, [](const std::weak_ptr<const void>& call) { return call.expired(); });
    return !stuck_.empty();
  }

 private:
  void leave_out(const std::string& what) const {
    if (left_out_.exchange(true)) return;
    kLog.error("scheduler policy is left out from now on, as it hangs", {{"policy", name()}, {"what", what}});
    if (on_hang_) on_hang_(instance_->component().name, what, true);
  }

  static Error given_up() { return {Code::Cancelled, "given up"}; }

  // One call: gate, deadline, and what is thrown across in spite of the rules. Where it is watched, nothing
  // of the policy is touched after a call that was given up.
  template <typename Operation>
  Status run(const Workload& workload, std::uint32_t step, Operation operation) const {
    scheduler::CallWatch* watch = workload.watch;
    if (watch != nullptr && watch->given_up()) return given_up();
    if (!watched_) watch = nullptr;
    const SteadyTime began = clock_.steady_now();
    if (budget_.resting(began)) {
      return Error(Code::Unavailable,
                   "rests after too many faults, the last of them: " + budget_.last_fault());
    }
    const TableView view(*workload.table, columns_);
    WorkloadView& shown = WorkloadView::of(workload);
    flt_cycle_t cycle{};
    cycle.struct_size = sizeof cycle;
    cycle.table = view.get();
    cycle.deadline_ns =
        std::chrono::duration_cast<std::chrono::nanoseconds>((began + longest_).time_since_epoch()).count();
    if (watch != nullptr) cycle.cancelled = watch->cancelled();
    if (watch != nullptr && !watch->enter(*this, step)) return given_up();
    flt_status_t status = FLT_INTERNAL;
    std::string thrown;
    const CrashNote note(instance_->component().name);
    try {
      status = operation(&cycle, shown.get(), shown.error());
    } catch (const std::exception& exception) {
      thrown = std::string("threw: ") + exception.what();
    } catch (...) {
      thrown = "threw something";
    }
    if (watch != nullptr && !watch->leave()) return given_up();
    if (!thrown.empty()) return charged(internal(thrown));
    if (status != FLT_OK) {
      Error error = shown.take_error(status);
      return is_fault(error) ? charged(std::move(error)) : std::move(error);
    }
    const SteadyTime ended = clock_.steady_now();
    if (ended - began > longest_) return charged(Error(Code::Timeout, late(ended - began)));
    return {};
  }

  Error charged(Error error) const {
    charge(error.message());
    return error;
  }

  static std::string milliseconds(SteadyTime::duration duration) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) + " ms";
  }
  std::string late(SteadyTime::duration took) const {
    return "took " + milliseconds(took) + ", at most " + milliseconds(longest_) + " are allowed";
  }

  std::shared_ptr<Instance> instance_;
  const flt_scheduler_ops_t& ops_;
  const Clock& clock_;
  const SteadyTime::duration longest_;
  const bool watched_;
  const decltype(SchedulerPolicyLimits::on_hang) on_hang_;
  mutable ErrorBudget budget_;
  mutable ErrorBudget hangs_;
  mutable std::atomic<bool> left_out_{false};
  mutable std::mutex mutex_;                              // stuck_
  mutable std::vector<std::weak_ptr<const void>> stuck_;  // calls that were given up
  std::uint32_t steps_ = 0;
  bool bound_ = false;
  ColumnNumbers columns_;
};

}  // namespace

Result<std::unique_ptr<scheduler::Policy>> make_scheduler_policy(std::shared_ptr<Instance> instance,
                                                                 const SchedulerPolicyLimits& limits) {
  const flt_component_t& component = instance->component();
  if (std::string_view(component.kind) != FLT_KIND_SCHEDULER || component.ops == nullptr) {
    return invalid(std::string(component.name) + " is of kind " + component.kind + ", not " +
                   FLT_KIND_SCHEDULER);
  }
  return std::unique_ptr<scheduler::Policy>(std::make_unique<PluginPolicy>(std::move(instance), limits));
}

}  // namespace flotilla::plugin
