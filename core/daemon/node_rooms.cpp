// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/node_rooms.hpp"

#include <map>

#include "core/controllers/trimmed.hpp"

namespace flotilla::daemon {
namespace {

class NodeRooms {
 public:
  explicit NodeRooms(const cluster::ClusterRegistry& clusters) : clusters_(clusters) {}

  std::shared_ptr<const scheduler::ClusterNodes> of(const std::string& cluster) {
    const std::shared_ptr<cluster::Member> member = clusters_.find(cluster);
    if (!member) {
      known_.erase(cluster);
      return nullptr;
    }
    const auto nodes = member->roster({"", "v1", "nodes"}, controllers::trim_node);
    const auto pods = member->roster({"", "v1", "pods"}, controllers::trim_pod);
    if (!nodes->synced() || !pods->synced()) return nullptr;
    Known& known = known_[cluster];
    if (known.member == member && known.nodes == nodes->version() && known.pods == pods->version()) {
      return known.rooms;
    }
    const cluster::Roster::Listing all_nodes = nodes->list();
    const cluster::Roster::Listing all_pods = pods->list();
    known = {member, all_nodes.version, all_pods.version,
             scheduler::ClusterNodes::make(all_nodes.objects, all_pods.objects)};
    return known.rooms;
  }

 private:
  struct Known {
    std::shared_ptr<cluster::Member> member;
    std::uint64_t nodes = 0, pods = 0;
    std::shared_ptr<const scheduler::ClusterNodes> rooms;
  };
  const cluster::ClusterRegistry& clusters_;
  std::map<std::string, Known> known_;
};

}  // namespace

std::unique_ptr<scheduler::Policy> make_node_estimator(const cluster::ClusterRegistry& clusters) {
  auto rooms = std::make_shared<NodeRooms>(clusters);
  return std::make_unique<scheduler::NodeEstimator>(
      [rooms](const std::string& cluster) { return rooms->of(cluster); });
}

}  // namespace flotilla::daemon
