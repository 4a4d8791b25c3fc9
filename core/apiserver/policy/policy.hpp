// SPDX-License-Identifier: Apache-2.0
// ValidatingAdmissionPolicy and its bindings, read and compiled once. Immutable; thread: any.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/api/selector.hpp"
#include "core/apiserver/admission/webhook.hpp"
#include "core/cel/cel.hpp"

namespace flotilla::apiserver {

// MatchResources of a policy or a binding.
class ResourceMatch {
 public:
  // Null: everything.
  static ResourceMatch read(const Json& match);
  // The resource in whose version the objects are judged; null: not meant. Errors: NotFound (the namespace),
  // Internal (a selector that cannot be read).
  Result<ResourcePtr> matching(const AdmissionAttributes& attributes, const store::Store& store) const;

 private:
  struct NamedRule {
    MatchRule rule;
    std::vector<std::string> names;
  };
  static std::vector<NamedRule> read_rules(const Json& rules);
  ResourcePtr find(const std::vector<NamedRule>& rules, const AdmissionAttributes& attributes) const;

  std::vector<NamedRule> rules_, excluded_;
  bool everything_ = false;  // no rule at all: of bindings
  bool equivalent_ = true;
  api::LabelSelector namespaces_, objects_;
  Status readable_;
};

struct PolicyExpression {
  std::string text;
  Result<cel::ProgramPtr> program = cel::ProgramPtr();
};

struct PolicyValidation {
  PolicyExpression expression;
  std::string message, reason;
  std::optional<PolicyExpression> message_expression;
};

struct PolicyVariable {
  std::string name;
  PolicyExpression expression;
};

struct AdmissionPolicy {
  std::string name, uid;
  std::int64_t generation = 0;
  bool ignores_failure = false;
  std::optional<api::Gvk> param_kind;
  ResourceMatch match;
  MatchConditions conditions;
  std::vector<PolicyVariable> variables;
  std::vector<PolicyValidation> validations;
  std::vector<PolicyVariable> annotations;  // for the audit log

  static std::shared_ptr<const AdmissionPolicy> read(const api::Object& object);
};
using PolicyPtr = std::shared_ptr<const AdmissionPolicy>;

struct PolicyBinding {
  std::string name, policy;
  bool has_params = false;
  std::string param_name, param_ns;
  std::optional<api::LabelSelector> param_selector;
  bool forgives_missing = false;  // parameterNotFoundAction: Allow
  bool denies = false, warns = false, audits = false;
  std::vector<std::string> actions;
  std::optional<ResourceMatch> match;

  static std::shared_ptr<const PolicyBinding> read(const api::Object& object);
};
using PolicyBindingPtr = std::shared_ptr<const PolicyBinding>;

// What is wrong with a policy, a binding or the conditions of a webhook configuration that is written.
// Errors: Invalid.
Status review_policy_kinds(const Resource& resource, const Json& object);
// What a policy's own text allows, as `spec.validations[0].expression` and so on. Empty: nothing is wrong.
std::vector<Cause> faults_of_policy(const Json& policy);
std::vector<Cause> faults_of_binding(const Json& binding);
// Of matchConditions anywhere; `path` is that of the list.
std::vector<Cause> faults_of_conditions(const Json& list, const std::string& path);

}  // namespace flotilla::apiserver
