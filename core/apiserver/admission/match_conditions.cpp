// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/match_conditions.hpp"

#include "core/cel/authorization.hpp"

namespace flotilla::apiserver {
namespace {

// Answers for the user who asks, or for a service account that the expression names.
class RequestAccess final : public cel::AccessSource {
 public:
  RequestAccess(const Authorizer& authorizer, const UserInfo& user) : authorizer_(authorizer), user_(user) {}

  cel::AccessDecision check(const cel::AccessQuery& query) const override {
    Attributes asked{.verb = query.verb,
                     .is_resource = query.is_resource,
                     .group = query.group,
                     .resource = query.resource,
                     .subresource = query.subresource,
                     .ns = query.ns,
                     .name = query.name,
                     .path = query.path};
    Decision decision;
    if (query.account_name.empty()) {
      decision = authorizer_.authorize(user_, asked);
    } else {
      UserInfo account;
      account.name = std::string(kServiceAccountPrefix) + query.account_ns + ":" + query.account_name;
      account.groups = {"system:serviceaccounts", "system:serviceaccounts:" + query.account_ns,
                        std::string(kAuthenticated)};
      decision = authorizer_.authorize(account, asked);
    }
    return {decision.allowed, decision.reason, ""};
  }

 private:
  const Authorizer& authorizer_;
  const UserInfo& user_;
};

const cel::Environment& environment() {
  static const cel::Environment kEnvironment{{{"object", cel::Type::dyn()},
                                              {"oldObject", cel::Type::dyn()},
                                              {"request", cel::Type::dyn()},
                                              {"authorizer", cel::Type::authorizer()},
                                              {"authorizer.requestResource", cel::resource_check_type()}}};
  return kEnvironment;
}

Json gvk_json(const api::Gvk& gvk) {
  return Json::object({{"group", gvk.group}, {"version", gvk.version}, {"kind", gvk.kind}});
}

}  // namespace

Json request_variable(const AdmissionAttributes& attributes) {
  const Resource& resource = *attributes.resource;
  const Json where = Json::object(
      {{"group", resource.group}, {"version", resource.version}, {"resource", resource.resource}});
  return Json::object({{"kind", gvk_json(attributes.kind)},
                       {"resource", where},
                       {"subResource", attributes.subresource},
                       {"requestKind", gvk_json(attributes.kind)},
                       {"requestResource", where},
                       {"requestSubResource", attributes.subresource},
                       {"name", attributes.name},
                       {"namespace", attributes.ns},
                       {"operation", verb_text(attributes.verb)},
                       {"userInfo", user_info(attributes.user)},
                       {"dryRun", attributes.dry_run},
                       {"options", attributes.options}});
}

MatchConditions MatchConditions::read(const Json& conditions) {
  MatchConditions out;
  for (const Json& entry : conditions.elements()) {
    Condition condition{std::string(entry["name"].as_string()), nullptr, ""};
    auto program = cel::compile(entry["expression"].as_string(), environment());
    if (program) {
      condition.program = *std::move(program);
    } else {
      condition.fault = "compilation failed: " + program.error().message();
    }
    out.conditions_.push_back(std::move(condition));
  }
  return out;
}

Result<bool> MatchConditions::hold(const AdmissionAttributes& attributes,
                                   const Authorizer& authorizer) const {
  const Json request = request_variable(attributes);
  const auto access = std::make_shared<RequestAccess>(authorizer, attributes.user);
  cel::AccessQuery asked;
  asked.group = attributes.resource->group;
  asked.resource = attributes.resource->resource;
  asked.subresource = attributes.subresource;
  asked.ns = attributes.ns;
  asked.name = attributes.name;
  const cel::Binding bindings[] = {{"object", cel::Value::view(attributes.object)},
                                   {"oldObject", cel::Value::view(attributes.old_object)},
                                   {"request", cel::Value::view(request)},
                                   {"authorizer", cel::authorizer_value(access)},
                                   {"authorizer.requestResource", cel::resource_check_value(access, asked)}};
  cel::Budget budget(cel::kRequestCostLimit / 4);
  std::string faults;
  std::size_t count = 0;
  for (const Condition& condition : conditions_) {
    std::string fault = condition.fault;
    if (condition.program) {
      const auto verdict = condition.program->evaluate(bindings, budget);
      if (verdict && verdict->kind() == cel::Value::Kind::Bool) {
        if (!verdict->as_bool()) return false;
        continue;
      }
      fault = verdict ? "cel expression evaluates to something other than a bool" : verdict.error().message();
    }
    faults += (count++ == 0 ? "" : ", ") + std::string("expression '") +
              (condition.program ? condition.program->expression() : condition.name) +
              "' resulted in error: " + fault;
  }
  if (count == 0) return true;
  return Error(Code::Invalid, count == 1 ? faults : "[" + faults + "]");
}

}  // namespace flotilla::apiserver
