// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/workload_view.hpp"

#include <cstddef>

namespace flotilla::plugin {
namespace {

using scheduler::Workload;

// Targets are shown where they lie.
static_assert(sizeof(flt_target_t) == sizeof(scheduler::Target));
static_assert(offsetof(flt_target_t, replicas) == offsetof(scheduler::Target, replicas));
static_assert(FLT_TOLERATE_OTHER == static_cast<std::uint32_t>(scheduler::Toleration::Operator::Other));
static_assert(FLT_SPREAD_LABEL == static_cast<std::uint32_t>(scheduler::SpreadField::Label));
static_assert(FLT_DIVIDE_UNKNOWN == static_cast<std::uint32_t>(scheduler::Strategy::Unknown));
static_assert(FLT_DIVIDE_AGGREGATED == static_cast<std::uint32_t>(scheduler::Strategy::Aggregated));

flt_str_t shown(std::string_view text) {
  return {text.empty() ? nullptr : text.data(), text.size()};
}

const std::uint64_t* words_of(std::span<const std::uint64_t> rows) {
  return rows.empty() ? nullptr : rows.data();
}

}  // namespace

WorkloadView& WorkloadView::of(const Workload& workload) {
  if (workload.view == nullptr) workload.view = std::make_unique<WorkloadView>();
  auto& view = static_cast<WorkloadView&>(*workload.view);
  if (view.decision != workload.decision) view.fill(workload);
  return view;
}

Error WorkloadView::take_error(flt_status_t status) {
  Error error = errors_->take(status);
  errors_ = std::make_unique<ErrorSlot>();
  return error;
}

void WorkloadView::fill(const Workload& workload) {
  decision = workload.decision;
  const scheduler::Binding& binding = *workload.binding;
  raw_ = flt_workload_t{};
  raw_.struct_size = sizeof raw_;
  raw_.ctx = &workload;
  if (workload.divisible) raw_.flags |= FLT_WORKLOAD_DIVISIBLE;
  if (binding.reschedule) raw_.flags |= FLT_WORKLOAD_FRESH;
  if (workload.tiers) raw_.flags |= FLT_WORKLOAD_TIERS;
  if (workload.whole_sets) raw_.flags |= FLT_WORKLOAD_WHOLE_SETS;
  if (workload.spreads) raw_.flags |= FLT_WORKLOAD_SPREAD;
  if (workload.spreads_by_any) raw_.flags |= FLT_WORKLOAD_SPREAD_BY_ANY;
  raw_.api = workload.api;
  raw_.replicas = binding.replicas;
  raw_.priority = binding.priority;
  raw_.previous = reinterpret_cast<const flt_target_t*>(workload.previous.data());
  raw_.n_previous = workload.previous.size();
  raw_.targets = workload.targets.data();
  raw_.evicting = workload.evicting.data();
  raw_.affinity_group = words_of(workload.affinity_group);
  raw_.anti_affinity_group = words_of(workload.anti_affinity_group);
  show_names(binding);
  show_requests(workload);
  show_placement(workload);
}

void WorkloadView::show_names(const scheduler::Binding& binding) {
  raw_.api_version = shown(binding.api_version);
  raw_.kind = shown(binding.kind);
  raw_.ns = shown(binding.resource_namespace);
  raw_.name = shown(binding.resource_name);
  raw_.uid = shown(binding.uid);
  raw_.requirements_json = shown(binding.requirements_text);
  raw_.placement_json = shown(binding.placement->text);
}

void WorkloadView::show_requests(const Workload& workload) {
  const scheduler::ResolvedRequests& requests = *workload.requests;
  if (requests.given) raw_.flags |= FLT_WORKLOAD_REQUIREMENTS;
  if (requests.unknown) raw_.flags |= FLT_WORKLOAD_UNKNOWN_REQUEST;
  raw_.requests = requests.per_resource.data();
  raw_.n_requests = requests.per_resource.size();
  components_.clear();
  for (std::size_t i = 0; i < workload.components.size(); ++i) {
    const scheduler::Component& component = workload.binding->components[i];
    const scheduler::ResolvedRequests& each = workload.components[i];
    components_.push_back({shown(component.name), component.replicas,
                           each.unknown ? FLT_WORKLOAD_UNKNOWN_REQUEST : 0, each.per_resource.data()});
  }
  raw_.components = components_.data();
  raw_.n_components = components_.size();
  if (workload.set_requests != nullptr) raw_.set_requests = workload.set_requests->per_resource.data();
}

void WorkloadView::show_placement(const Workload& workload) {
  affinity_.clear();
  for (std::span<const std::uint64_t> rows : workload.affinity) affinity_.push_back(rows.data());
  raw_.affinity = affinity_.data();
  raw_.n_affinity = affinity_.size();
  tolerations_.clear();
  for (const scheduler::SymToleration& each : workload.tolerations) {
    tolerations_.push_back(
        {each.key, each.value, static_cast<std::uint32_t>(each.op), static_cast<std::uint32_t>(each.effect)});
  }
  raw_.tolerations = tolerations_.data();
  raw_.n_tolerations = tolerations_.size();
  spread_.clear();
  const scheduler::Symbols& symbols = workload.table->symbols();
  for (const scheduler::SpreadConstraint& each : workload.binding->placement->spread) {
    spread_.push_back(
        {static_cast<std::uint32_t>(each.field), symbols.find(each.label), each.min_groups, each.max_groups});
  }
  raw_.spread = spread_.data();
  raw_.n_spread = spread_.size();
  raw_.strategy = static_cast<std::uint32_t>(workload.strategy());
  const std::vector<std::int64_t>& weights = workload.placement->weights;
  raw_.weights = weights.empty() ? nullptr : weights.data();
}

}  // namespace flotilla::plugin
