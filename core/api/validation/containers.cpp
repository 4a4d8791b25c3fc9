// SPDX-License-Identifier: Apache-2.0
// Containers of every sort: probes, handlers, ports, environment, mounts.
#include "core/api/validation/containers.hpp"

#include <algorithm>

#include "core/api/selector.hpp"

namespace flotilla::api::validation {
namespace {

bool header_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

void validate_http_get(const FieldView& http) {
  http["path"].require();
  validate_port(http["port"]);
  http["scheme"].one_of({"HTTP", "HTTPS"});
  for (const FieldView& header : http["httpHeaders"].each()) {
    if (header_name(header["name"].text())) continue;
    http.errors().invalid(http["httpHeaders"].path(), header["name"].text(),
                          "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. "
                          "'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')");
  }
}

void validate_sleep(const FieldView& sleep, const Json& grace) {
  const std::int64_t seconds = sleep["seconds"].number();
  if (!grace.is_int() || (seconds > 0 && seconds <= grace.as_int())) return;
  sleep.errors().invalid(sleep.path(), seconds,
                         "must be greater than 0 and less than terminationGracePeriodSeconds (" +
                             std::to_string(grace.as_int()) +
                             "). Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.");
}

void validate_handler(const FieldView& handler, bool probe, const Json& grace) {
  std::size_t handlers = 0;
  for (const std::string_view name : {"exec", "httpGet", "tcpSocket", "grpc", "sleep"}) {
    const FieldView one = handler[name];
    const bool fits = (name != "grpc" || probe) && (name != "sleep" || !probe);
    if (!one.value().is_object() || !fits) continue;
    if (++handlers > 1) {
      one.forbid("may not specify more than 1 handler type");
    } else if (name == "exec") {
      if (!one["command"].filled()) one.errors().required(one["command"].path());
    } else if (name == "httpGet") {
      validate_http_get(one);
    } else if (name == "sleep") {
      validate_sleep(one, grace);
    } else {
      validate_port(one["port"]);
    }
  }
  if (handlers == 0) handler.errors().required(handler.path(), "must specify a handler type");
}

enum class ProbeUse { Liveness, Readiness, Startup };

void validate_probe(const FieldView& probe, ProbeUse use) {
  if (!probe.value().is_object()) return;
  validate_handler(probe, true, Json());
  for (const std::string_view name :
       {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"}) {
    probe[name].not_negative();
  }
  const FieldView grace = probe["terminationGracePeriodSeconds"];
  const bool has_grace = !grace.value().is_null();
  if (has_grace && grace.number() <= 0) grace.invalid("must be greater than 0");
  if (use == ProbeUse::Readiness) {
    if (has_grace) grace.invalid("must not be set for readinessProbes");
  } else if (probe["successThreshold"].number(1) != 1) {
    probe["successThreshold"].invalid("must be 1");
  }
}

void validate_lifecycle(const FieldView& lifecycle, const Json& grace) {
  for (const std::string_view name : {"postStart", "preStop"}) {
    if (lifecycle[name].value().is_object()) validate_handler(lifecycle[name], false, grace);
  }
}

void validate_ports(const FieldView& ports) {
  std::set<std::string> names;
  for (const FieldView& port : ports.each()) {
    const FieldView name = port["name"];
    if (name.given() && name.messages(check_port_name(name.text())) &&
        !names.insert(std::string(name.text())).second) {
      name.errors().duplicate(name.path(), name.value());
    }
    if (port["containerPort"].number() == 0) {
      port.errors().required(port["containerPort"].path());
    } else {
      port["containerPort"].port_number();
    }
    if (port["hostPort"].number() != 0) port["hostPort"].port_number();
    port["protocol"].required_one_of({"SCTP", "TCP", "UDP"});
  }
}

void validate_host_ports(const FieldView& container, std::set<std::string>& taken) {
  for (const FieldView& port : container["ports"].each()) {
    const FieldView host = port["hostPort"];
    if (host.number() == 0) continue;
    const std::string key = std::string(port["protocol"].text()) + "/" + std::string(port["hostIP"].text()) +
                            "/" + std::to_string(host.number());
    if (!taken.insert(key).second) host.errors().duplicate(host.path(), key);
  }
}

void validate_key_ref(const FieldView& ref) {
  ref["name"].dns_subdomain();
  if (ref["key"].require()) ref["key"].messages(check_config_key(ref["key"].text()));
}

void validate_value_from(const FieldView& env) {
  const FieldView from = env["valueFrom"];
  if (!from.value().is_object()) return;
  std::size_t sources = 0;
  if (from["fieldRef"].value().is_object()) {
    ++sources;
    validate_field_ref(from["fieldRef"],
                       {"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
                        "spec.serviceAccountName", "status.hostIP", "status.podIP", "status.podIPs"});
  }
  if (from["resourceFieldRef"].value().is_object()) {
    ++sources;
    validate_resource_field_ref(from["resourceFieldRef"], false);
  }
  for (const std::string_view name : {"configMapKeyRef", "secretKeyRef"}) {
    if (!from[name].value().is_object()) continue;
    ++sources;
    validate_key_ref(from[name]);
  }
  FieldErrors& errors = from.errors();
  if (sources == 0) {
    errors.invalid(
        from.path(), "",
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
  } else if (env["value"].given()) {
    errors.invalid(from.path(), "", "may not be specified when `value` is not empty");
  } else if (sources > 1) {
    errors.invalid(from.path(), "", "may not have more than one field specified at a time");
  }
}

void validate_env(const FieldView& container) {
  for (const FieldView& one : container["env"].each()) {
    if (one["name"].require()) one["name"].messages(check_env_name(one["name"].text()));
    validate_value_from(one);
  }
  for (const FieldView& one : container["envFrom"].each()) {
    if (one["prefix"].given()) one["prefix"].messages(check_env_name(one["prefix"].text()));
    std::size_t sources = 0;
    for (const std::string_view name : {"configMapRef", "secretRef"}) {
      if (!one[name].value().is_object()) continue;
      ++sources;
      const FieldView referred = one[name]["name"];
      if (referred.require()) referred.messages(check_dns_subdomain(referred.text(), true));
    }
    const std::string path = container["envFrom"].path();
    if (sources == 0) {
      one.errors().invalid(path, "", "must specify one of: `configMapRef` or `secretRef`");
    } else if (sources > 1) {
      one.errors().invalid(path, "", "may not have more than one field specified at a time");
    }
  }
}

bool has_named(const FieldView& list, std::string_view field, std::string_view value) {
  const auto all = list.value().elements();
  return std::any_of(all.begin(), all.end(),
                     [&](const Json& one) { return one[field].as_string() == value; });
}

void validate_propagation(const FieldView& mount, const FieldView& container, const std::string& path) {
  const FieldView mode(mount["mountPropagation"].value(), path, mount.errors());
  if (mode.value().is_null()) return;
  if (!mode.one_of({"Bidirectional", "HostToContainer", "None"})) return;
  const bool privileged = container["securityContext"]["privileged"].value().as_bool();
  if (mode.text() == "Bidirectional" && !privileged)
    mode.forbid("Bidirectional mount propagation is available only to privileged containers");
}

void validate_mounts(const FieldView& container, const Volumes& volumes) {
  const FieldView mounts = container["volumeMounts"], devices = container["volumeDevices"];
  FieldErrors& errors = mounts.errors();
  std::set<std::string> paths;
  for (const FieldView& one : mounts.each()) {
    const FieldView name = one["name"], path = one["mountPath"];
    name.require();
    if (!volumes.contains(name.text())) errors.not_found(name.path(), name.text());
    path.require();
    if (!paths.insert(std::string(path.text())).second) path.invalid("must be unique");
    if (has_named(devices, "name", name.text()))
      errors.invalid(name.path(), name.text(), "must not already exist in volumeDevices");
    if (has_named(devices, "devicePath", path.text()))
      errors.invalid(path.path(), path.text(), "must not already exist as a path in volumeDevices");
    // Kubernetes leaves the index out of the next three paths.
    const std::string sub = at_field(mounts.path(), "subPath");
    if (one["subPath"].given()) validate_local_path(errors, sub, one["subPath"].text(), false);
    const FieldView expression = one["subPathExpr"];
    if (expression.given()) {
      if (one["subPath"].given()) expression.invalid("subPathExpr and subPath are mutually exclusive");
      validate_local_path(errors, at_field(mounts.path(), "subPathExpr"), expression.text(), false);
    }
    validate_propagation(one, container, at_field(mounts.path(), "mountPropagation"));
  }
}

void validate_devices(const FieldView& container, const Volumes& volumes) {
  const FieldView mounts = container["volumeMounts"];
  std::set<std::string> names, paths;
  for (const FieldView& one : container["volumeDevices"].each()) {
    const FieldView name = one["name"], path = one["devicePath"];
    FieldErrors& errors = one.errors();
    name.require();
    if (names.contains(std::string(name.text()))) name.invalid("must be unique");
    const auto volume = volumes.find(name.text());
    if (volume == volumes.end()) {
      errors.not_found(name.path(), name.text());
    } else if (!volume->second->contains("persistentVolumeClaim") && !volume->second->contains("ephemeral")) {
      name.invalid("can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
    }
    path.require();
    const std::string text(path.text());
    const bool backstep = ("/" + text + "/").find("/../") != std::string::npos;
    if (paths.contains(text)) path.invalid("must be unique");
    if (backstep) {
      path.invalid("can not contain backsteps ('..')");
    } else {
      paths.insert(text);
    }
    if (has_named(mounts, "name", name.text())) name.invalid("must not already exist in volumeMounts");
    if (has_named(mounts, "mountPath", path.text()))
      path.invalid("must not already exist as a path in volumeMounts");
    if (name.given()) names.insert(std::string(name.text()));
  }
}

void validate_resize_policies(const FieldView& one) {
  const FieldView policies = one["resizePolicy"];
  std::set<std::string_view> seen;
  for (const FieldView& policy : policies.each()) {
    const FieldView resource(policy["resourceName"].value(), policies.path(), policies.errors());
    const FieldView restart(policy["restartPolicy"].value(), policies.path(), policies.errors());
    if (!seen.insert(resource.text()).second) policies.errors().duplicate(policy.path(), resource.value());
    resource.required_one_of({"cpu", "memory"});
    restart.required_one_of({"NotRequired", "RestartContainer"});
  }
}

// What all containers have in common; their names are looked at by the caller.
void validate_common(const FieldView& one, const Volumes& volumes) {
  const FieldView name = one["name"], image = one["image"];
  if (name.require()) name.dns_label();
  image.require();
  one["terminationMessagePolicy"].required_one_of({"File", "FallbackToLogsOnError"});
  validate_ports(one["ports"]);
  validate_env(one);
  validate_mounts(one, volumes);
  validate_devices(one, volumes);
  one["imagePullPolicy"].required_one_of({"Always", "IfNotPresent", "Never"});
  validate_container_resources(one["resources"]);
  validate_resize_policies(one);
  validate_container_security(one["securityContext"]);
}

void unique_name(const FieldView& name, std::set<std::string>& names) {
  if (!names.insert(std::string(name.text())).second) name.errors().duplicate(name.path(), name.text());
}

void validate_init_container(const FieldView& one, const FieldView& list, std::set<std::string>& names,
                             const Volumes& volumes, const Json& grace) {
  const FieldView restart = one["restartPolicy"];
  const bool sidecar = restart.text() == "Always";
  validate_common(one, volumes);
  if (restart.given()) restart.one_of({"Always"});
  unique_name(one["name"], names);
  std::set<std::string> own_ports;
  validate_host_ports(FieldView(one.value(), list.path() + "[0]", one.errors()), own_ports);
  if (sidecar) {
    validate_lifecycle(one["lifecycle"], grace);
    validate_probe(one["livenessProbe"], ProbeUse::Liveness);
    validate_probe(one["readinessProbe"], ProbeUse::Readiness);
    validate_probe(one["startupProbe"], ProbeUse::Startup);
    return;
  }
  for (const std::string_view name : {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"}) {
    if (!one[name].value().is_null()) one[name].forbid("may not be set for init containers");
  }
}

void validate_ephemeral_container(const FieldView& one, std::set<std::string>& names,
                                  const std::set<std::string>& others, const Volumes& volumes) {
  validate_common(one, volumes);
  validate_image_space(one["image"]);
  unique_name(one["name"], names);
  const FieldView target = one["targetContainerName"];
  if (target.given() && !others.contains(std::string(target.text())))
    target.errors().not_found(target.path(), target.value());
  constexpr std::string_view kText = "cannot be set for an Ephemeral Container";
  for (const std::string_view name : {"ports", "resources", "livenessProbe", "readinessProbe", "startupProbe",
                                      "lifecycle", "restartPolicy", "resizePolicy"}) {
    if (!one[name].value().empty()) one[name].forbid(kText);
  }
  for (const FieldView& mount : one["volumeMounts"].each()) {
    for (const std::string_view name : {"subPath", "subPathExpr"}) {
      if (mount[name].given()) mount[name].forbid(kText);
    }
  }
}

}  // namespace

void validate_port(const FieldView& port) {
  if (port.value().is_string()) {
    port.messages(check_port_name(port.text()));
  } else if (port.number() < 1 || port.number() > 65535) {
    port.errors().invalid(port.path(), port.number(), "must be between 1 and 65535, inclusive");
  }
}

void validate_image_space(const FieldView& image) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::string_view text = image.text();
  if (text.empty() || (kSpace.find(text.front()) == kSpace.npos && kSpace.find(text.back()) == kSpace.npos))
    return;
  image.invalid("must not have leading or trailing whitespace");
}

void validate_annotation_keys(const FieldView& annotations) {
  for (const auto& [key, value] : annotations.value().members()) {
    std::string lower(key);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
    for (const std::string& one : check_qualified_name(lower))
      annotations.errors().invalid(annotations.path(), key, one);
  }
}

void validate_containers(const FieldView& spec, const Volumes& volumes) {
  std::set<std::string> names, host_ports;
  const FieldView containers = spec["containers"];
  const Json& grace = spec["terminationGracePeriodSeconds"].value();
  if (!containers.filled()) containers.errors().required(containers.path());
  for (const FieldView& one : containers.each()) {
    validate_common(one, volumes);
    unique_name(one["name"], names);
    validate_lifecycle(one["lifecycle"], grace);
    validate_probe(one["livenessProbe"], ProbeUse::Liveness);
    validate_probe(one["readinessProbe"], ProbeUse::Readiness);
    validate_probe(one["startupProbe"], ProbeUse::Startup);
    if (one["restartPolicy"].given()) one["restartPolicy"].forbid("may not be set for non-init containers");
  }
  for (const FieldView& one : containers.each()) validate_host_ports(one, host_ports);
  for (const FieldView& one : spec["initContainers"].each())
    validate_init_container(one, spec["initContainers"], names, volumes, grace);
  const std::set<std::string> others = names;
  for (const FieldView& one : spec["ephemeralContainers"].each())
    validate_ephemeral_container(one, names, others, volumes);
}

}  // namespace flotilla::api::validation
