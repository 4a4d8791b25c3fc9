// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/scheduler_adapter.hpp"

#include <flotilla/abi/scheduler.h>

#include <cstddef>
#include <vector>

#include "core/plugin/table_view.hpp"

namespace flotilla::plugin {
namespace {

using scheduler::ClusterTable;
using scheduler::Reason;
using scheduler::RowRange;
using scheduler::Workload;

// Targets are shown where they lie.
static_assert(sizeof(flt_target_t) == sizeof(scheduler::Target));
static_assert(offsetof(flt_target_t, replicas) == offsetof(scheduler::Target, replicas));
static_assert(FLT_TOLERATE_OTHER == static_cast<std::uint32_t>(scheduler::Toleration::Operator::Other));
static_assert(FLT_SPREAD_LABEL == static_cast<std::uint32_t>(scheduler::SpreadField::Label));

flt_str_t shown(std::string_view text) {
  return {text.empty() ? nullptr : text.data(), text.size()};
}

// What a plugin is shown of a workload; lives for one call.
class WorkloadView {
 public:
  explicit WorkloadView(const Workload& workload) {
    const scheduler::Binding& binding = *workload.binding;
    raw_.struct_size = sizeof raw_;
    if (workload.divisible) raw_.flags |= FLT_WORKLOAD_DIVISIBLE;
    if (binding.reschedule) raw_.flags |= FLT_WORKLOAD_FRESH;
    raw_.ctx = &workload;
    raw_.api_version = shown(binding.api_version);
    raw_.kind = shown(binding.kind);
    raw_.ns = shown(binding.resource_namespace);
    raw_.name = shown(binding.resource_name);
    raw_.uid = shown(binding.uid);
    raw_.api = workload.api;
    raw_.replicas = binding.replicas;
    raw_.priority = binding.priority;
    raw_.requests = workload.requests.data();
    raw_.n_requests = workload.requests.size();
    raw_.previous = reinterpret_cast<const flt_target_t*>(workload.previous.data());
    raw_.n_previous = workload.previous.size();
    raw_.targets = workload.targets.data();
    raw_.evicting = workload.evicting.data();
    for (std::span<const std::uint64_t> rows : workload.affinity) affinity_.push_back(rows.data());
    raw_.affinity = affinity_.data();
    raw_.n_affinity = affinity_.size();
    for (const scheduler::SymToleration& each : workload.tolerations) {
      tolerations_.push_back({each.key, each.value, static_cast<std::uint32_t>(each.op),
                              static_cast<std::uint32_t>(each.effect)});
    }
    raw_.tolerations = tolerations_.data();
    raw_.n_tolerations = tolerations_.size();
    const scheduler::Symbols& symbols = workload.table->symbols();
    for (const scheduler::SpreadConstraint& each : binding.placement->spread) {
      spread_.push_back({static_cast<std::uint32_t>(each.field), symbols.find(each.label), each.min_groups,
                         each.max_groups});
    }
    raw_.spread = spread_.data();
    raw_.n_spread = spread_.size();
  }
  WorkloadView(const WorkloadView&) = delete;
  WorkloadView& operator=(const WorkloadView&) = delete;

  const flt_workload_t* get() const { return &raw_; }

 private:
  flt_workload_t raw_{};
  std::vector<const std::uint64_t*> affinity_;
  std::vector<flt_toleration_t> tolerations_;
  std::vector<flt_spread_t> spread_;
};

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

class PluginPolicy final : public scheduler::Policy {
 public:
  explicit PluginPolicy(std::shared_ptr<Instance> instance)
      : instance_(std::move(instance)), ops_(*instance_->ops<flt_scheduler_ops_t>()) {
    if (FLT_HAS(&ops_, filter)) steps_ |= scheduler::kFilterStep;
    if (FLT_HAS(&ops_, score)) steps_ |= scheduler::kScoreStep;
    if (FLT_HAS(&ops_, estimate)) steps_ |= scheduler::kEstimateStep;
  }

  std::string_view name() const override { return instance_->name(); }
  std::uint32_t steps() const override { return steps_; }

  Status observe(const ClusterTable& table, scheduler::Reasons& reasons) override {
    const Binding binding{columns_, reasons};
    const flt_binder_t binder = {sizeof binder, 0, &binding, bind_column, bind_reason};
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

  Status filter(const Workload& workload, RowRange range, std::span<std::uint64_t> fits,
                std::span<Reason> reasons) const override {
    return run(workload, [&](const flt_cycle_t* cycle, const flt_workload_t* shown, flt_error_t* error) {
      return ops_.filter(instance_->self(), cycle, shown, {range.first, range.last}, fits.data(),
                         reasons.data(), error);
    });
  }

  Status score(const Workload& workload, RowRange range, std::span<const std::uint64_t> fits,
               std::span<std::int32_t> scores) const override {
    return run(workload, [&](const flt_cycle_t* cycle, const flt_workload_t* shown, flt_error_t* error) {
      return ops_.score(instance_->self(), cycle, shown, {range.first, range.last}, fits.data(),
                        scores.data(), error);
    });
  }

  Status estimate(const Workload& workload, RowRange range, std::span<const std::uint64_t> fits,
                  std::span<std::int64_t> replicas) const override {
    return run(workload, [&](const flt_cycle_t* cycle, const flt_workload_t* shown, flt_error_t* error) {
      return ops_.estimate(instance_->self(), cycle, shown, {range.first, range.last}, fits.data(),
                           replicas.data(), error);
    });
  }

 private:
  template <typename Operation>
  Status run(const Workload& workload, Operation operation) const {
    const TableView view(*workload.table, columns_);
    flt_cycle_t cycle{};
    cycle.struct_size = sizeof cycle;
    cycle.table = view.get();
    const WorkloadView shown(workload);
    ErrorSlot error;
    const flt_status_t status = operation(&cycle, shown.get(), error.get());
    if (status != FLT_OK) return error.take(status);
    return {};
  }

  std::shared_ptr<Instance> instance_;
  const flt_scheduler_ops_t& ops_;
  std::uint32_t steps_ = 0;
  bool bound_ = false;
  ColumnNumbers columns_;
};

}  // namespace

Result<std::unique_ptr<scheduler::Policy>> make_scheduler_policy(std::shared_ptr<Instance> instance) {
  const flt_component_t& component = instance->component();
  if (std::string_view(component.kind) != FLT_KIND_SCHEDULER || component.ops == nullptr) {
    return invalid(std::string(component.name) + " is of kind " + component.kind + ", not " +
                   FLT_KIND_SCHEDULER);
  }
  const auto& ops = *instance->ops<flt_scheduler_ops_t>();
  if (FLT_HAS(&ops, prepare) || FLT_HAS(&ops, select) || FLT_HAS(&ops, assign)) {
    return Error(Code::Unsupported,
                 "scheduler policy " + std::string(component.name) +
                     " prepares, selects or assigns, which this version does not offer yet");
  }
  return std::unique_ptr<scheduler::Policy>(std::make_unique<PluginPolicy>(std::move(instance)));
}

}  // namespace flotilla::plugin
