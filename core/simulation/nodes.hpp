// SPDX-License-Identifier: Apache-2.0
// The nodes of the simulated cluster and what is free on them. Placement is first fit on the emptiest node
// that the pod's nodeSelector and tolerations allow. Thread: all calls on the pod loop's strand, but names()
// which is any.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/simulation/world.hpp"

namespace flotilla::simulation {

struct PodNeeds {
  std::int64_t cpu_milli = 0;
  std::int64_t memory = 0;
};
// Requests of the containers, at least those of the largest init container, plus overhead.
PodNeeds needs_of(const Json& pod);

struct NodeFit {
  std::string node;    // empty: none
  std::string reason;  // "0/3 nodes are available: 3 Insufficient cpu."
};

class NodePool {
 public:
  void update(const Json& node);
  void remove(const std::string& name);
  NodeFit place(const Json& pod) const;
  // Books what the pod needs on a node; twice for one uid is once.
  void book(const std::string& uid, const std::string& node, const PodNeeds& needs);
  // False if nothing was booked.
  bool release(const std::string& uid);
  // Nodes that a pod with this spec may run on at all (DaemonSets).
  std::vector<std::string> eligible(const Json& pod_spec) const;

 private:
  struct Node {
    PodNeeds capacity;
    std::int64_t pods = 0;
    PodNeeds used;
    std::int64_t used_pods = 0;
    Json labels;
    Json taints;
    bool ready = true;
    bool unschedulable = false;
  };
  struct Booking {
    std::string node;
    PodNeeds needs;
  };
  static std::string why_not(const Node& node, const Json& spec, const PodNeeds& needs);

  mutable std::mutex mutex_;
  std::map<std::string, Node> nodes_;
  std::map<std::string, Booking> bookings_;
};

// A Node object as a kubelet would report it.
Json make_node(const Settings& settings, int index, WallTime now);

}  // namespace flotilla::simulation
