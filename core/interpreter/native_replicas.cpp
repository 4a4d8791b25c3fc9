// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include "core/api/resource_list.hpp"
#include "core/interpreter/fields.hpp"
#include "core/interpreter/native_kinds.hpp"
#include "core/interpreter/pod_requirements.hpp"

namespace flotilla::interpreter {

namespace {

void set_unless_empty(api::Json& owner, std::string_view name, const api::Json& value) {
  if (!value.empty()) owner.set(name, value);
}

// Tolerations with what the API knows of them.
api::Json tolerations_of(const api::Json& pod_spec) {
  api::Json list = api::Json::array();
  for (const api::Json& toleration : pod_spec["tolerations"].elements()) {
    api::Json known = api::Json::object();
    for (std::string_view name : {"key", "operator", "value", "effect", "tolerationSeconds"}) {
      if (!toleration[name].is_null()) known.set(name, toleration[name]);
    }
    list.push_back(std::move(known));
  }
  return list;
}

api::Json node_claim(const api::Json& pod_spec) {
  api::Json claim = api::Json::object();
  const api::Json& affinity = pod_spec.at({"affinity", "nodeAffinity"});
  const api::Json& required = affinity["requiredDuringSchedulingIgnoredDuringExecution"];
  if (!required.is_null()) claim.set("hardNodeAffinity", required);
  set_unless_empty(claim, "nodeSelector", pod_spec["nodeSelector"]);
  set_unless_empty(claim, "tolerations", tolerations_of(pod_spec));
  return claim;
}

Result<Replicas> replicas_with(std::int64_t count, const api::Json& pod_template,
                               const NativeOptions& options) {
  Result<api::Json> requirements = pod_requirements(pod_template, options.resource_quota_estimate);
  if (!requirements) return std::move(requirements).error();
  return Replicas{count, std::move(*requirements)};
}

}  // namespace

Result<api::Json> pod_requirements(const api::Json& pod_template, bool with_priority_class) {
  const api::Json& spec = pod_template["spec"];
  Result<api::ResourceList> requests = api::pod_requests(spec, api::Limits::StandIn);
  if (!requests) return std::move(requests).context("pod template");
  api::Json requirements = api::Json::object();
  set_unless_empty(requirements, "nodeClaim", node_claim(spec));
  set_unless_empty(requirements, "resourceRequest", api::schedulable_amounts(*requests).to_json());
  if (requirements.empty()) return api::Json();
  if (with_priority_class && !spec["priorityClassName"].as_string().empty()) {
    requirements.set("priorityClassName", spec["priorityClassName"]);
  }
  return requirements;
}

Result<Replicas> replicas_of_workload(const api::Json& object, const NativeOptions& options) {
  FieldReader spec(object["spec"], "spec");
  std::int64_t count = spec.count("replicas");
  if (Status read = spec.ok(); !read) return std::move(read).error();
  return replicas_with(count, object.at({"spec", "template"}), options);
}

Result<Replicas> replicas_of_job(const api::Json& object, const NativeOptions& options) {
  FieldReader spec(object["spec"], "spec");
  std::int64_t count = spec.count("parallelism");
  count = std::min(count, spec.optional_count("completions").value_or(count));
  if (Status read = spec.ok(); !read) return std::move(read).error();
  return replicas_with(count, object.at({"spec", "template"}), options);
}

Result<Replicas> replicas_of_pod(const api::Json& object, const NativeOptions& options) {
  return replicas_with(1, object, options);
}

Result<api::Json> revise_field(const api::Json& object, std::string_view field, std::int64_t replicas) {
  FieldReader spec(object["spec"], "spec");
  std::optional<std::int64_t> current = spec.optional_count(field);
  if (Status read = spec.ok(); !read) return std::move(read).error();
  api::Json revised = object;
  if (current) revised["spec"].set(field, replicas);
  return revised;
}

}  // namespace flotilla::interpreter
