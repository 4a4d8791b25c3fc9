// SPDX-License-Identifier: Apache-2.0
// PodSpec and pod templates as a whole; parts are in containers.cpp, volumes.cpp and scheduling.cpp.
#include <set>

#include "core/api/selector.hpp"
#include "core/api/validation/containers.hpp"
#include "core/api/validation/kinds.hpp"
#include "core/api/validation/network.hpp"

namespace flotilla::api::validation {
namespace {

void validate_host_aliases(const FieldView& aliases) {
  FieldErrors& errors = aliases.errors();
  for (const FieldView& one : aliases.each()) {
    if (!is_ip(one["ip"].text()))
      errors.invalid(aliases.path() + ".ip", one["ip"].text(), "must be valid IP address");
    for (const FieldView& name : one["hostnames"].each()) {
      for (const std::string& message : check_dns_subdomain(name.text()))
        errors.invalid(aliases.path() + ".hostnames", name.text(), message);
    }
  }
}

void validate_gates(const FieldView& spec) {
  for (const FieldView& one : spec["readinessGates"].each())
    one["conditionType"].messages(check_qualified_name(one["conditionType"].text()));
  std::set<std::string> names;
  for (const FieldView& one : spec["schedulingGates"].each()) {
    for (const std::string& message : check_qualified_name(one["name"].text()))
      one.errors().invalid(one.path(), one["name"].text(), message);
    if (!names.insert(std::string(one["name"].text())).second)
      one.errors().duplicate(one.path(), one["name"].value());
  }
}

void validate_overhead(const FieldView& overhead) {
  if (!overhead.filled()) return;
  const Json limits = Json::object({{"limits", overhead.value()}});
  validate_container_resources(FieldView(limits, overhead.path(), overhead.errors()));
}

void validate_os(const FieldView& spec) {
  const FieldView os = spec["os"];
  if (!os.value().is_object()) return;
  const FieldView name = os["name"];
  if (!name.require()) return;
  if (!name.one_of({"linux", "windows"}) || name.text() != "windows") return;
  for (const std::string_view field : {"hostPID", "hostIPC"}) {
    if (spec[field].value().as_bool())
      spec.errors().forbidden(at_field(spec["securityContext"].path(), field),
                              "cannot be set for a windows pod");
  }
  for (const std::string_view field : {"seLinuxOptions", "seccompProfile", "fsGroup", "sysctls", "runAsUser",
                                       "runAsGroup", "supplementalGroups", "fsGroupChangePolicy"}) {
    const FieldView one = spec["securityContext"][field];
    if (!one.value().is_null()) one.forbid("cannot be set for a windows pod");
  }
}

void validate_names(const FieldView& spec) {
  if (spec["serviceAccountName"].given()) spec["serviceAccountName"].dns_subdomain();
  if (spec["nodeName"].given()) spec["nodeName"].dns_subdomain();
  const FieldView deadline = spec["activeDeadlineSeconds"];
  if (!deadline.value().is_null() && (deadline.number() < 1 || deadline.number() > 2147483647))
    deadline.invalid("must be between 1 and 2147483647, inclusive");
  if (spec["hostname"].given()) spec["hostname"].dns_label();
  if (spec["subdomain"].given()) spec["subdomain"].dns_label();
}

}  // namespace

void validate_pod_spec(const FieldView& spec) {
  const Volumes volumes = validate_volumes(spec["volumes"]);
  validate_containers(spec, volumes);
  spec["restartPolicy"].required_one_of({"Always", "OnFailure", "Never"});
  spec["dnsPolicy"].required_one_of({"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"});
  validate_labels(spec["nodeSelector"]);
  validate_pod_security(spec);
  validate_affinity(spec["affinity"]);
  validate_dns(spec);
  validate_gates(spec);
  validate_topology_spread(spec["topologySpreadConstraints"]);
  validate_names(spec);
  validate_tolerations(spec["tolerations"]);
  validate_host_aliases(spec["hostAliases"]);
  if (spec["priorityClassName"].given()) spec["priorityClassName"].dns_subdomain();
  if (!spec["runtimeClassName"].value().is_null()) spec["runtimeClassName"].dns_subdomain();
  const FieldView preemption = spec["preemptionPolicy"];
  if (!preemption.value().is_null()) preemption.required_one_of({"PreemptLowerPriority", "Never"});
  validate_overhead(spec["overhead"]);
  validate_os(spec);
}

void validate_pod_template(const FieldView& pod_template) {
  // Kubernetes leaves "metadata" out of these two paths.
  FieldErrors& errors = pod_template.errors();
  const Json& metadata = pod_template.value()["metadata"];
  validate_labels(FieldView(metadata["labels"], at_field(pod_template.path(), "labels"), errors));
  validate_annotation_keys(
      FieldView(metadata["annotations"], at_field(pod_template.path(), "annotations"), errors));
  validate_pod_spec(pod_template["spec"]);
  if (pod_template["spec"]["ephemeralContainers"].filled())
    pod_template["spec"]["ephemeralContainers"].forbid("ephemeral containers not allowed in pod template");
}

void pod_template(const Subject& subject) {
  validate_pod_template(subject.object["template"]);
}

}  // namespace flotilla::api::validation
