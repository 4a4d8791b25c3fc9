// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/policy/judge.hpp"

#include <algorithm>
#include <set>

#include "core/apiserver/call.hpp"
#include "core/apiserver/errors.hpp"
#include "core/apiserver/policy/facts.hpp"
#include "core/apiserver/versions.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::size_t kLongestMessage = 5 * 1024;
constexpr std::size_t kLongestAnnotation = 10 * 1024;
constexpr std::string_view kFailureAnnotation = "validation.policy.admission.k8s.io/validation_failure";

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t from = text.find_first_not_of(kSpace);
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(kSpace) - from + 1));
}

// One validation that said no, or could not be asked.
struct Objection {
  std::size_t index = 0;
  std::string message, reason;
};

// `variables` of one evaluation, each made at most once.
class PolicyVariables final : public cel::LazyObject {
 public:
  PolicyVariables(const AdmissionPolicy& policy, std::vector<cel::Binding> bindings)
      : policy_(policy), bindings_(std::move(bindings)), made_(policy.variables.size()) {
    // The binding must not keep this alive: this keeps the binding alive.
    const std::shared_ptr<cel::LazyObject> self(std::shared_ptr<void>(), this);
    bindings_.push_back({"variables", cel::Value::lazy(self)});
  }

  std::span<const cel::Binding> bindings() const { return bindings_; }
  bool has(std::string_view name) const override { return find(name) < made_.size(); }
  Result<cel::Value> member(std::string_view name, cel::Budget& budget) override {
    const std::size_t at = find(name);
    std::optional<Result<cel::Value>>& made = made_[at];
    if (!made) {
      const PolicyExpression& expression = policy_.variables[at].expression;
      made = expression.program ? (*expression.program)->evaluate(bindings_, budget)
                                : Result<cel::Value>(expression.program.error());
    }
    if (*made) return *made;
    return invalid("composited variable \"" + std::string(name) +
                   "\" fails to evaluate: " + made->error().message());
  }

 private:
  std::size_t find(std::string_view name) const {
    std::size_t at = 0;
    while (at < policy_.variables.size() && policy_.variables[at].name != name) ++at;
    return at;
  }

  const AdmissionPolicy& policy_;
  std::vector<cel::Binding> bindings_;
  std::vector<std::optional<Result<cel::Value>>> made_;
};

Result<cel::Value> run(const PolicyExpression& expression, std::span<const cel::Binding> bindings,
                       cel::Budget& budget) {
  if (!expression.program) return invalid("compilation error: " + expression.program.error().message());
  auto value = (*expression.program)->evaluate(bindings, budget);
  if (value) return value;
  if (budget.exhausted()) return Error(Code::ResourceExhausted, std::string(cel::kOutOfBudget));
  return invalid("expression '" + expression.text + "' resulted in error: " + value.error().message());
}

// messageExpression, else message, else the expression itself.
std::string message_of(const PolicyValidation& validation, std::span<const cel::Binding> bindings,
                       cel::Budget& budget) {
  std::string text;
  if (validation.message_expression) {
    const auto value = run(*validation.message_expression, bindings, budget);
    if (value && value->is(cel::Value::Kind::String)) text = trimmed(value->as_string());
    if (text.size() > kLongestMessage || text.find('\n') != std::string::npos) text.clear();
  }
  if (text.empty()) text = trimmed(validation.message);
  return text.empty() ? "failed expression: " + trimmed(validation.expression.text) : text;
}

// A policy, a binding and one parameter object.
class Hearing {
 public:
  Hearing(const AdmissionPolicy& policy, const Facts& facts, const Json& params)
      : policy_(policy), variables_(policy, facts.bindings(params)) {}

  std::vector<Objection> objections() {
    const auto holds = policy_.conditions.hold(variables_.bindings());
    if (!holds) return failed(0, holds.error().message());
    if (!*holds) return {};
    heard_ = true;
    std::vector<Objection> out;
    cel::Budget budget;
    for (std::size_t i = 0; i < policy_.validations.size(); ++i) {
      const PolicyValidation& validation = policy_.validations[i];
      const auto value = run(validation.expression, variables_.bindings(), budget);
      if (!value) {
        for (Objection& one : failed(i, value.error().message())) out.push_back(std::move(one));
        if (budget.exhausted()) break;
      } else if (!value->as_bool()) {
        out.push_back({i, message_of(validation, variables_.bindings(), budget), validation.reason});
      }
    }
    return out;
  }

  // What the audit log is told; objections are errors of the expressions.
  std::vector<Objection> annotate(std::map<std::string, std::string>& annotations) {
    std::vector<Objection> out;
    if (!heard_) return out;
    cel::Budget budget;
    for (std::size_t i = 0; i < policy_.annotations.size(); ++i) {
      const PolicyVariable& annotation = policy_.annotations[i];
      const auto value = run(annotation.expression, variables_.bindings(), budget);
      if (!value) {
        for (Objection& one : failed(i, value.error().message())) out.push_back(std::move(one));
        continue;
      }
      if (!value->is(cel::Value::Kind::String)) continue;  // null: nothing to say
      const std::string text = trimmed(value->as_string()).substr(0, kLongestAnnotation);
      std::string& all = annotations[policy_.name + "/" + annotation.name];
      if (text.empty() || (", " + all + ", ").find(", " + text + ", ") != std::string::npos) continue;
      all += (all.empty() ? "" : ", ") + text;
    }
    return out;
  }

 private:
  std::vector<Objection> failed(std::size_t index, std::string message) const {
    if (policy_.ignores_failure) return {};
    return {{index, std::move(message), ""}};
  }

  const AdmissionPolicy& policy_;
  PolicyVariables variables_;
  bool heard_ = false;
};

// The objects that a binding's paramRef names; one null for a policy without parameters.
Result<std::vector<Json>> collect_params(const AdmissionPolicy& policy, const PolicyBinding& binding,
                                         const AdmissionAttributes& attributes, const store::Store& store) {
  if (!policy.param_kind || !binding.has_params) return std::vector<Json>{Json()};
  const api::Gvk& kind = *policy.param_kind;
  const ResourcePtr resource = attributes.served->registry.find_kind({kind.group, kind.version, kind.kind});
  if (!resource) {
    return not_found("failed to find resource referenced by paramKind: '" + kind.api_version() +
                     ", Kind=" + kind.kind + "'");
  }
  std::string ns;
  if (resource->namespaced) {
    ns = binding.param_ns.empty() ? attributes.ns : binding.param_ns;
    if (ns.empty())
      return invalid(
          "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
  } else if (!binding.param_ns.empty()) {
    return invalid("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
  }
  const store::Collection collection = collection_of(*resource);
  std::vector<Json> found;
  if (!binding.param_name.empty()) {
    if (const auto object = store.get(collection, ns, binding.param_name))
      found.push_back(convert(*resource, *object->content()));
  } else if (binding.param_selector) {
    for (const auto& object : store.list(collection, ns).objects) {
      Json content = convert(*resource, *object->content());
      if (binding.param_selector->matches(std::as_const(content)["metadata"]["labels"]))
        found.push_back(std::move(content));
    }
  }
  if (!found.empty() || binding.forgives_missing) return found;
  return not_found("no params found for policy binding with `Deny` parameterNotFoundAction");
}

Code code_of(std::string_view reason) {
  if (reason == "Forbidden") return Code::Forbidden;
  if (reason == "Unauthorized") return Code::Unauthorized;
  return reason == "RequestEntityTooLarge" ? Code::TooLarge : Code::Invalid;
}

Error refusal(const AdmissionAttributes& attributes, const std::string& message, std::string reason) {
  if (reason.empty()) reason = "Invalid";
  std::string name = attributes.name;
  if (name.empty()) name = std::as_const(attributes.object)["metadata"]["generateName"].as_string();
  const GroupResource resource{attributes.resource->group, attributes.resource->resource};
  ErrorDetails details;
  details.name = name;
  details.group = resource.group;
  details.kind = resource.resource;
  details.reason = reason;
  details.causes.push_back({"", message, ""});
  const Code code = code_of(reason);
  return Error(code, resource.text() + " " + quoted(name) + " is forbidden: " + message, std::move(details));
}

std::string failure_annotation(const AdmissionPolicy& policy, const PolicyBinding& binding,
                               const Objection& one) {
  return Json::array({Json::object({{"message", one.message},
                                    {"policy", policy.name},
                                    {"binding", binding.name},
                                    {"expressionIndex", static_cast<std::int64_t>(one.index)},
                                    {"validationActions", Json::strings(binding.actions)}})})
      .dump();
}

// All hearings of a request; the first denial is what the client is told.
class Session {
 public:
  Session(AdmissionAttributes& attributes, const store::Store& store, const Authorizer& authorizer)
      : attributes_(attributes), store_(store), authorizer_(authorizer) {}

  void hear(const BoundPolicy& bound) {
    const AdmissionPolicy& policy = *bound.policy;
    const auto version = policy.match.matching(attributes_, store_);
    if (!version) return misconfigured(policy, nullptr, version.error().message());
    if (!*version) return;
    std::optional<Facts> facts;
    for (const PolicyBindingPtr& binding : bound.bindings) {
      if (binding->match) {
        const auto meant = binding->match->matching(attributes_, store_);
        if (!meant) {
          misconfigured(policy, binding.get(), meant.error().message());
          continue;
        }
        if (!*meant) continue;
      }
      const auto params = collect_params(policy, *binding, attributes_, store_);
      if (!params) {
        misconfigured(policy, binding.get(), params.error().message());
        continue;
      }
      if (!facts) facts.emplace(attributes_, **version, &store_, authorizer_);
      for (const Json& one : *params) hear_with(policy, *binding, *facts, one);
    }
  }

  Status verdict() const { return denial_ ? Status(*denial_) : Status(); }

 private:
  void hear_with(const AdmissionPolicy& policy, const PolicyBinding& binding, const Facts& facts,
                 const Json& params) {
    Hearing hearing(policy, facts, params);
    for (const Objection& one : hearing.objections()) {
      if (binding.denies) deny(policy, &binding, one.message, one.reason);
      if (binding.audits)
        attributes_.annotations[std::string(kFailureAnnotation)] = failure_annotation(policy, binding, one);
      if (binding.warns)
        attributes_.warnings.push_back("Validation failed for ValidatingAdmissionPolicy '" + policy.name +
                                       "' with binding '" + binding.name + "': " + one.message);
    }
    for (const Objection& one : hearing.annotate(attributes_.annotations))
      deny(policy, &binding, one.message, one.reason);
  }

  void misconfigured(const AdmissionPolicy& policy, const PolicyBinding* binding, const std::string& why) {
    if (policy.ignores_failure) return;
    deny(policy, binding, (binding ? "failed to configure binding: " : "failed to configure policy: ") + why,
         "");
  }

  void deny(const AdmissionPolicy& policy, const PolicyBinding* binding, const std::string& message,
            const std::string& reason) {
    if (denial_) return;
    const std::string with = binding ? " with binding '" + binding->name + "'" : "";
    denial_ = refusal(
        attributes_, "ValidatingAdmissionPolicy '" + policy.name + "'" + with + " denied request: " + message,
        reason);
  }

  AdmissionAttributes& attributes_;
  const store::Store& store_;
  const Authorizer& authorizer_;
  std::optional<Error> denial_;
};

bool is_policy(const Resource& resource) {
  return resource.group == "admissionregistration.k8s.io" &&
         resource.resource.find("admissionpolic") != std::string::npos;
}

}  // namespace

Status judge_by_policies(const Policies& policies, AdmissionAttributes& attributes, const store::Store& store,
                         const Authorizer& authorizer) {
  if (is_policy(*attributes.resource)) return {};
  Session session(attributes, store, authorizer);
  for (const BoundPolicy& bound : policies) session.hear(bound);
  return session.verdict();
}

}  // namespace flotilla::apiserver
