// SPDX-License-Identifier: Apache-2.0
// What of a member's status travels to the control plane. Counts of zero are left out where the API's own
// types leave them out.
#include <charconv>
#include <string>
#include <utility>

#include "core/api/karmada.hpp"
#include "core/interpreter/count_fields.hpp"
#include "core/interpreter/fields.hpp"
#include "core/interpreter/native_kinds.hpp"

namespace flotilla::interpreter {

namespace {

void copy_counts(FieldReader& status, std::span<const CountField> fields, api::Json& out) {
  for (const CountField& field : fields) set_count(out, field, status.count(field.name));
}

Result<api::Json> finish(const FieldReader& status, api::Json out) {
  Status read = status.ok();
  if (!read) return std::move(read).error();
  return out;
}

// The generation of the template that the manifest in the member was made from.
Result<std::int64_t> template_generation(const api::Json& object) {
  std::string_view text =
      object.at({"metadata", "annotations"})[api::annotations::kTemplateGeneration].as_string();
  std::int64_t generation = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), generation);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size()) {
    return invalid("annotation " + std::string(api::annotations::kTemplateGeneration) + ": parsing \"" +
                   std::string(text) + "\": invalid syntax");
  }
  return generation;
}

// Workloads tell which generations their counts are about, so that the counts of an old one are not taken for
// those of the current template.
Result<api::Json> reflect_workload(const api::Json& object, std::span<const CountField> fields,
                                   bool with_observed = true) {
  Result<const api::Json*> status = status_of(object);
  if (!status) return std::move(status).error();
  if ((*status)->is_null()) return api::Json();
  Result<std::int64_t> made_from = template_generation(object);
  if (!made_from) return std::move(made_from).error();
  api::Json out = api::Json::object();
  set_count(out, {"generation"}, object.at({"metadata", "generation"}).as_int());
  set_count(out, {"resourceTemplateGeneration"}, *made_from);
  FieldReader reader(**status, "status");
  copy_counts(reader, fields, out);
  if (with_observed) set_count(out, {"observedGeneration"}, reader.count("observedGeneration"));
  return finish(reader, std::move(out));
}

// Counts, and members that are copied as they are.
Result<api::Json> reflect_fields(const api::Json& object, std::span<const CountField> fields,
                                 std::initializer_list<std::string_view> copied) {
  Result<const api::Json*> status = status_of(object);
  if (!status) return std::move(status).error();
  if ((*status)->is_null()) return api::Json();
  api::Json out = api::Json::object();
  FieldReader reader(**status, "status");
  copy_counts(reader, fields, out);
  for (std::string_view name : copied) {
    const api::Json& value = (**status)[name];
    if (!value.is_null()) out.set(name, value);
  }
  return finish(reader, std::move(out));
}

}  // namespace

Result<api::Json> reflect_whole(const api::Json& object) {
  Result<const api::Json*> status = status_of(object);
  if (!status) return std::move(status).error();
  return api::Json(**status);
}

Result<api::Json> reflect_deployment(const api::Json& object) {
  return reflect_workload(object, kDeploymentCounts);
}

Result<api::Json> reflect_replica_set(const api::Json& object) {
  return reflect_workload(object, kReplicaSetCounts);
}

Result<api::Json> reflect_stateful_set(const api::Json& object) {
  return reflect_workload(object, kStatefulSetCounts, false);
}

Result<api::Json> reflect_daemon_set(const api::Json& object) {
  return reflect_workload(object, kDaemonSetCounts);
}

Result<api::Json> reflect_job(const api::Json& object) {
  return reflect_fields(object, kJobCounts, {"conditions", "startTime", "completionTime"});
}

Result<api::Json> reflect_service(const api::Json& object) {
  if (object.at({"spec", "type"}).as_string() != "LoadBalancer") return api::Json();
  return reflect_fields(object, {}, {"loadBalancer"});
}

Result<api::Json> reflect_disruption_budget(const api::Json& object) {
  return reflect_fields(object, kDisruptionBudgetCounts, {"disruptedPods"});
}

Result<api::Json> reflect_autoscaler(const api::Json& object) {
  return reflect_fields(object, kAutoscalerCounts, {});
}

}  // namespace flotilla::interpreter
