// SPDX-License-Identifier: Apache-2.0
// Role-based access control over the roles and bindings in the store (k8s-api 10.5, 10.6).
//
// Rules are compiled once and kept until an RBAC object changes: touch() after a write that this process
// made, the watch of run() for all others. Thread: everything from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/apiserver/security/user.hpp"
#include "core/store/store.hpp"

namespace flotilla::apiserver {

struct Attributes {
  std::string verb = {};
  bool is_resource = true;
  std::string group = {}, resource = {}, subresource = {}, ns = {}, name = {};
  std::string path = {};  // of non-resource requests

  std::string resource_text() const { return subresource.empty() ? resource : resource + "/" + subresource; }
};

struct Decision {
  bool allowed = false;
  std::string reason;  // "RBAC: allowed by ..." or what could not be evaluated
};

struct PolicyRule {
  std::vector<std::string> verbs, groups, resources, names, urls;
};

PolicyRule read_rule(const api::Json& rule);
std::vector<PolicyRule> read_rules(const api::Json& rules);
bool rule_allows(const PolicyRule& rule, const Attributes& attributes);

class Authorizer {
 public:
  explicit Authorizer(store::Store& store);
  ~Authorizer();

  Decision authorize(const UserInfo& user, const Attributes& attributes) const;
  // Everything the user may do in a namespace (empty: cluster-wide alone).
  std::vector<PolicyRule> rules_for(const UserInfo& user, std::string_view ns) const;
  // The rules of a Role or ClusterRole; nullopt when there is none.
  std::optional<std::vector<PolicyRule>> role_rules(std::string_view kind, std::string_view ns,
                                                    std::string_view name) const;
  void touch() { wanted_.fetch_add(1, std::memory_order_acq_rel); }

 private:
  struct Snapshot;
  std::shared_ptr<const Snapshot> snapshot() const;

  store::Store& store_;
  std::atomic<std::uint64_t> wanted_{1};
  mutable std::atomic<std::shared_ptr<const Snapshot>> built_;
};

// The parts of `wanted` that `held` does not cover, one compact line each, as an escalation error prints
// them. Empty: nothing is missing.
std::vector<std::string> missing_rules(const std::vector<PolicyRule>& held,
                                       const std::vector<PolicyRule>& wanted);

// "User "u" cannot get resource "pods" in API group "" in the namespace "n"".
std::string forbidden_message(const UserInfo& user, const Attributes& attributes);

}  // namespace flotilla::apiserver
