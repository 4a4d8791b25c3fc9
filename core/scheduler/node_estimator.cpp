// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/node_estimator.hpp"

#include <algorithm>
#include <map>

#include "core/api/taint.hpp"
#include "core/scheduler/cluster_table.hpp"

namespace flotilla::scheduler {
namespace {

using api::Json;
using api::LabelSelector;
using api::ResourceList;

constexpr std::string_view kPods = "pods";

NodeDemand::Term parse_term(const Json& json) {
  NodeDemand::Term term;
  const Json& expressions = json["matchExpressions"];
  const Json& fields = json["matchFields"];
  term.impossible = expressions.empty() && fields.empty();
  const auto take = [&](const Json& list, LabelSelector& into) {
    if (list.empty()) return;
    Result<LabelSelector> read = LabelSelector::from_node_requirements(list);
    if (read) {
      into = *std::move(read);
    } else {
      term.impossible = true;
    }
  };
  take(expressions, term.labels);
  take(fields, term.fields);
  return term;
}

bool has_ended(const Json& pod) {
  const std::string_view phase = pod["status"]["phase"].as_string();
  return phase == "Succeeded" || phase == "Failed";
}

struct Used {
  ResourceList requests;
  std::int64_t pods = 0;
};

std::map<std::string, Used, std::less<>> used_by_node(std::span<const Json> pods) {
  std::map<std::string, Used, std::less<>> used;
  for (const Json& pod : pods) {
    const std::string_view node = pod["spec"]["nodeName"].as_string();
    if (node.empty() || has_ended(pod)) continue;
    Used& on = used[std::string(node)];
    ++on.pods;
    Result<ResourceList> requests = api::pod_requests(pod["spec"], api::Limits::Ignored);
    if (requests) on.requests.add(*requests);
  }
  return used;
}

}  // namespace

NodeDemand NodeDemand::parse(const Json& requirements) {
  NodeDemand demand;
  demand.requests = parse_requests(requirements);
  const Json& claim = requirements["nodeClaim"];
  for (auto [key, value] : claim["nodeSelector"].members()) {
    demand.node_selector.emplace_back(key, value.as_string());
  }
  demand.has_affinity = claim["hardNodeAffinity"].is_object();
  for (const Json& term : claim["hardNodeAffinity"]["nodeSelectorTerms"].elements()) {
    demand.terms.push_back(parse_term(term));
  }
  for (const Json& toleration : claim["tolerations"].elements()) demand.tolerations.push_back(toleration);
  return demand;
}

std::shared_ptr<const ClusterNodes> ClusterNodes::make(std::span<const Json> nodes,
                                                       std::span<const Json> pods) {
  const auto used = used_by_node(pods);
  auto made = std::make_shared<ClusterNodes>();
  for (const Json& json : nodes) {
    Node node;
    node.name = json["metadata"]["name"].as_string();
    node.labels = json["metadata"]["labels"];
    for (const Json& taint : json["spec"]["taints"].elements()) {
      const std::string_view effect = taint["effect"].as_string();
      if (effect == api::kNoSchedule || effect == api::kNoExecute) node.taints.push_back(taint);
    }
    Result<ResourceList> allocatable = ResourceList::from_json(json["status"]["allocatable"]);
    if (!allocatable) continue;
    node.left = *std::move(allocatable);
    node.places = node.left.amount(kPods).value();
    if (const auto found = used.find(node.name); found != used.end()) {
      node.left.subtract(found->second.requests);
      node.places -= found->second.pods;
    }
    made->nodes_.push_back(std::move(node));
  }
  return made;
}

bool ClusterNodes::accepts(const NodeDemand& demand, const Node& node) {
  for (const auto& [key, value] : demand.node_selector) {
    const Json* label = node.labels.is_object() ? node.labels.find(key) : nullptr;
    if (label == nullptr || label->as_string() != value) return false;
  }
  const auto field = [&](std::string_view key) -> std::optional<std::string_view> {
    if (key == "metadata.name") return node.name;
    return std::nullopt;
  };
  const auto holds = [&](const NodeDemand::Term& term) {
    return !term.impossible && term.labels.matches(node.labels) && term.fields.matches(field);
  };
  if (demand.has_affinity && std::none_of(demand.terms.begin(), demand.terms.end(), holds)) return false;
  return std::all_of(node.taints.begin(), node.taints.end(), [&](const Json& taint) {
    return api::find_toleration(demand.tolerations, taint) != nullptr;
  });
}

namespace {

// A node while sets are put onto it, in the units of a demand's requests.
struct Bin {
  std::vector<std::int64_t> left;  // by resource that any component requests
  std::int64_t places = 0;
};

struct Wanted {
  std::vector<std::int64_t> amounts;  // likewise; 0: not requested
  std::int64_t replicas = 0;
  std::size_t first = 0;  // nodes before this one have no room for it any more
};

std::int64_t fitting(const Bin& bin, const Wanted& wanted) {
  std::int64_t most = bin.places;
  for (std::size_t i = 0; i < wanted.amounts.size() && most > 0; ++i) {
    if (wanted.amounts[i] > 0)
      most = std::min(most, std::max<std::int64_t>(bin.left[i], 0) / wanted.amounts[i]);
  }
  return most;
}

// Room only shrinks, so a node that is full for a component stays full for it.
template <typename Accepts>
bool place(std::vector<Bin>& bins, Wanted& wanted, const Accepts& accepts) {
  std::int64_t left = wanted.replicas;
  for (std::size_t i = wanted.first; i < bins.size() && left > 0; ++i) {
    const std::int64_t taken = accepts(i) ? std::min(left, fitting(bins[i], wanted)) : 0;
    for (std::size_t r = 0; r < wanted.amounts.size(); ++r) bins[i].left[r] -= wanted.amounts[r] * taken;
    bins[i].places -= taken;
    left -= taken;
    if (left > 0) wanted.first = i + 1;
  }
  return left == 0;
}

std::vector<std::string> requested_resources(std::span<const NodeDemand> components) {
  std::vector<std::string> names;
  for (const NodeDemand& component : components) {
    for (const Request& request : component.requests) {
      if (std::find(names.begin(), names.end(), request.resource) == names.end())
        names.push_back(request.resource);
    }
  }
  return names;
}

}  // namespace

std::int64_t ClusterNodes::sets_for(std::span<const NodeDemand> components) const {
  const std::vector<std::string> resources = requested_resources(components);
  std::vector<Bin> bins;
  for (const Node& node : nodes_) {
    Bin& bin = bins.emplace_back();
    bin.places = std::max<std::int64_t>(node.places, 0);
    for (const std::string& resource : resources)
      bin.left.push_back(in_units_of(resource, node.left.amount(resource)));
  }
  std::vector<Wanted> wanted;
  std::int64_t pods = 0;
  for (const NodeDemand& component : components) {
    Wanted& one = wanted.emplace_back();
    one.replicas = component.replicas;
    one.amounts.assign(resources.size(), 0);
    for (const Request& request : component.requests) {
      const auto at = std::find(resources.begin(), resources.end(), request.resource) - resources.begin();
      one.amounts[static_cast<std::size_t>(at)] = in_units_of(request.resource, request.amount);
    }
    pods += one.replicas;
  }
  if (pods == 0) return INT32_MAX;
  for (std::int64_t sets = 0;; ++sets) {
    for (std::size_t c = 0; c < wanted.size(); ++c) {
      const auto takes = [&](std::size_t i) { return accepts(components[c], nodes_[i]); };
      if (!place(bins, wanted[c], takes)) return sets;
    }
  }
}

std::int64_t ClusterNodes::room_for(const NodeDemand& demand) const {
  std::int64_t sum = 0;
  for (const Node& node : nodes_) {
    std::int64_t room = std::max<std::int64_t>(node.places, 0);
    for (const Request& request : demand.requests) {
      if (room == 0) break;
      const std::int64_t wanted = in_units_of(request.resource, request.amount);
      if (wanted <= 0) continue;
      const api::Quantity left = node.left.amount(request.resource);
      const std::int64_t has = request.resource == "cpu" ? left.milli_value() : left.value();
      room = std::min(room, std::max<std::int64_t>(has, 0) / wanted);
    }
    if (room > 0 && accepts(demand, node)) sum = std::min<std::int64_t>(sum + room, INT32_MAX);
  }
  return sum;
}

Result<NodeDemand> NodeDemand::parse_text(std::string_view requirements) {
  if (requirements.empty()) return NodeDemand();
  Result<Json> json = Json::parse(requirements);
  if (!json) return json.error();
  return parse(*json);
}

Result<std::vector<NodeDemand>> NodeDemand::parse_set(std::span<const Component> components) {
  std::vector<NodeDemand> set;
  for (const Component& component : components) {
    Result<NodeDemand> demand = parse_text(component.requirements_text);
    if (!demand) return std::move(demand).context("component " + component.name);
    demand->replicas = component.replicas;
    set.push_back(*std::move(demand));
  }
  return set;
}

Status NodeEstimator::observe(const ClusterTable& table, Reasons&) {
  refresh(table);
  return {};
}

void NodeEstimator::refresh(const ClusterTable& table) {
  by_row_.resize(table.size());
  for (Row row = 0; row < table.size(); ++row) by_row_[row] = source_(std::string(table.name(row)));
}

Status NodeEstimator::estimate(const Workload& workload, RowRange, std::span<const std::uint64_t> fits,
                               std::span<std::int64_t> replicas) const {
  if (by_row_.size() != replicas.size()) return {};
  const auto each = [&](const auto& room) {
    for_each_row(fits, [&](Row row) {
      if (by_row_[row] != nullptr) replicas[row] = room(*by_row_[row]);
    });
  };
  if (workload.whole_sets) {
    const Result<std::vector<NodeDemand>> set = NodeDemand::parse_set(workload.binding->components);
    if (!set) return set.error();
    each([&](const ClusterNodes& nodes) { return nodes.sets_for(*set); });
    return {};
  }
  const Result<NodeDemand> demand = NodeDemand::parse_text(workload.binding->requirements_text);
  if (!demand) return demand.error();
  each([&](const ClusterNodes& nodes) { return nodes.room_for(*demand); });
  return {};
}

}  // namespace flotilla::scheduler
