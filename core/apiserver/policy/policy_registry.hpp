// SPDX-License-Identifier: Apache-2.0
// The admission policies that are bound right now. Compiled again only when they changed; where there is
// none, asking costs two loads. Thread: everything from any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "core/apiserver/policy/policy.hpp"
#include "core/async/task.hpp"

namespace flotilla::apiserver {

struct Server;

struct BoundPolicy {
  PolicyPtr policy;
  std::vector<PolicyBindingPtr> bindings;  // at least one
};
using Policies = std::vector<BoundPolicy>;

class PolicyRegistry {
 public:
  explicit PolicyRegistry(const store::Store& store) : store_(store) {}

  // After a write of a policy or a binding.
  void touch() { wanted_.fetch_add(1, std::memory_order_acq_rel); }
  // Null: there are none.
  std::shared_ptr<const Policies> policies() const;

 private:
  struct Built {
    std::uint64_t generation = 0;
    std::map<std::string, PolicyPtr> compiled;
    Policies policies;
  };
  std::shared_ptr<const Built> build(std::uint64_t generation, const Built* before) const;

  const store::Store& store_;
  std::atomic<std::uint64_t> wanted_{1};
  mutable std::atomic<std::uint64_t> empty_at_{0};  // the generation that was found empty
  mutable std::atomic<std::shared_ptr<const Built>> built_;
};

// Keeps the registry and status.observedGeneration of policies up to date, whoever writes.
Task<void> follow_policies(std::shared_ptr<Server> server);
Task<void> follow_policy_bindings(std::shared_ptr<Server> server);

}  // namespace flotilla::apiserver
