// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/estimate.hpp"

#include <algorithm>

#include "core/scheduler/policy.hpp"

namespace flotilla::scheduler {
namespace {

// An estimator's column, for the record.
EstimateColumn column_of(std::size_t policy, bool failed, std::string remark,
                         std::span<const std::int64_t> estimates) {
  EstimateColumn column{static_cast<std::uint8_t>(policy), failed, std::move(remark), {}};
  if (failed) return column;
  column.replicas.reserve(estimates.size());
  for (std::int64_t value : estimates)
    column.replicas.push_back(static_cast<std::int32_t>(std::clamp<std::int64_t>(value, -1, INT32_MAX)));
  return column;
}

// Takes the lesser of what is known. False: the estimator wrote something below unknown.
bool take_least(std::span<const std::uint64_t> fits, std::span<const std::int64_t> estimates,
                std::span<std::int32_t> room) {
  std::int64_t least = 0;
  for_each_row(fits, [&](Row row) { least = std::min(least, estimates[row]); });
  if (least < kUnknownEstimate) return false;
  for_each_row(fits, [&](Row row) {
    const std::int64_t replicas = estimates[row];
    if (replicas >= 0 && replicas < room[row]) room[row] = static_cast<std::int32_t>(replicas);
  });
  return true;
}

}  // namespace

void resolve_requests(const ClusterTable& table, std::span<const Request> requests, bool given,
                      ResolvedRequests& out) {
  out.per_resource.assign(table.resources().names.size(), 0);
  out.unknown = false;
  out.given = given;
  for (const Request& request : requests) {
    std::uint32_t resource = table.find_resource(request.resource);
    if (resource == kNoResource) {
      out.unknown = true;
    } else {
      out.per_resource[resource] = in_units_of(request.resource, request.amount);
    }
  }
}

void resolve_set(const ClusterTable& table, std::span<const Component> components, ResolvedRequests& out) {
  std::vector<Request> sums;
  for (const Component& component : components) {
    for (const Request& request : component.requests) {
      api::Quantity amount = request.amount * component.replicas;
      auto found = std::find_if(sums.begin(), sums.end(),
                                [&](const Request& sum) { return sum.resource == request.resource; });
      if (found == sums.end()) {
        sums.push_back({request.resource, amount});
      } else {
        found->amount += amount;
      }
    }
  }
  resolve_requests(table, sums, true, out);
}

void estimate_room(const Workload& workload, const Policies& policies, std::span<const std::uint64_t> fits,
                   std::vector<std::int32_t>& room, std::vector<std::int64_t>& scratch, Record* record) {
  const ClusterTable& table = *workload.table;
  const Binding& binding = *workload.binding;
  room.assign(table.size(), INT32_MAX);
  if (binding.replicas == 0 && binding.components.empty()) return;
  const RowRange all{0, static_cast<Row>(table.size())};
  for (std::size_t i = 0; i < policies.entries().size(); ++i) {
    const Policy& policy = *policies.entries()[i].policy;
    if (!policies.takes_part(workload, i, kEstimateStep)) continue;
    scratch.assign(table.size(), kUnknownEstimate);
    Status done = policy.estimate(workload, all, fits, scratch);
    if (workload.watch != nullptr && workload.watch->given_up()) return;
    if (done && !take_least(fits, scratch, room)) {
      done = internal("estimated fewer than no replicas");
      policy.charge(done.error().message());
    }
    if (record == nullptr) continue;
    record->estimates.push_back(
        column_of(i, !done, done ? policy.remark(workload, fits) : done.error().message(), scratch));
  }
  for_each_row(fits, [&](Row row) {
    if (room[row] == INT32_MAX) room[row] = binding.replicas;
  });
}

}  // namespace flotilla::scheduler
