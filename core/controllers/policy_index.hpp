// SPDX-License-Identifier: Apache-2.0
// Propagation policies as the informers know them, ready to be matched. A reader gets an immutable set.
// Thread: any.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "core/controllers/kinds.hpp"
#include "core/controllers/propagation/policy_match.hpp"
#include "core/informer/informers.hpp"

namespace flotilla::controllers {

class PolicyIndex {
 public:
  using Policies = std::vector<std::shared_ptr<const ClaimingPolicy>>;

  // Registers with `informers` before those that want to find what they are told of.
  explicit PolicyIndex(informer::Informers& informers);
  std::shared_ptr<const Policies> in(std::string_view ns) const;  // PropagationPolicies of a namespace
  std::shared_ptr<const Policies> cluster() const { return in(""); }
  // Null: there is none. An empty namespace means a ClusterPropagationPolicy.
  std::shared_ptr<const ClaimingPolicy> find(const ObjectKey& key) const;

 private:
  using ByNamespace = std::map<std::string, std::shared_ptr<const Policies>, std::less<>>;
  void follow(const Event& event);

  std::atomic<std::shared_ptr<const ByNamespace>> all_;
};

}  // namespace flotilla::controllers
