// SPDX-License-Identifier: Apache-2.0
// Bindings, the quotas they are counted against, and taint policies.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/api/admission/rules.hpp"
#include "core/api/karmada.hpp"
#include "core/api/quota_usage.hpp"
#include "core/api/resource_list.hpp"
#include "core/api/selector.hpp"
#include "core/api/taint.hpp"

namespace flotilla::api {

namespace {

constexpr std::size_t kMaxQuotaName = 63;

Status enforce_quotas(const Admission& admission) {
  const AdmissionRequest& request = admission.request;
  Result<ResourceList> change = quota_change(request.old_object["spec"], request.object["spec"]);
  if (!change) return std::move(change).context("federated quota");
  const Json& metadata = admission.request.object["metadata"];
  std::string_view name_space = metadata["namespace"].as_string();
  std::vector<Json> charged;
  for (const Json& quota : admission.world.list(versions::kPolicy, "FederatedResourceQuota", name_space)) {
    Result<Json> result = charge_quota(quota, *change);
    if (!result) return std::move(result).error();
    if (!result->is_null()) charged.push_back(std::move(*result));
  }
  for (const Json& quota : charged) {
    Status written = admission.world.update_status(quota);
    if (written) continue;
    return internal("Internal error occurred: permanent error updating FRQ statuses for RB " +
                    std::string(name_space) + "/" + std::string(metadata["name"].as_string()) + ": " +
                    written.error().message());
  }
  return {};
}

void review_dependencies(const Json& object, FieldErrors& errors) {
  const Json& text = object.at({"metadata", "annotations"})[annotations::kDependencies];
  if (text.is_null()) return;
  Result<Json> list = Json::parse(text.as_string());
  if (list && (list->is_array() || list->is_null())) return;
  errors.invalid("metadata.annotations." + std::string(annotations::kDependencies), text,
                 "annotation value must be a valid JSON");
}

void review_components(const Json& components, FieldErrors& errors) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < components.size(); ++i) {
    const Json& name = components.element(i)["name"];
    std::string field = at_index("spec.components", i) + ".name";
    if (name.as_string().empty()) {
      errors.invalid(field, name, "component names must be non-empty");
    } else if (!names.insert(name.as_string()).second) {
      errors.duplicate(field, name);
    }
  }
}

void review_quota_resource(const std::string& field, std::string_view name, FieldErrors& errors) {
  invalid_each(errors, field, name, validate_label_key(name));
  if (name.find('/') != std::string_view::npos) return;
  if (is_standard_resource(name)) return;
  errors.invalid(field, name, "must be a standard resource type or fully qualified");
  errors.invalid(field, name, "must be a standard resource for quota");
}

ResourceList review_quota_amounts(const Json& amounts, const std::string& path, FieldErrors& errors) {
  ResourceList list;
  for (auto [name, value] : amounts.members()) {
    std::string field = path + "[" + std::string(name) + "]";
    review_quota_resource(field, name, errors);
    Result<Quantity> amount = Quantity::from_json(value);
    if (!amount) {
      errors.invalid(field, value, amount.error().message());
    } else if (amount->sign() < 0) {
      errors.invalid(field, value, "must be greater than or equal to 0");
    } else {
      list.set(name, *amount);
    }
  }
  return list;
}

}  // namespace

Status review_resource_binding(const Admission& admission) {
  FieldErrors errors;
  review_dependencies(admission.request.object, errors);
  review_components(admission.request.object.at({"spec", "components"}), errors);
  Status reviewed = denial(errors);
  if (!reviewed || !admission.options.federated_quota_enforcement) return reviewed;
  return enforce_quotas(admission);
}

Status review_resource_quota(const Admission& admission) {
  const Json& object = admission.request.object;
  FieldErrors errors;
  const Json& name = object.at({"metadata", "name"});
  if (name.as_string().size() > kMaxQuotaName) {
    errors.invalid("metadata.name", name, "must be no more than 63 characters");
  }
  ResourceList overall = review_quota_amounts(object.at({"spec", "overall"}), "spec.overall", errors);
  const Json& assignments = object.at({"spec", "staticAssignments"});
  ResourceList assigned;
  for (std::size_t i = 0; i < assignments.size(); ++i) {
    const Json& assignment = assignments.element(i);
    std::string path = at_index("spec.staticAssignments", i);
    const Json& cluster = assignment["clusterName"];
    invalid_each(errors, path + ".clusterName", cluster, check_cluster_name(cluster.as_string()));
    assigned.add(review_quota_amounts(assignment["hard"], path + ".hard", errors));
  }
  for (const auto& [resource, sum] : assigned.amounts()) {
    std::string field = "spec.overall[" + resource + "]";
    if (!overall.amounts().contains(resource)) {
      errors.invalid(field, resource, "assignment resources must be among the overall");
    } else if (sum > overall.amount(resource)) {
      errors.invalid(field, overall.amount(resource).to_string(), "overall is less than assignments");
    }
  }
  return denial(errors);
}

Status review_taint_policy(const Admission& admission) {
  const Json& taints = admission.request.object.at({"spec", "taints"});
  FieldErrors errors;
  for (std::size_t i = 0; i < taints.size(); ++i) {
    const Json& taint = taints.element(i);
    std::string_view effect = taint["effect"].as_string();
    if (effect == kNoExecute && !admission.options.allow_no_execute_taint_policy) {
      errors.forbidden(at_index("spec.taints", i),
                       "Configuring taint with NoExecute effect is not allowed, this capability must be "
                       "explicitly enabled by administrators through command-line flags");
    }
    for (const Json& later : taints.elements().subspan(i + 1)) {
      if (!is_same_taint(taint, later)) continue;
      errors.duplicate(at_index("spec.taints", i),
                       "Duplicate taint with the same key(" + std::string(taint["key"].as_string()) +
                           ") and effect(" + std::string(effect) + ") is not allowed");
    }
  }
  return denial(errors);
}

}  // namespace flotilla::api
