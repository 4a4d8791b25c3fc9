// SPDX-License-Identifier: Apache-2.0
// ConfigMap, Secret, Service.
#include <set>

#include "core/api/base64.hpp"
#include "core/api/patch/patch.hpp"
#include "core/api/validation/kinds.hpp"
#include "core/api/validation/network.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::int64_t kMaxDataBytes = 1048576;
constexpr std::string_view kRedacted = "<secret contents redacted>";

std::int64_t validate_keys(const FieldView& map) {
  std::int64_t total = 0;
  for (const auto& [key, value] : map.value().members()) {
    for (const std::string& one : check_config_key(key))
      map.errors().invalid(at_key(map.path(), key), key, one);
    total += static_cast<std::int64_t>(value.as_string().size());
  }
  return total;
}

void immutable_data(const Subject& subject, std::initializer_list<std::string_view> fields) {
  if (subject.creates() || !subject.live["immutable"].as_bool()) return;
  const FieldView flag = subject.object["immutable"];
  if (!flag.value().as_bool()) flag.forbid("field is immutable when `immutable` is set");
  for (const std::string_view name : fields) {
    const FieldView field = subject.object[name];
    if (!(field.value() == subject.live[name])) field.forbid("field is immutable when `immutable` is set");
  }
}

void validate_json_key(const FieldView& data, std::string_view key) {
  const std::string path = at_key(data.path(), key);
  if (!data.value().contains(key)) return data.errors().required(path);
  const std::string text = base64_decode(data.value()[key].as_string()).value_or("");
  if (!Json::parse(text)) data.errors().invalid(path, kRedacted, go_json_error(text));
}

void need_key(const FieldView& data, std::string_view key) {
  if (!data.value().contains(key)) data.errors().required(at_key(data.path(), key));
}

bool external(const FieldView& spec) {
  return spec["type"].text() == "ExternalName";
}

void validate_service_ports(const FieldView& spec) {
  const FieldView ports = spec["ports"];
  const bool headless = spec["clusterIP"].text() == "None";
  if (!ports.filled() && !headless && !external(spec)) ports.errors().required(ports.path());
  std::set<std::string> names, pairs;
  for (const FieldView& port : ports.each()) {
    const FieldView name = port["name"];
    if (!name.given()) {
      if (ports.size() > 1) name.require();
    } else if (name.dns_label() && !names.insert(std::string(name.text())).second) {
      name.errors().duplicate(name.path(), name.value());
    }
    port["port"].port_number();
    if (port["protocol"].require()) port["protocol"].one_of({"SCTP", "TCP", "UDP"});
    const FieldView target = port["targetPort"];
    if (target.value().is_string()) {
      target.messages(check_port_name(target.text()));
    } else if (target.number() < 1 || target.number() > 65535) {
      target.errors().invalid(target.path(), target.number(), "must be between 1 and 65535, inclusive");
    }
    const FieldView node_port = port["nodePort"];
    if (node_port.number() != 0 && spec["type"].text() == "ClusterIP")
      node_port.forbid("may not be used when `type` is 'ClusterIP'");
    if (node_port.number() != 0 && external(spec))
      node_port.forbid("may not be used when `type` is 'ExternalName'");
    const bool in_range = node_port.number() >= 30000 && node_port.number() <= 32767;
    if (node_port.number() != 0 && !in_range && spec["type"].text() != "ClusterIP" && !external(spec)) {
      node_port.invalid("provided port is not in the valid range. The range of valid ports is 30000-32767");
    }
  }
  std::size_t index = 0;
  for (const FieldView& port : ports.each()) {
    const std::string pair =
        std::string(port["protocol"].text()) + "/" + std::to_string(port["port"].number());
    if (!pairs.insert(pair).second) {
      port.errors().add_literal(
          "FieldValueDuplicate", at_index(ports.path(), index),
          "Duplicate value: core.ServicePort{Name:\"\", Protocol:" + go_quote(port["protocol"].text()) +
              ", AppProtocol:(*string)(nil), Port:" + std::to_string(port["port"].number()) +
              ", TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}, NodePort:0}");
    }
    ++index;
  }
}

void validate_service_addresses(const FieldView& spec) {
  const std::string_view type = spec["type"].text();
  const FieldView addresses = spec["clusterIPs"];
  if (external(spec)) {
    if (addresses.filled()) addresses.forbid("may not be set for ExternalName services");
    return;
  }
  std::size_t index = 0;
  for (const FieldView& one : addresses.each()) {
    const std::string_view text = one.text();
    if (text == "None") {
      if (index == 0 && (type == "NodePort" || type == "LoadBalancer")) {
        one.invalid("may not be set to 'None' for " + std::string(type) + " services");
      }
    } else if (!is_ip(text)) {
      one.invalid("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    }
    ++index;
  }
}

}  // namespace

void config_map(const Subject& subject) {
  const FieldView data = subject.object["data"], binary = subject.object["binaryData"];
  for (const auto& [key, value] : data.value().members()) {
    if (binary.value().contains(key))
      data.errors().invalid(at_key(data.path(), key), key, "duplicate of key present in binaryData");
  }
  const std::int64_t total = validate_keys(data) + validate_keys(binary) / 4 * 3;
  if (total > kMaxDataBytes) data.errors().too_long("", kMaxDataBytes);
  immutable_data(subject, {"data", "binaryData"});
}

void secret(const Subject& subject) {
  const FieldView data = subject.object["data"];
  if (validate_keys(data) / 4 * 3 > kMaxDataBytes) data.errors().too_long(data.path(), kMaxDataBytes);
  const std::string_view type = subject.object["type"].text();
  if (type == "kubernetes.io/service-account-token") {
    constexpr std::string_view kName = "kubernetes.io/service-account.name";
    if (subject.object["metadata"]["annotations"].value()[kName].as_string().empty()) {
      data.errors().required(at_key("metadata.annotations", kName));
    }
  } else if (type == "kubernetes.io/dockercfg") {
    validate_json_key(data, ".dockercfg");
  } else if (type == "kubernetes.io/dockerconfigjson") {
    validate_json_key(data, ".dockerconfigjson");
  } else if (type == "kubernetes.io/tls") {
    need_key(data, "tls.crt");
    need_key(data, "tls.key");
  } else if (type == "kubernetes.io/ssh-auth") {
    need_key(data, "ssh-privatekey");
  } else if (type == "kubernetes.io/basic-auth" && !data.value().contains("username") &&
             !data.value().contains("password")) {
    need_key(data, "username");
    need_key(data, "password");
  }
  if (!subject.creates()) subject.object["type"].immutable(subject.live["type"]);
  immutable_data(subject, {"data"});
}

void service(const Subject& subject) {
  const FieldView spec = subject.spec();
  const FieldView type = spec["type"];
  validate_service_ports(spec);
  validate_labels(spec["selector"]);
  const FieldView affinity = spec["sessionAffinity"];
  if (affinity.require()) affinity.one_of({"ClientIP", "None"});
  const FieldView timeout = spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"];
  if (!timeout.value().is_null() && (timeout.number() <= 0 || timeout.number() > 86400)) {
    timeout.invalid("must be greater than 0 and less than 86400");
  }
  if (type.require()) type.one_of({"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"});
  if (external(spec) && spec["externalName"].require()) spec["externalName"].dns_subdomain();
  validate_service_addresses(spec);
  for (const FieldView& one : spec["externalIPs"].each()) {
    if (!is_ip(one.text())) one.invalid("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
  }
  const FieldView ranges = spec["loadBalancerSourceRanges"];
  bool sound = true;
  std::string printed;
  for (const FieldView& one : ranges.each()) {
    sound = sound && is_cidr(one.text());
    printed += (printed.empty() ? "" : " ") + std::string(one.text());
  }
  if (!sound) {
    spec.errors().invalid(at_field(spec.path(), "LoadBalancerSourceRanges"), "[" + printed + "]",
                          "must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24 ");
  }
  if (spec["loadBalancerClass"].given() && type.text() != "LoadBalancer") {
    spec["loadBalancerClass"].forbid("may only be used when `type` is 'LoadBalancer'");
  }
}

}  // namespace flotilla::api::validation
