// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/containers.hpp"

#include <algorithm>

#include "core/api/quantity.hpp"
#include "core/api/selector.hpp"

namespace flotilla::api::validation {
namespace {

void validate_handler(const FieldView& handler, bool probe) {
  std::size_t handlers = 0;
  for (const std::string_view name : {"exec", "httpGet", "tcpSocket", "grpc"}) {
    if (!handler[name].value().is_object() || (name == "grpc" && !probe)) continue;
    if (++handlers > 1) handler[name].forbid("may not specify more than 1 handler type");
  }
  if (handlers == 0) handler.errors().required(handler.path(), "must specify a handler type");
  const FieldView http = handler["httpGet"];
  if (http.value().is_object()) {
    http["path"].require();
    if (http["scheme"].given()) http["scheme"].one_of({"HTTP", "HTTPS"});
  }
  const FieldView exec = handler["exec"];
  if (exec.value().is_object() && !exec["command"].filled())
    exec["command"].errors().required(exec["command"].path());
}

void validate_probe(const FieldView& probe, bool once) {
  if (!probe.value().is_object()) return;
  validate_handler(probe, true);
  for (const std::string_view name :
       {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"}) {
    probe[name].not_negative();
  }
  if (once && probe["successThreshold"].number(1) != 1) probe["successThreshold"].invalid("must be 1");
}

std::string_view of_ip(const FieldView& port) {
  return port["hostIP"].text();
}

void validate_ports(const FieldView& ports, bool host_network, std::set<std::string>& host_ports) {
  std::set<std::string> names;
  for (const FieldView& port : ports.each()) {
    const FieldView name = port["name"];
    if (name.given() && name.messages(check_port_name(name.text())) &&
        !names.insert(std::string(name.text())).second) {
      name.errors().duplicate(name.path(), name.value());
    }
    if (port["containerPort"].number() == 0) {
      port["containerPort"].errors().required(port["containerPort"].path());
    } else {
      port["containerPort"].port_number();
    }
    const FieldView host = port["hostPort"];
    if (host.number() != 0) host.port_number();
    port["protocol"].required_one_of({"SCTP", "TCP", "UDP"});
    if (host.number() != 0) {
      const std::string key = std::string(port["protocol"].text()) + "/" + std::string(of_ip(port)) + "/" +
                              std::to_string(host.number());
      if (!host_ports.insert(key).second) host.errors().duplicate(host.path(), key);
    }
    if (host_network && host.number() != port["containerPort"].number()) {
      port["containerPort"].invalid("must match `hostPort` when `hostNetwork` is true");
    }
  }
}

bool known_field_path(std::string_view path) {
  static constexpr std::string_view kKnown[] = {
      "metadata.name",           "metadata.namespace", "metadata.uid", "spec.nodeName",
      "spec.serviceAccountName", "status.hostIP",      "status.podIP", "status.podIPs"};
  if (std::find(std::begin(kKnown), std::end(kKnown), path) != std::end(kKnown)) return true;
  return path.starts_with("metadata.labels['") || path.starts_with("metadata.annotations['");
}

void validate_env(const FieldView& env) {
  for (const FieldView& one : env.each()) {
    if (one["name"].require()) one["name"].messages(check_env_name(one["name"].text()));
    const FieldView from = one["valueFrom"];
    if (!from.value().is_object()) continue;
    std::size_t sources = 0;
    for (const std::string_view name : {"fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"})
      sources += from[name].value().is_object() ? 1 : 0;
    if (sources == 0) {
      from.errors().invalid(
          from.path(), "",
          "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
    } else if (one["value"].given()) {
      from.errors().invalid(from.path(), "", "may not be specified when `value` is not empty");
    } else if (sources > 1) {
      from.errors().invalid(from.path(), "", "may not have more than one field specified at a time");
    }
    const FieldView path = from["fieldRef"]["fieldPath"];
    if (from["fieldRef"].value().is_object() && path.require() && !known_field_path(path.text())) {
      path.invalid("error converting fieldPath: field label not supported: " + std::string(path.text()));
    }
    for (const std::string_view name : {"configMapKeyRef", "secretKeyRef"}) {
      const FieldView ref = from[name];
      if (!ref.value().is_object()) continue;
      if (ref["key"].require()) ref["key"].messages(check_config_key(ref["key"].text()));
    }
  }
}

void validate_mounts(const FieldView& mounts, const std::set<std::string>& volumes) {
  std::set<std::string> paths;
  for (const FieldView& one : mounts.each()) {
    if (!one["name"].require()) continue;
    if (!volumes.contains(std::string(one["name"].text())))
      one["name"].errors().not_found(one["name"].path(), one["name"].value());
    const FieldView path = one["mountPath"];
    if (!path.require()) continue;
    if (!paths.insert(std::string(path.text())).second) path.invalid("must be unique");
    if (one["subPath"].text().find("..") != std::string_view::npos)
      one["subPath"].invalid("must not contain '..'");
  }
}

bool standard_container_resource(std::string_view name) {
  return name == "cpu" || name == "memory" || name == "ephemeral-storage" || name.starts_with("hugepages-");
}

void validate_resource_name(const FieldView& list, std::string_view name, const std::string& path) {
  FieldErrors& errors = list.errors();
  for (const std::string& message : check_qualified_name(name)) errors.invalid(path, name, message);
  if (name.find('/') != name.npos || standard_container_resource(name)) return;
  errors.invalid(path, name, "must be a standard resource type or fully qualified");
  errors.invalid(path, name, "must be a standard resource for containers");
}

void validate_quantity(const FieldView& list, std::string_view name, const Json& value,
                       const std::string& path) {
  auto quantity = Quantity::from_json(value);
  if (!quantity) return;
  if (quantity->sign() < 0) list.errors().invalid(path, value, "must be greater than or equal to 0");
  const bool whole = name.find('/') != name.npos || name.starts_with("hugepages-");
  if (whole && quantity->milli_value() % 1000 != 0)
    list.errors().add_literal("FieldValueInvalid", path,
                              "Invalid value: " + go_quantity(value) + ": must be an integer");
}

void validate_container_base(const FieldView& one, std::set<std::string>& names,
                             const std::set<std::string>& volumes, const FieldView& spec,
                             std::set<std::string>& host_ports) {
  const FieldView name = one["name"], image = one["image"];
  if (name.require() && name.dns_label() && !names.insert(std::string(name.text())).second) {
    name.errors().duplicate(name.path(), name.value());
  }
  if (image.require()) {
    const std::string_view text = image.text();
    const bool trimmed =
        text.front() != ' ' && text.back() != ' ' && text.front() != '\t' && text.back() != '\t';
    if (!trimmed) image.invalid("must not have leading or trailing whitespace");
  }
  if (one["terminationMessagePolicy"].given())
    one["terminationMessagePolicy"].one_of({"File", "FallbackToLogsOnError"});
  validate_ports(one["ports"], spec["hostNetwork"].value().as_bool(), host_ports);
  validate_env(one["env"]);
  validate_mounts(one["volumeMounts"], volumes);
  if (one["imagePullPolicy"].given()) one["imagePullPolicy"].one_of({"Always", "IfNotPresent", "Never"});
  validate_container_resources(one["resources"]);
}

void validate_lifecycle(const FieldView& lifecycle) {
  for (const std::string_view name : {"postStart", "preStop"}) {
    if (lifecycle[name].value().is_object()) validate_handler(lifecycle[name], false);
  }
}

}  // namespace

void validate_annotation_keys(const FieldView& annotations) {
  for (const auto& [key, value] : annotations.value().members()) {
    std::string lower(key);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
    for (const std::string& one : check_qualified_name(lower))
      annotations.errors().invalid(annotations.path(), key, one);
  }
}

void validate_container_resources(const FieldView& resources) {
  bool huge = false, cpu_or_memory = false;
  const Json& limits = resources.value()["limits"];
  for (const std::string_view which : {"limits", "requests"}) {
    const FieldView list = resources[which];
    for (const auto& [name, value] : list.value().members()) {
      const std::string path = at_key(list.path(), name);
      huge = huge || name.starts_with("hugepages-");
      cpu_or_memory = cpu_or_memory || name == "cpu" || name == "memory";
      validate_resource_name(list, name, path);
      validate_quantity(list, name, value, path);
      if (which != "requests") continue;
      auto request = Quantity::from_json(value);
      const Json* bound = limits.find(name);
      auto limit = Quantity::from_json(bound ? *bound : value);
      const bool exact = name.find('/') != name.npos || name.starts_with("hugepages-");
      if (!request || !limit) continue;
      if (exact && !(*request == *limit)) {
        list.errors().invalid(list.path(), value, "must be equal to " + std::string(name) + " limit");
      } else if (*request > *limit) {
        list.errors().invalid(list.path(), value,
                              "must be less than or equal to " + std::string(name) + " limit");
      }
    }
  }
  if (huge && !cpu_or_memory) resources.forbid("HugePages require cpu or memory");
}

void validate_containers(const FieldView& spec, const std::set<std::string>& volumes) {
  std::set<std::string> names, host_ports;
  const FieldView containers = spec["containers"];
  if (!containers.filled()) containers.errors().required(containers.path());
  for (const FieldView& one : containers.each()) {
    validate_container_base(one, names, volumes, spec, host_ports);
    validate_lifecycle(one["lifecycle"]);
    validate_probe(one["livenessProbe"], true);
    validate_probe(one["readinessProbe"], false);
    validate_probe(one["startupProbe"], true);
  }
  for (const FieldView& one : spec["initContainers"].each()) {
    std::set<std::string> own_ports;
    validate_container_base(one, names, volumes, spec, own_ports);
    for (const std::string_view name : {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"}) {
      if (!one[name].value().is_null()) one[name].forbid("may not be set for init containers");
    }
  }
  for (const FieldView& one : spec["ephemeralContainers"].each()) {
    std::set<std::string> own_ports;
    validate_container_base(one, names, volumes, spec, own_ports);
  }
}

}  // namespace flotilla::api::validation
