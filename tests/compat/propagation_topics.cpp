// SPDX-License-Identifier: Apache-2.0
// names, policy_match, preemption, binding_build, works, binding_status, member_update, event_filter: the way
// of one template from its policy to the members and back.
#include <algorithm>
#include <string>
#include <vector>

#include "core/api/names.hpp"
#include "core/api/object.hpp"
#include "core/controllers/binding/render_works.hpp"
#include "core/controllers/dispatch/member_update.hpp"
#include "core/controllers/propagation/build_binding.hpp"
#include "core/controllers/propagation/event_filter.hpp"
#include "core/controllers/propagation/policy_match.hpp"
#include "core/controllers/status/aggregate_works.hpp"
#include "core/interpreter/interpreter.hpp"
#include "core/overrides/apply.hpp"
#include "tests/compat/topic.hpp"
#include "tests/fakes/in_tree_overrides.hpp"

namespace flotilla::compat {
namespace {

using api::Json;

Json error_answer(const Error& error) {
  return Json::object({{"error", Json::object({{"message", error.message()}})}});
}

const interpreter::Interpreter& native() {
  static const interpreter::NativeInterpreter kNative;
  return kNative;
}

Json answer_names(const Json& input) {
  const std::string_view op = input["op"].as_string();
  const auto arg = [&](std::size_t index) { return input["args"].element(index).as_string(); };
  const auto result = [](Json value) { return Json::object({{"result", std::move(value)}}); };
  if (op == "bindingName") return result(api::binding_name(arg(0), arg(1)));
  if (op == "workName") return result(api::work_name(arg(0), arg(1), arg(2)));
  if (op == "bindingReferenceKey") return result(api::binding_reference_key(arg(0), arg(1)));
  if (op == "executionNamespace") return result(api::execution_namespace(arg(0)));
  if (op == "clusterOfExecutionNamespace") {
    auto cluster = api::cluster_of_execution_namespace(arg(0));
    return cluster ? result(*cluster) : error_answer(cluster.error());
  }
  if (op == "serviceAccountName") return result(api::service_account_name(arg(0)));
  if (op == "impersonationSecretName") return result(api::impersonation_secret_name(arg(0)));
  if (op == "roleName") return result(api::role_name(arg(0)));
  if (op == "endpointSliceName") return result(api::imported_endpoint_slice_name(arg(0), arg(1)));
  if (op == "derivedServiceName") return result(api::derived_service_name(arg(0)));
  if (op == "estimatorServiceName") return result(api::estimator_service_name(arg(0), arg(1)));
  if (op == "policyName") return result(api::promoted_policy_name(arg(0), arg(1), arg(2)));
  if (op == "isReservedNamespace") return result(api::is_reserved_namespace(arg(0)));
  return Json();
}

using PolicyList = std::vector<std::shared_ptr<const controllers::ClaimingPolicy>>;

PolicyList policies_in(const Json& list) {
  PolicyList policies;
  for (const Json& each : list.elements()) {
    policies.push_back(std::make_shared<controllers::ClaimingPolicy>(each));
  }
  return policies;
}

const Json& policy_of(const Json& input) {
  return input.contains("propagationPolicy") ? input["propagationPolicy"] : input["clusterPropagationPolicy"];
}

Json answer_policy_match(const Json& input) {
  const PolicyList local = policies_in(input["propagationPolicies"]);
  const PolicyList global = policies_in(input["clusterPropagationPolicies"]);
  const controllers::ClaimingPolicy* chosen = controllers::choose_policy(input["template"], local, global);
  if (chosen == nullptr) return Json::object({{"claimedBy", nullptr}});
  Json claimed =
      Json::object({{"kind", chosen->cluster_scoped() ? std::string_view("ClusterPropagationPolicy")
                                                      : "PropagationPolicy"},
                    {"name", chosen->name()}});
  if (!chosen->cluster_scoped()) claimed.set("namespace", chosen->name_space());
  return Json::object({{"claimedBy", std::move(claimed)}});
}

Json answer_preemption(const Json& input) {
  PolicyList others = policies_in(input["propagationPolicies"]);
  for (auto& policy : policies_in(input["clusterPropagationPolicies"])) others.push_back(policy);
  const auto find = [&](const std::string& ns,
                        const std::string& name) -> const controllers::ClaimingPolicy* {
    const auto found = std::find_if(others.begin(), others.end(), [&](const auto& policy) {
      return policy->name_space() == ns && policy->name() == name;
    });
    return found == others.end() ? nullptr : found->get();
  };
  const controllers::ClaimingPolicy policy(policy_of(input));
  Json object = input["template"];
  auto takes = controllers::preempts(policy, object, find);
  if (!takes) return error_answer(takes.error());
  if (*takes) controllers::set_claim(object, policy.claim());
  return Json::object({{"preempted", *takes},
                       {"labels", std::as_const(object).at({"metadata", "labels"})},
                       {"annotations", std::as_const(object).at({"metadata", "annotations"})}});
}

Json answer_binding_build(const Json& input) {
  const auto find_priority_class = [&](const std::string& name) -> Result<std::int64_t> {
    for (const Json& each : input["existing"].elements()) {
      if (each["kind"].as_string() == "PriorityClass" && api::name_of(each) == name)
        return each["value"].as_int();
    }
    return not_found("priorityclasses.scheduling.k8s.io \"" + name + "\" not found");
  };
  const Json& policy = policy_of(input);
  auto binding = controllers::build_binding(input["template"], policy, native(), find_priority_class);
  if (!binding) return error_answer(binding.error());
  Json object = input["template"];
  controllers::set_claim(object, controllers::claim_by(policy));
  return Json::object(
      {{"binding", std::move(*binding)},
       {"claimedTemplateLabels", std::as_const(object).at({"metadata", "labels"})},
       {"claimedTemplateAnnotations", std::as_const(object).at({"metadata", "annotations"})}});
}

std::vector<std::shared_ptr<const overrides::CompiledPolicy>> override_policies_in(const Json& list) {
  std::vector<std::shared_ptr<const overrides::CompiledPolicy>> policies;
  for (const Json& policy : list.elements()) {
    policies.push_back(std::make_shared<overrides::CompiledPolicy>(policy, fakes::in_tree_overrides()));
  }
  return policies;
}

const Json& binding_of(const Json& input) {
  return input.contains("resourceBinding") ? input["resourceBinding"] : input["clusterResourceBinding"];
}

Json answer_works(const Json& input) {
  const auto find_cluster = [&](std::string_view name) -> const Json* {
    for (const Json& cluster : input["clusters"].elements()) {
      if (api::name_of(cluster) == name) return &cluster;
    }
    return nullptr;
  };
  const auto cluster_policies = override_policies_in(input["clusterOverridePolicies"]);
  const auto policies = override_policies_in(input["overridePolicies"]);
  controllers::Rendered rendered = controllers::render_works(
      {binding_of(input), input["template"], find_cluster, cluster_policies, policies, native()});
  std::sort(rendered.works.begin(), rendered.works.end(),
            [](const auto& a, const auto& b) { return a.cluster < b.cluster; });
  Json works = Json::array();
  for (auto& each : rendered.works) {
    works.push_back(Json::object({{"metadata", each.work["metadata"]}, {"spec", each.work["spec"]}}));
  }
  Json answer = Json::object({{"works", std::move(works)}});
  for (const auto& failure : rendered.failures) {
    answer["error"] = Json::object({{"message", failure.error.message()}});
  }
  return answer;
}

Json answer_binding_status(const Json& input) {
  std::vector<const Json*> works;
  for (const Json& work : input["works"].elements()) works.push_back(&work);
  auto aggregated = controllers::aggregate_works(binding_of(input), works);
  if (!aggregated) return error_answer(aggregated.error());
  Json status = controllers::binding_status(binding_of(input), std::move(*aggregated), WallTime{});
  // The recordings leave the times out.
  for (Json& condition : status["conditions"].elements()) condition.erase("lastTransitionTime");
  return Json::object({{"status", std::move(status)}});
}

Json answer_member_update(const Json& input) {
  auto update = controllers::plan_member_update(input["cluster"].as_string(), input["desired"],
                                                input["observed"], native());
  if (!update) return error_answer(update.error());
  if (!*update) return Json::object({{"action", "none"}});
  return Json::object({{"action", "update"}, {"object", std::move(**update)}});
}

Json answer_event_filter(const Json& input) {
  if (input["op"].as_string() == "changed") {
    return Json::object(
        {{"specificationChanged", controllers::specification_changed(input["old"], input["new"])},
         {"changedByKarmada", controllers::changed_by_karmada(input["old"], input["new"])}});
  }
  auto apis = controllers::SkippedApis::parse(input["skippedPropagatingAPIs"].as_string());
  if (!apis) return error_answer(apis.error());
  return Json::object({{"skipped", apis->contains(input["group"].as_string(), input["version"].as_string(),
                                                  input["kind"].as_string())}});
}

constexpr Topic kTopics[] = {
    {"names", answer_names},
    {"policy_match", answer_policy_match},
    {"preemption", answer_preemption},
    {"binding_build", answer_binding_build},
    {"works", answer_works},
    {"binding_status", answer_binding_status},
    {"member_update", answer_member_update},
    {"event_filter", answer_event_filter},
};

}  // namespace

std::span<const Topic> propagation_topics() {
  return kTopics;
}

}  // namespace flotilla::compat
