// SPDX-License-Identifier: Apache-2.0
// PodSpec and pod templates as a whole; parts are in containers.cpp, volumes.cpp and scheduling.cpp.
#include <charconv>
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

template <typename Visit>
void each_container(const FieldView& spec, Visit visit) {
  for (const std::string_view list : {"initContainers", "containers", "ephemeralContainers"}) {
    for (const FieldView& one : spec[list].each()) visit(one);
  }
}

void forbid_set(const FieldView& field) {
  const Json& value = field.value();
  if (value.is_null() ||
      (value.is_bool() && !value.as_bool() && field.path().find("host") != std::string::npos))
    return;
  field.forbid("cannot be set for a windows pod");
}

void validate_windows_pod(const FieldView& spec) {
  const FieldView context = spec["securityContext"];
  forbid_set(context["seLinuxOptions"]);
  for (const std::string_view name : {"hostPID", "hostIPC"}) forbid_set(spec[name]);
  for (const std::string_view name : {"seccompProfile", "fsGroup", "fsGroupChangePolicy"})
    forbid_set(context[name]);
  if (context["sysctls"].filled()) forbid_set(context["sysctls"]);
  forbid_set(spec["shareProcessNamespace"]);
  for (const std::string_view name : {"runAsUser", "runAsGroup", "supplementalGroups"})
    forbid_set(context[name]);
  each_container(spec, [](const FieldView& container) {
    for (const std::string_view name :
         {"seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
          "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup"}) {
      const FieldView field = container["securityContext"][name];
      if (!field.value().is_null()) field.forbid("cannot be set for a windows pod");
    }
  });
}

void validate_linux_pod(const FieldView& spec) {
  const auto check = [](const FieldView& holder) {
    const FieldView options = holder["securityContext"]["windowsOptions"];
    if (options.value().is_object()) options.forbid("windows options cannot be set for a linux pod");
  };
  check(spec);
  each_container(spec, check);
}

void validate_os(const FieldView& spec) {
  const FieldView os = spec["os"], name = os["name"];
  if (!os.value().is_object()) return;
  if (!name.given()) {
    name.require("cannot be empty");
  } else if (name.text() == "linux") {
    validate_linux_pod(spec);
  } else if (name.text() == "windows") {
    validate_windows_pod(spec);
  } else {
    os.errors().not_supported(os.path(), name.value(), {"linux", "windows"});
  }
}

// Containers that are processes of a Windows host: all of a pod or none.
void validate_host_process(const FieldView& spec) {
  const auto flag = [](const FieldView& holder) {
    return holder["securityContext"]["windowsOptions"]["hostProcess"];
  };
  const FieldView of_pod = flag(spec);
  std::size_t all = 0, host = 0;
  each_container(spec, [&](const FieldView& container) {
    const FieldView own = flag(container);
    ++all;
    const bool both = own.value().is_bool() && of_pod.value().is_bool();
    if (both && own.value().as_bool() != of_pod.value().as_bool()) {
      own.invalid(std::string("pod hostProcess value must be identical if both are specified, was ") +
                  (of_pod.value().as_bool() ? "true" : "false"));
    }
    host += (own.value().is_bool() ? own : of_pod).value().as_bool() ? 1 : 0;
  });
  if (host == 0) return;
  if (host != all) {
    spec.errors().invalid(
        spec.path(), "",
        "If pod contains any hostProcess containers then all containers must be HostProcess containers");
  }
  if (!spec["hostNetwork"].value().as_bool()) {
    spec.errors().invalid(spec["hostNetwork"].path(), false,
                          "hostNetwork must be true if pod contains any hostProcess containers");
  }
}

void validate_deletion_cost(const FieldView& cost) {
  const std::string_view text = cost.text();
  const bool first =
      !text.empty() && (text.front() == '-' || text == "0" || (text.front() >= '1' && text.front() <= '9'));
  std::int32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!first || read.ec != std::errc() || read.ptr != text.data() + text.size())
    cost.invalid("must be a 32bit integer");
}

void validate_seccomp_annotation(const FieldView& annotations, std::string_view key,
                                 std::string_view profile) {
  constexpr std::string_view kLocal = "localhost/";
  const std::string path = at_field(annotations.path(), key);
  if (profile == "runtime/default" || profile == "docker/default" || profile == "unconfined") return;
  if (profile.starts_with(kLocal)) {
    validate_local_path(annotations.errors(), path, profile.substr(kLocal.size()), false);
  } else {
    annotations.errors().invalid(path, profile, "must be a valid seccomp profile");
  }
}

void validate_apparmor_annotation(const FieldView& annotations, std::string_view key,
                                  std::string_view profile, const FieldView& spec) {
  const std::string_view container = key.substr(key.find('/') + 1);
  bool found = false;
  each_container(spec, [&](const FieldView& one) { found = found || one["name"].text() == container; });
  const std::string path = at_key(annotations.path(), key);
  if (!found) annotations.errors().invalid(path, container, "container not found");
  if (!profile.empty() && profile != "runtime/default" && profile != "unconfined" &&
      !profile.starts_with("localhost/")) {
    annotations.errors().invalid(path, profile, "invalid AppArmor profile name: " + go_quote(profile));
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

void validate_pod_spec(const FieldView& spec, std::string_view pod_name) {
  const Volumes volumes = validate_volumes(spec["volumes"], pod_name);
  validate_containers(spec, volumes);
  spec["restartPolicy"].required_one_of({"Always", "OnFailure", "Never"});
  spec["dnsPolicy"].required_one_of({"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"});
  validate_labels(spec["nodeSelector"]);
  validate_pod_security(spec);
  validate_affinity(spec["affinity"]);
  validate_dns(spec);
  validate_gates(spec);
  validate_topology_spread(spec["topologySpreadConstraints"]);
  validate_host_process(spec);
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

void validate_pod_annotations(const FieldView& annotations, const FieldView& spec) {
  constexpr std::string_view kMirror = "kubernetes.io/config.mirror",
                             kCost = "controller.kubernetes.io/pod-deletion-cost";
  FieldErrors& errors = annotations.errors();
  const Json& all = annotations.value();
  if (all.contains(kMirror) && !spec["nodeName"].given()) {
    errors.invalid(at_key(annotations.path(), kMirror), all[kMirror],
                   "must set spec.nodeName if mirror pod annotation is set");
  }
  if (all.contains(kCost))
    validate_deletion_cost(FieldView(all[kCost], at_key(annotations.path(), kCost), errors));
  for (const auto& [key, value] : all.members()) {
    if (key == "seccomp.security.alpha.kubernetes.io/pod" ||
        key.starts_with("container.seccomp.security.alpha.kubernetes.io/")) {
      validate_seccomp_annotation(annotations, key, value.as_string());
    } else if (key.starts_with("container.apparmor.security.beta.kubernetes.io/")) {
      validate_apparmor_annotation(annotations, key, value.as_string(), spec);
    }
  }
}

void validate_template_metadata(const FieldView& pod_template) {
  // Kubernetes leaves "metadata" out of these paths.
  FieldErrors& errors = pod_template.errors();
  const Json& metadata = pod_template.value()["metadata"];
  validate_labels(FieldView(metadata["labels"], at_field(pod_template.path(), "labels"), errors));
  validate_annotation_keys(
      FieldView(metadata["annotations"], at_field(pod_template.path(), "annotations"), errors));
  validate_pod_annotations(
      FieldView(metadata["annotations"], at_field(pod_template.path(), "annotations"), errors),
      pod_template["spec"]);
}

void validate_pod_template(const FieldView& pod_template) {
  validate_template_metadata(pod_template);
  validate_pod_spec(pod_template["spec"], {});
  if (pod_template["spec"]["ephemeralContainers"].filled())
    pod_template["spec"]["ephemeralContainers"].forbid("ephemeral containers not allowed in pod template");
}

void pod_template(const Subject& subject) {
  validate_pod_template(subject.object["template"]);
}

}  // namespace flotilla::api::validation
