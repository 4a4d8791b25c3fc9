// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "core/api/admission/rules.hpp"
#include "core/api/karmada.hpp"
#include "core/api/selector.hpp"

namespace flotilla::api {

namespace {

constexpr std::string_view kGracefully = "Gracefully";

Error denied(std::string text) {
  return Error(Code::Forbidden, std::move(text));
}

void review_qualified_name(const std::string& field, const Json& name, FieldErrors& errors) {
  invalid_each(errors, field, name, validate_label_key(name.as_string()));
}

bool may_overflow(const Json& placement) {
  const Json& scheduling = placement["replicaScheduling"];
  if (scheduling["replicaSchedulingType"].as_string() != "Divided") return false;
  return scheduling["replicaDivisionPreference"].as_string() == "Aggregated" ||
         !scheduling.at({"weightPreference", "dynamicWeight"}).as_string().empty();
}

bool has_inline_affinity(const Json& term) {
  return !term["labelSelector"].is_null() || !term["fieldSelector"].is_null() ||
         !term["clusterNames"].empty() || !term["exclude"].empty();
}

void review_overflow(const Json& term, const std::string& path, bool may, FieldErrors& errors) {
  const Json& overflow = term["overflowAffinities"];
  if (overflow.empty()) return;
  std::string list = path + ".overflowAffinities";
  if (!may) {
    errors.invalid(
        list, overflow,
        "overflowAffinities can only be used together with dynamic weight or aggregated scheduling");
  }
  if (!has_inline_affinity(term)) {
    errors.invalid(list, overflow,
                   "overflowAffinities can only be used together with the inline ClusterAffinity");
  }
  std::set<std::string_view> names = {term["affinityName"].as_string()};
  for (std::size_t i = 0; i < overflow.size(); ++i) {
    const Json& next = overflow.element(i);
    std::string place = at_index(list, i);
    review_qualified_name(place + ".affinityName", next["affinityName"], errors);
    if (!names.insert(next["affinityName"].as_string()).second) {
      errors.invalid(place + ".affinityName", next["affinityName"],
                     "overflow affinity name must be unique and must not duplicate the primary group's "
                     "affinityName");
    }
    review_cluster_affinity(next, place, errors);
  }
}

void review_affinity_terms(const Json& placement, const std::string& path, FieldErrors& errors) {
  const Json& terms = placement["clusterAffinities"];
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const Json& term = terms.element(i);
    std::string place = at_index(path, i);
    review_qualified_name(place, term["affinityName"], errors);
    if (!names.insert(term["affinityName"].as_string()).second) {
      errors.invalid(path, terms, "each affinity term in a policy must have a unique name");
    }
    review_cluster_affinity(term, place, errors);
    review_overflow(term, place, may_overflow(placement), errors);
  }
}

void review_spread_constraint(const Json& constraint, const std::string& place, FieldErrors& errors) {
  std::int64_t min = constraint["minGroups"].as_int();
  std::int64_t max = constraint["maxGroups"].as_int();
  if (!constraint["spreadByField"].as_string().empty() && !constraint["spreadByLabel"].as_string().empty()) {
    errors.invalid(place, constraint, "spreadByLabel should not co-exist with spreadByField");
  }
  if (min < 0) errors.invalid(place, constraint, "minGroups lower than 0 is not allowed");
  if (max < 0) errors.invalid(place, constraint, "maxGroups lower than 0 is not allowed");
  if (max > 0 && max < min)
    errors.invalid(place, constraint, "maxGroups lower than minGroups is not allowed");
}

void review_spread_constraints(const Json& constraints, const std::string& path, FieldErrors& errors) {
  std::map<std::string_view, int> fields;
  for (std::size_t i = 0; i < constraints.size(); ++i) {
    const Json& constraint = constraints.element(i);
    review_spread_constraint(constraint, at_index(path, i), errors);
    std::string_view field = constraint["spreadByField"].as_string();
    if (field.empty() || ++fields[field] != 2) continue;
    errors.invalid(path, constraints,
                   "multiple " + std::string(field) + " spread constraints are not allowed");
  }
  if (!fields.empty() && !fields.contains("cluster")) {
    errors.invalid(path, constraints,
                   "the cluster spread constraint must be enabled in one of the constraints in case of "
                   "SpreadByField is enabled");
  }
}

void review_tolerations(const Json& tolerations, const std::string& path, FieldErrors& errors) {
  for (std::size_t i = 0; i < tolerations.size(); ++i) {
    const Json& op = tolerations.element(i)["operator"];
    std::string_view text = op.as_string();
    if (text.empty() || text == "Exists" || text == "Equal") continue;
    errors.not_supported(at_index(path, i) + ".operator", op, {"", "Exists", "Equal"});
  }
}

void review_workload_affinity(const Json& affinity, const std::string& path, FieldErrors& errors) {
  for (std::string_view side : {"affinity", "antiAffinity"}) {
    if (affinity[side].is_null()) continue;
    review_qualified_name(path + "." + std::string(side) + ".groupByLabelKey",
                          affinity[side]["groupByLabelKey"], errors);
  }
  const Json& together = affinity["affinity"]["groupByLabelKey"];
  if (!together.is_null() && together == affinity["antiAffinity"]["groupByLabelKey"]) {
    errors.invalid(path, affinity, "affinity and antiAffinity must not use the same groupByLabelKey");
  }
}

void review_placement(const Json& placement, FieldErrors& errors) {
  const std::string path = "spec.placement";
  if (!placement["clusterAffinity"].is_null() && !placement["clusterAffinities"].is_null()) {
    errors.invalid(path, placement, "clusterAffinities cannot co-exist with clusterAffinity");
  }
  review_cluster_affinity(placement["clusterAffinity"], path + ".clusterAffinity", errors);
  review_affinity_terms(placement, path + ".clusterAffinities", errors);
  review_spread_constraints(placement["spreadConstraints"], path + ".spreadConstraints", errors);
  review_tolerations(placement["clusterTolerations"], path + ".clusterTolerations", errors);
  review_workload_affinity(placement["workloadAffinity"], path + ".workloadAffinity", errors);
}

void review_preserved_state(const Json& preservation, const std::string& path, FieldErrors& errors) {
  const Json& rules = preservation["rules"];
  for (std::size_t i = 0; i < rules.size(); ++i) {
    review_qualified_name(at_index(path + ".statePreservation.rules", i) + ".aliasLabelName",
                          rules.element(i)["aliasLabelName"], errors);
  }
}

void review_application_failover(const Json& application, FieldErrors& errors) {
  const std::string path = "spec.failover.application";
  const Json& toleration = application.at({"decisionConditions", "tolerationSeconds"});
  if (toleration.as_int() < 0) {
    errors.invalid(path + ".decisionConditions.tolerationSeconds", toleration,
                   "must be greater than or equal to 0");
  }
  const Json& grace = application["gracePeriodSeconds"];
  bool gracefully = application["purgeMode"].as_string() == kGracefully;
  if (!gracefully && !grace.is_null()) {
    errors.invalid(path + ".gracePeriodSeconds", grace, "only takes effect when purgeMode is gracefully");
  } else if (gracefully && grace.is_null()) {
    errors.invalid(path + ".gracePeriodSeconds", grace, "should not be empty when purgeMode is gracefully");
  } else if (gracefully && grace.as_int() <= 0) {
    errors.invalid(path + ".gracePeriodSeconds", grace, "must be greater than 0");
  }
  review_preserved_state(application["statePreservation"], path, errors);
}

void review_spec(const Json& spec, FieldErrors& errors) {
  review_placement(spec["placement"], errors);
  const Json& application = spec.at({"failover", "application"});
  if (!application.is_null()) {
    if (!spec["propagateDeps"].as_bool()) {
      errors.invalid("spec.propagateDeps", false, "application failover is set, propagateDeps must be true");
    }
    review_application_failover(application, errors);
  }
  review_preserved_state(spec.at({"failover", "cluster", "statePreservation"}), "spec.failover.cluster",
                         errors);
  const Json& selectors = spec["resourceSelectors"];
  for (std::size_t i = 0; i < selectors.size() && spec["preemption"].as_string() == "Always"; ++i) {
    if (!selectors.element(i)["name"].as_string().empty()) continue;
    errors.invalid(at_index("spec.resourceSelectors", i) + ".name", "",
                   "name can not be empty if preemption is Always, the empty name may cause unexpected "
                   "resources preemption");
  }
  const Json& suspension = spec["suspension"];
  if (suspension["dispatching"].as_bool() &&
      !suspension.at({"dispatchingOnClusters", "clusterNames"}).empty()) {
    errors.invalid("spec.suspension.suspension", suspension,
                   "suspension dispatching cannot co-exist with dispatchingOnClusters.clusterNames");
  }
}

// What may never change, and what admission itself has to have set. The rest is not looked at before.
Status review_identity(const Admission& admission, std::string_view id_label) {
  const Json& object = admission.request.object;
  const Json& old = admission.request.old_object;
  std::string label(id_label);
  std::string_view id = object.at({"metadata", "labels"})[id_label].as_string();
  if (admission.is_update()) {
    auto scheduler = [](const Json& policy) { return policy.at({"spec", "schedulerName"}).as_string(); };
    if (scheduler(object) != scheduler(old)) return denied("the schedulerName should not be updated");
    const Json& before = old.at({"metadata", "labels"})[id_label];
    if (!id.empty() && id != before.as_string()) {
      return denied("label " + label + " is immutable, it can only be set by the system during creation");
    }
  }
  if (!id.empty()) return {};
  return denied("label " + label +
                " is required, it should be set by the mutating admission webhook during creation");
}

}  // namespace

Status review_propagation_policy(const Admission& admission) {
  Status identity = review_identity(admission, labels::kPropagationPolicyId);
  if (!identity) return identity;
  FieldErrors errors;
  review_spec(admission.request.object["spec"], errors);
  review_selector_namespaces(admission.request.object, errors);
  return denial(errors);
}

Status review_cluster_propagation_policy(const Admission& admission) {
  Status identity = review_identity(admission, labels::kClusterPropagationPolicyId);
  if (!identity) return identity;
  FieldErrors errors;
  review_spec(admission.request.object["spec"], errors);
  return denial(errors);
}

void review_cluster_affinity(const Json& affinity, const std::string& path, FieldErrors& errors) {
  const Json& selector = affinity["fieldSelector"];
  std::string field = path + ".fieldSelector";
  for (const Json& expression : selector["matchExpressions"].elements()) {
    std::string_view key = expression["key"].as_string();
    if (key != "provider" && key != "region" && key != "zone") {
      errors.invalid(field, selector,
                     "unsupported key \"" + std::string(key) + "\", must be provider, region, or zone");
    }
    std::string_view op = expression["operator"].as_string();
    if (op != "In" && op != "NotIn") {
      errors.invalid(field, selector,
                     "unsupported operator \"" + std::string(op) + "\", must be In or NotIn");
    }
  }
}

void review_selector_namespaces(const Json& policy, FieldErrors& errors) {
  std::string_view home = policy.at({"metadata", "namespace"}).as_string();
  const Json& selectors = policy.at({"spec", "resourceSelectors"});
  for (std::size_t i = 0; i < selectors.size(); ++i) {
    std::string_view name_space = selectors.element(i)["namespace"].as_string();
    if (name_space == home) continue;
    errors.invalid(at_index("spec.resourceSelectors", i) + ".namespace", name_space,
                   "namespace of resource selector must be the same as the namespace of the policy");
  }
}

}  // namespace flotilla::api
