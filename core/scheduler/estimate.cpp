// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/estimate.hpp"

#include <algorithm>

namespace flotilla::scheduler {
namespace {

constexpr std::int64_t kPodsPerNode = 110;
constexpr std::int64_t kUnbounded = INT64_MAX;

// available / request for values below 2^53 without an integer division: the estimate is off by one at most.
std::int64_t quotient(std::int64_t available, std::int64_t request, double inverse) {
  constexpr std::int64_t kExact = std::int64_t{1} << 52;
  if (available >= kExact || request >= kExact) return available / request;
  auto estimate = static_cast<std::int64_t>(static_cast<double>(available) * inverse);
  std::int64_t rest = available - estimate * request;
  return estimate + (rest >= request ? 1 : 0) - (rest < 0 ? 1 : 0);
}

std::int64_t amount_of(const NodeGrade& grade, std::uint32_t resource) {
  for (const ResourceAmount& least : grade.least) {
    if (least.resource == resource) return least.amount;
  }
  return 0;
}

// How many replicas the nodes of a model take: every node of a grade has the least the grade promises.
std::int64_t fit_on_nodes(std::span<const NodeGrade> grades, const ResolvedRequests& requests,
                          std::uint32_t pods_resource) {
  if (requests.unknown) return 0;
  std::int64_t sum = 0;
  for (const NodeGrade& grade : grades) {
    std::int64_t per_node = kPodsPerNode;
    for (std::uint32_t resource = 0; resource < requests.per_resource.size(); ++resource) {
      std::int64_t request = requests.per_resource[resource];
      if (request <= 0) continue;
      std::int64_t has = resource == pods_resource ? kPodsPerNode : amount_of(grade, resource);
      per_node = std::min(per_node, has / request);
    }
    sum += std::max<std::int64_t>(grade.count, 0) * per_node;
  }
  return sum;
}

std::int32_t clamp_replicas(std::int64_t replicas) {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(replicas, 0, INT32_MAX));
}

std::int64_t free_pods(const ClusterTable& table, Row row) {
  const ClusterResources& resources = table.resources();
  if ((table.identity().flags[row] & kHasResources) == 0 || resources.pods == kNoResource) return 0;
  return std::max<std::int64_t>(resources.planes[resources.pods].available[row], 0);
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

void estimate_replicas(const ClusterTable& table, const ResolvedRequests& requests,
                       std::span<const std::uint64_t> rows, std::span<std::int32_t> replicas) {
  const ClusterResources& resources = table.resources();
  for_each_row(rows, [&](Row row) { replicas[row] = clamp_replicas(free_pods(table, row)); });
  if (!requests.given) return;
  auto has_model = [&](Row row) { return resources.models[row] != nullptr; };
  for_each_row(rows, [&](Row row) {
    if (replicas[row] == 0) return;
    if (has_model(row)) {
      std::int64_t fit = fit_on_nodes(*resources.models[row], requests, resources.pods);
      replicas[row] = std::min(replicas[row], clamp_replicas(fit));
    } else if (requests.unknown) {
      replicas[row] = 0;
    }
  });
  for (std::uint32_t resource = 0; resource < requests.per_resource.size(); ++resource) {
    std::int64_t request = requests.per_resource[resource];
    if (request <= 0) continue;
    double inverse = 1.0 / static_cast<double>(request);
    const std::vector<std::int64_t>& available = resources.planes[resource].available;
    for_each_row(rows, [&](Row row) {
      if (replicas[row] == 0 || has_model(row)) return;
      std::int64_t left = std::max<std::int64_t>(available[row], 0);
      replicas[row] = std::min(replicas[row], clamp_replicas(quotient(left, request, inverse)));
    });
  }
}

namespace {

// Puts sets of components on the nodes, one replica after the other, each on the first node that has room.
std::int64_t pack_sets(std::span<const NodeGrade> grades, std::span<const Component> components,
                       std::span<const ResolvedRequests> requests, std::int64_t bound) {
  struct Node {
    std::vector<std::int64_t> left;
    std::int64_t pods = kPodsPerNode;
  };
  std::vector<Node> nodes;
  std::size_t resources = requests.empty() ? 0 : requests[0].per_resource.size();
  for (const NodeGrade& grade : grades) {
    Node node;
    node.left.assign(resources, 0);
    for (const ResourceAmount& least : grade.least) {
      if (least.resource < resources) node.left[least.resource] = least.amount;
    }
    nodes.insert(nodes.end(), static_cast<std::size_t>(std::max<std::int64_t>(grade.count, 0)), node);
  }
  auto place = [&](const ResolvedRequests& request) {
    for (Node& node : nodes) {
      bool fits = node.pods > 0 && !request.unknown;
      for (std::size_t r = 0; fits && r < resources; ++r) fits = node.left[r] >= request.per_resource[r];
      if (!fits) continue;
      for (std::size_t r = 0; r < resources; ++r) node.left[r] -= request.per_resource[r];
      --node.pods;
      return true;
    }
    return false;
  };
  for (std::int64_t sets = 0; sets < bound; ++sets) {
    for (std::size_t c = 0; c < components.size(); ++c) {
      for (std::int32_t replica = 0; replica < components[c].replicas; ++replica) {
        if (!place(requests[c])) return sets;
      }
    }
  }
  return bound;
}

}  // namespace

void estimate_component_sets(const ClusterTable& table, std::span<const Component> components,
                             std::span<const std::uint64_t> rows, std::span<std::int32_t> sets) {
  const ClusterResources& resources = table.resources();
  std::vector<Request> sums;
  std::vector<ResolvedRequests> each(components.size());
  std::int64_t pods_per_set = 0;
  for (std::size_t c = 0; c < components.size(); ++c) {
    resolve_requests(table, components[c].requests, true, each[c]);
    pods_per_set += components[c].replicas;
    for (const Request& request : components[c].requests) {
      api::Quantity amount = request.amount * components[c].replicas;
      auto found = std::find_if(sums.begin(), sums.end(),
                                [&](const Request& sum) { return sum.resource == request.resource; });
      if (found == sums.end()) {
        sums.push_back({request.resource, amount});
      } else {
        found->amount += amount;
      }
    }
  }
  ResolvedRequests per_set;
  resolve_requests(table, sums, true, per_set);
  for_each_row(rows, [&](Row row) {
    std::int64_t pods = free_pods(table, row);
    std::int64_t bound = pods_per_set > 0 ? pods / pods_per_set : (pods > 0 ? kUnbounded : 0);
    if (per_set.unknown) bound = 0;
    for (std::size_t r = 0; r < per_set.per_resource.size(); ++r) {
      if (per_set.per_resource[r] <= 0) continue;
      std::int64_t left = std::max<std::int64_t>(resources.planes[r].available[row], 0);
      bound = std::min(bound, left / per_set.per_resource[r]);
    }
    bool packs = bound > 0 && pods_per_set > 0 && resources.models[row] != nullptr;
    if (packs) bound = pack_sets(*resources.models[row], components, each, bound);
    sets[row] = clamp_replicas(bound);
  });
}

}  // namespace flotilla::scheduler
