// SPDX-License-Identifier: Apache-2.0
// How many replicas the nodes of a cluster take, node by node: for clusters whose nodes and pods are known
// here. What Karmada asks of an estimator beside each member is answered from what is followed anyway.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/api/json.hpp"
#include "core/api/resource_list.hpp"
#include "core/api/selector.hpp"
#include "core/scheduler/binding.hpp"
#include "core/scheduler/policy.hpp"

namespace flotilla::scheduler {

// What one replica wants of its node: spec.replicaRequirements, read once.
struct NodeDemand {
  std::vector<Request> requests;
  std::int32_t replicas = 1;  // of a component, per set
  // nodeClaim.nodeSelector and nodeClaim.hardNodeAffinity: all of the first, and one of the terms if there
  // are any.
  struct Term {
    api::LabelSelector labels;  // matchExpressions
    api::LabelSelector fields;  // matchFields: metadata.name
    bool impossible = false;    // says nothing, or what cannot be read
  };
  std::vector<std::pair<std::string, std::string>> node_selector;
  bool has_affinity = false;
  std::vector<Term> terms;
  std::vector<api::Json> tolerations;

  static NodeDemand parse(const api::Json& requirements);
  // Errors: Invalid for a text that is no JSON; the empty one demands nothing.
  static Result<NodeDemand> parse_text(std::string_view requirements);
  // Those of each component.
  static Result<std::vector<NodeDemand>> parse_set(std::span<const Component> components);
};

// What is left on the nodes of one cluster. Immutable.
class ClusterNodes {
 public:
  // Nodes with labels, taints and allocatable; pods with their requests, node and phase. A quantity that
  // cannot be read counts as nothing.
  static std::shared_ptr<const ClusterNodes> make(std::span<const api::Json> nodes,
                                                  std::span<const api::Json> pods);

  // Sum over the nodes that the demand accepts and whose NoSchedule and NoExecute taints it tolerates, of the
  // least that any resource and the places for pods allow.
  std::int64_t room_for(const NodeDemand& demand) const;
  // How many whole sets find places one after the other, each replica on the first node that takes it.
  std::int64_t sets_for(std::span<const NodeDemand> components) const;
  std::size_t size() const { return nodes_.size(); }

 private:
  struct Node {
    std::string name;
    api::Json labels;
    std::vector<api::Json> taints;  // NoSchedule and NoExecute
    api::ResourceList left;
    std::int64_t places = 0;
  };
  static bool accepts(const NodeDemand& demand, const Node& node);

  std::vector<Node> nodes_;
};

// The estimator over all clusters. `source` gives what is known of a cluster, null: nothing; it is asked when
// the scheduler sees a new table or asks to refresh, so decisions in between always find the same.
class NodeEstimator final : public Policy {
 public:
  using Source = std::function<std::shared_ptr<const ClusterNodes>(const std::string& cluster)>;
  explicit NodeEstimator(Source source) : source_(std::move(source)) {}

  std::string_view name() const override { return "node_estimator"; }
  std::uint32_t steps() const override { return kEstimateStep; }
  Status observe(const ClusterTable& table, Reasons&) override;
  void refresh(const ClusterTable& table) override;
  Status estimate(const Workload& workload, RowRange rows, std::span<const std::uint64_t> fits,
                  std::span<std::int64_t> replicas) const override;

 private:
  Source source_;
  std::vector<std::shared_ptr<const ClusterNodes>> by_row_;
};

}  // namespace flotilla::scheduler
