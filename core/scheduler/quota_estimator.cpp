// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/quota_estimator.hpp"

#include <algorithm>

#include "core/scheduler/cluster_table.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;

constexpr std::string_view kRequests = "requests.", kLimits = "limits.";

// nvidia.com/gpu, but nothing of Kubernetes' own.
bool is_extended(std::string_view resource) {
  return resource.find('/') != resource.npos && resource.find("kubernetes.io/") == resource.npos &&
         !resource.starts_with(kRequests);
}

// The name under which replicas request what a quota bounds; empty: nothing that replicas request.
std::string_view requested_name(std::string_view bounded) {
  if (bounded.starts_with(kLimits)) return {};
  const std::string_view name = bounded.starts_with(kRequests) ? bounded.substr(kRequests.size()) : bounded;
  return name == "cpu" || name == "memory" || is_extended(name) ? name : std::string_view();
}

Result<QuotaDemand> parse_demand(std::string_view text, std::string& ns) {
  QuotaDemand demand;
  if (text.empty()) return demand;
  const Result<Json> json = Json::parse(text);
  if (!json) return json.error();
  const Json& requirements = *json;
  demand.requests = parse_requests(requirements);
  demand.priority_class = requirements["priorityClassName"].as_string();
  ns = requirements["namespace"].as_string();
  return demand;
}

}  // namespace

bool ClusterQuotas::Scope::holds(std::string_view priority_class) const {
  if (!by_priority_class) return false;
  const bool listed = std::find(values.begin(), values.end(), priority_class) != values.end();
  if (op == "Exists") return !priority_class.empty();
  if (op == "DoesNotExist") return priority_class.empty();
  if (op == "In") return !priority_class.empty() && listed;
  return op == "NotIn" && (priority_class.empty() || !listed);
}

bool ClusterQuotas::Quota::applies_to(std::string_view priority_class) const {
  return scopes.empty() || std::any_of(scopes.begin(), scopes.end(),
                                       [&](const Scope& scope) { return scope.holds(priority_class); });
}

std::shared_ptr<const ClusterQuotas> ClusterQuotas::make(std::span<const Json> quotas) {
  auto made = std::make_shared<ClusterQuotas>();
  for (const Json& json : quotas) {
    Quota quota;
    for (const Json& scope : json["spec"]["scopes"].elements())
      quota.scopes.push_back({scope.as_string() == "PriorityClass", "Exists", {}});
    for (const Json& each : json["spec"]["scopeSelector"]["matchExpressions"].elements()) {
      Scope scope{
          each["scopeName"].as_string() == "PriorityClass", std::string(each["operator"].as_string()), {}};
      for (const Json& value : each["values"].elements()) scope.values.emplace_back(value.as_string());
      quota.scopes.push_back(std::move(scope));
    }
    const Json& used = json["status"]["used"];
    for (const auto& [bounded, hard] : json["status"]["hard"].members()) {
      const std::string_view name = requested_name(bounded);
      const Json* taken = name.empty() || !used.is_object() ? nullptr : used.find(bounded);
      if (taken == nullptr) continue;
      auto amount = api::Quantity::from_json(hard);
      const auto spent = api::Quantity::from_json(*taken);
      if (amount && spent) quota.free.set(name, *amount -= *spent);
    }
    if (!quota.free.empty())
      made->by_namespace_[std::string(json["metadata"]["namespace"].as_string())].push_back(std::move(quota));
  }
  return made;
}

std::optional<std::int64_t> ClusterQuotas::room_in(const Quota& quota, std::span<const QuotaDemand> set) {
  std::map<std::string, std::int64_t, std::less<>> wanted;
  for (const QuotaDemand& demand : set) {
    if (!quota.applies_to(demand.priority_class)) continue;
    for (const Request& request : demand.requests) {
      if (quota.free.amounts().contains(request.resource))
        wanted[request.resource] += in_units_of(request.resource, request.amount) * demand.replicas;
    }
  }
  std::optional<std::int64_t> least;
  for (const auto& [resource, amount] : wanted) {
    if (amount <= 0) continue;
    const std::int64_t free = in_units_of(resource, quota.free.amount(resource));
    const std::int64_t room = std::max<std::int64_t>(free, 0) / amount;
    if (!least || room < *least) least = room;
  }
  return least;
}

std::optional<std::int64_t> ClusterQuotas::room_for(std::string_view ns,
                                                    std::span<const QuotaDemand> set) const {
  const auto quotas = by_namespace_.find(ns);
  if (quotas == by_namespace_.end()) return std::nullopt;
  std::optional<std::int64_t> least;
  for (const Quota& quota : quotas->second) {
    const std::optional<std::int64_t> room = room_in(quota, set);
    if (room && (!least || *room < *least)) least = room;
  }
  return least;
}

Status QuotaEstimator::observe(const ClusterTable& table, Reasons&) {
  refresh(table);
  return {};
}

void QuotaEstimator::refresh(const ClusterTable& table) {
  by_row_.resize(table.size());
  for (Row row = 0; row < table.size(); ++row) by_row_[row] = source_(std::string(table.name(row)));
}

Status QuotaEstimator::estimate(const Workload& workload, RowRange, std::span<const std::uint64_t> fits,
                                std::span<std::int64_t> replicas) const {
  const Binding& binding = *workload.binding;
  if (by_row_.size() != replicas.size()) return {};
  std::string ns = binding.resource_namespace, ignored;
  std::vector<QuotaDemand> set;
  if (workload.whole_sets) {
    for (const Component& component : binding.components) {
      Result<QuotaDemand> demand = parse_demand(component.requirements_text, ignored);
      if (!demand) return std::move(demand).context("component " + component.name);
      demand->replicas = component.replicas;
      set.push_back(*std::move(demand));
    }
  } else {
    std::string said;
    Result<QuotaDemand> demand = parse_demand(binding.requirements_text, said);
    if (!demand) return demand.error();
    if (!said.empty()) ns = said;
    set.push_back(*std::move(demand));
  }
  if (ns.empty()) return {};
  for_each_row(fits, [&](Row row) {
    if (by_row_[row] == nullptr) return;
    const std::optional<std::int64_t> room = by_row_[row]->room_for(ns, set);
    if (room) replicas[row] = std::min<std::int64_t>(*room, INT32_MAX);
  });
  return {};
}

}  // namespace flotilla::scheduler
