// SPDX-License-Identifier: Apache-2.0
// Service: type, ports, addresses, traffic; and what an update may not change.
#include <algorithm>
#include <set>

#include "core/api/validation/kinds.hpp"
#include "core/api/validation/network.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::string_view kAddress = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
constexpr std::string_view kOnlyBalancers = "may only be used when `type` is 'LoadBalancer'";

bool is_type(const FieldView& spec, std::string_view type) {
  return spec["type"].text() == type;
}

bool is_headless(const FieldView& spec) {
  const auto addresses = spec["clusterIPs"].value().elements();
  return addresses.size() == 1 && (*addresses.begin()).as_string() == "None";
}

// The whole list stands in the error.
void bad_list(const FieldView& list, const std::string& path, std::string_view detail) {
  list.errors().add_literal("FieldValueInvalid", path,
                            "Invalid value: " + go_strings(list.value()) + ": " + std::string(detail));
}

void validate_type(const FieldView& spec) {
  const std::string_view type = spec["type"].text();
  if (type == "LoadBalancer" || type == "NodePort") {
    if (is_headless(spec))
      spec["clusterIPs"].element(0).invalid("may not be set to 'None' for " + std::string(type) +
                                            " services");
  }
  if (type != "ExternalName") return;
  constexpr std::string_view kNot = "may not be set for ExternalName services";
  if (spec["clusterIPs"].filled()) spec["clusterIPs"].forbid(kNot);
  if (spec["ipFamilies"].filled()) spec["ipFamilies"].forbid(kNot);
  if (!spec["ipFamilyPolicy"].value().is_null()) spec["ipFamilyPolicy"].forbid(kNot);
  const FieldView name = spec["externalName"];
  std::string_view text = name.text();
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty()) {
    name.require();
    return;
  }
  for (const std::string& message : check_dns_subdomain(text))
    name.errors().invalid(name.path(), text, message);
}

void validate_port(const FieldView& port, bool needs_name, std::set<std::string>& names) {
  const FieldView name = port["name"], target = port["targetPort"];
  if (!name.given()) {
    if (needs_name) name.require();
  } else {
    name.dns_label();
    if (!names.insert(std::string(name.text())).second) name.errors().duplicate(name.path(), name.value());
  }
  if (port["port"].number() < 1 || port["port"].number() > 65535) {
    port.errors().invalid(port["port"].path(), port["port"].number(),
                          "must be between 1 and 65535, inclusive");
  }
  if (port["protocol"].require()) port["protocol"].one_of({"SCTP", "TCP", "UDP"});
  if (target.value().is_string()) {
    target.messages(check_port_name(target.text()));
  } else if (target.number() < 1 || target.number() > 65535) {
    target.errors().invalid(target.path(), target.number(), "must be between 1 and 65535, inclusive");
  }
  if (!port["appProtocol"].value().is_null()) {
    for (const std::string& message : check_qualified_name(port["appProtocol"].text()))
      port["appProtocol"].errors().invalid(port["appProtocol"].path(), port["appProtocol"].text(), message);
  }
}

void validate_ports(const FieldView& ports) {
  std::set<std::string> names;
  for (const FieldView& port : ports.each()) validate_port(port, ports.size() > 1, names);
}

void validate_affinity(const FieldView& spec) {
  const FieldView affinity = spec["sessionAffinity"], config = spec["sessionAffinityConfig"];
  if (affinity.require()) affinity.one_of({"ClientIP", "None"});
  if (affinity.text() == "ClientIP") {
    const FieldView timeout = config["clientIP"]["timeoutSeconds"];
    if (timeout.value().is_null()) {
      timeout.errors().required(timeout.path(), "when session affinity type is ClientIP");
    } else if (timeout.number() <= 0 || timeout.number() > 86400) {
      timeout.invalid("must be greater than 0 and less than 86400");
    }
  } else if (affinity.text() == "None" && config.value().is_object()) {
    config.forbid("must not be set when session affinity is None");
  }
}

void validate_families(const FieldView& spec) {
  std::set<std::string_view> seen;
  for (const FieldView& one : spec["ipFamilies"].each()) {
    one.one_of({"IPv4", "IPv6"});
    if (!seen.insert(one.text()).second) one.errors().duplicate(one.path(), one.value());
  }
  const FieldView policy = spec["ipFamilyPolicy"];
  if (!policy.value().is_null()) policy.one_of({"PreferDualStack", "RequireDualStack", "SingleStack"});
}

// False where an address is none.
bool validate_each_address(const FieldView& addresses) {
  bool sound = true;
  std::size_t index = 0;
  for (const FieldView& one : addresses.each()) {
    if (index++ == 0 && one.text() == "None") {
      if (addresses.size() == 1) continue;
      sound = false;
      bad_list(addresses, addresses.path(), "'None' must be the first and only value");
    } else if (!is_ip(one.text())) {
      sound = one.invalid(kAddress);
    }
  }
  if (addresses.size() > 2) bad_list(addresses, addresses.path(), "may only hold up to 2 values");
  return sound;
}

void validate_addresses(const FieldView& spec) {
  if (is_type(spec, "ExternalName")) return;
  const FieldView addresses = spec["clusterIPs"], first = spec["clusterIP"];
  if (first.given() && !addresses.filled()) {
    addresses.errors().required(addresses.path());
  } else if (addresses.filled() && !first.given()) {
    bad_list(addresses, addresses.path(), "must be empty when `clusterIP` is not specified");
  } else if (addresses.filled() && addresses.element(0).text() != first.text()) {
    bad_list(addresses, addresses.path(), "first value must match `clusterIP`");
  }
  validate_families(spec);
  if (!validate_each_address(addresses)) return;
  if (addresses.size() > 1) {
    const bool dual = is_ipv4(addresses.element(0).text()) != is_ipv4(addresses.element(1).text());
    if (!dual) bad_list(addresses, addresses.path(), "may specify no more than one IP for each IP family");
  }
  if (is_headless(spec)) return;
  const FieldView families = spec["ipFamilies"];
  for (std::size_t i = 0; i < std::min(addresses.size(), families.size()); ++i) {
    const std::string_view family = families.element(i).text();
    const bool four = is_ipv4(addresses.element(i).text());
    if ((family == "IPv4") == four || (family != "IPv4" && family != "IPv6")) continue;
    addresses.element(i).invalid("expected an " + std::string(family) +
                                 " value as indicated by `ipFamilies[" + std::to_string(i) + "]`");
  }
}

void validate_node_ports(const FieldView& spec) {
  const FieldView ports = spec["ports"];
  std::set<std::string> seen, pairs;
  for (const FieldView& port : ports.each()) {
    if (is_type(spec, "ClusterIP") && port["nodePort"].number() != 0)
      port["nodePort"].forbid("may not be used when `type` is 'ClusterIP'");
  }
  for (const FieldView& port : ports.each()) {
    const FieldView node = port["nodePort"];
    const std::string protocol(port["protocol"].text());
    if (node.number() != 0 && !seen.insert(protocol + "/" + std::to_string(node.number())).second)
      node.errors().duplicate(node.path(), node.value());
  }
  for (const FieldView& port : ports.each()) {
    const std::string protocol(port["protocol"].text()), number = std::to_string(port["port"].number());
    if (pairs.insert(protocol + "/" + number).second) continue;
    port.errors().add_literal(
        "FieldValueDuplicate", port.path(),
        "Duplicate value: core.ServicePort{Name:\"\", Protocol:" + go_quote(protocol) +
            ", AppProtocol:(*string)(nil), Port:" + number +
            ", TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:\"\"}, NodePort:0}");
  }
}

constexpr std::string_view kOldRanges = "service.beta.kubernetes.io/load-balancer-source-ranges";

// A list of networks with spaces around them.
bool are_networks(std::string_view text, char separator) {
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    std::string_view one = text.substr(0, end);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!is_cidr(one)) return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

// Ranges stand in the spec or, as once, in an annotation.
void validate_source_ranges(const FieldView& object) {
  const FieldView spec = object["spec"], ranges = spec["loadBalancerSourceRanges"];
  const Json& annotated = object["metadata"]["annotations"].value()[kOldRanges];
  if (!ranges.filled() && annotated.is_null()) return;
  std::string path = at_field(spec.path(), "LoadBalancerSourceRanges"), printed;
  bool sound = true;
  if (ranges.filled()) {
    for (const FieldView& one : ranges.each()) {
      sound = sound && are_networks(one.text(), '\0');
      printed += (printed.empty() ? "" : " ") + std::string(one.text());
    }
    printed = "[" + printed + "]";
  } else {
    path = at_key("metadata.annotations", kOldRanges);
    printed = annotated.as_string();
    sound = printed.find_first_not_of(' ') == printed.npos || are_networks(printed, ',');
  }
  if (!is_type(spec, "LoadBalancer")) spec.errors().forbidden(path, kOnlyBalancers);
  if (sound) return;
  spec.errors().invalid(path, printed,
                        "must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24 ");
}

void validate_balancer(const FieldView& object) {
  const FieldView spec = object["spec"];
  const bool balancer = is_type(spec, "LoadBalancer");
  validate_source_ranges(object);
  const FieldView allocate = spec["allocateLoadBalancerNodePorts"], type = spec["loadBalancerClass"];
  if (!balancer && !allocate.value().is_null()) allocate.forbid(kOnlyBalancers);
  if (balancer && allocate.value().is_null()) spec.errors().required("allocateLoadBalancerNodePorts");
  if (type.value().is_null()) return;
  if (!balancer) {
    type.forbid(kOnlyBalancers);
  } else {
    type.messages(check_qualified_name(type.text()));
  }
}

void validate_traffic(const FieldView& spec) {
  const FieldView external = spec["externalTrafficPolicy"], health = spec["healthCheckNodePort"];
  const FieldView internal = spec["internalTrafficPolicy"];
  const bool balancer = is_type(spec, "LoadBalancer"), outside = balancer || is_type(spec, "NodePort");
  if (external.given() && external.text() != "Cluster" && external.text() != "Local")
    external.invalid("ExternalTrafficPolicy must be empty, Cluster or Local");
  if (health.number() < 0) health.invalid("HealthCheckNodePort must be not less than 0");
  if (external.given() && !outside)
    external.invalid("ExternalTrafficPolicy can only be set on NodePort and LoadBalancer service");
  if (health.number() > 0 && !(balancer && external.text() == "Local")) {
    health.invalid(
        "HealthCheckNodePort can only be set on LoadBalancer service with ExternalTrafficPolicy=Local");
  }
  if (!internal.value().is_null()) internal.one_of({"Cluster", "Local"});
  const FieldView distribution = spec["trafficDistribution"];
  if (!distribution.value().is_null()) distribution.one_of({"PreferClose"});
}

void validate_external_addresses(const FieldView& spec) {
  for (const FieldView& one : spec["externalIPs"].each()) {
    const std::string_view ip = one.text();
    if (!is_ip(ip)) {
      one.invalid(kAddress);
    } else {
      validate_special_address(one);
    }
  }
}

bool was_headless(const Json& spec) {
  return spec["clusterIPs"].size() == 1 && spec["clusterIPs"].element(0).as_string() == "None";
}

// The second of a pair goes only when the service says that it has one family.
void second_released(const FieldView& spec, std::string_view what) {
  const FieldView policy = spec["ipFamilyPolicy"];
  if (policy.text() != "SingleStack") {
    policy.errors().invalid(policy.path(), policy.value(),
                            "must be set to 'SingleStack' when releasing the secondary " + std::string(what));
  }
}

void addresses_update(const FieldView& spec, const Json& before) {
  const FieldView now = spec["clusterIPs"];
  const Json& old = before["clusterIPs"];
  if (was_headless(before) && is_headless(spec)) return;
  const auto changed = [&](std::size_t i) { return !(now.element(i).value() == old.element(i)); };
  if (old.size() == now.size()) {
    for (std::size_t i = 0; i < old.size(); ++i) {
      if (changed(i)) bad_list(now, at_index(now.path(), i), "may not change once set");
    }
    return;
  }
  const std::string first = at_index(now.path(), 0);
  if (!now.filled()) {
    spec.errors().add_literal("FieldValueInvalid", first,
                              "Invalid value: []string(nil): primary clusterIP can not be unset");
  } else if (!old.empty() && changed(0)) {
    bad_list(now, first, "may not change once set");
  }
  if (old.size() > now.size() && now.size() == 1) second_released(spec, "clusterIP");
}

void families_update(const FieldView& spec, const Json& before) {
  const FieldView now = spec["ipFamilies"];
  const Json& old = before["ipFamilies"];
  if (was_headless(before) || is_headless(spec)) return;
  const std::string first = at_index(now.path(), 0);
  const auto changed = [&](std::size_t i) { return !(now.element(i).value() == old.element(i)); };
  if (old.size() == now.size()) {
    for (std::size_t i = 0; i < old.size(); ++i) {
      if (changed(i)) bad_list(now, first, "may not change once set");
    }
    return;
  }
  if (old.size() > now.size() && !spec["clusterIPs"].filled())
    bad_list(now, first, "primary ipFamily can not be unset");
  if (!old.empty() && now.filled() && changed(0))
    bad_list(spec["clusterIPs"], first, "may not change once set");
  if (old.size() > now.size() && now.size() == 1) second_released(spec, "ipFamily");
}

bool checks_health(std::string_view type, std::string_view policy) {
  return type == "LoadBalancer" && policy == "Local";
}

void service_update(const Subject& subject) {
  const FieldView spec = subject.spec();
  const Json& before = subject.live["spec"];
  const std::string_view old_type = before["type"].as_string();
  if (!is_type(spec, "ExternalName") && old_type != "ExternalName") {
    addresses_update(spec, before);
    families_update(spec, before);
  }
  const FieldView type = spec["loadBalancerClass"], health = spec["healthCheckNodePort"];
  const bool stays = is_type(spec, "LoadBalancer") && old_type == "LoadBalancer";
  if (stays && !(type.value() == before["loadBalancerClass"])) type.invalid("may not change once set");
  if (checks_health(spec["type"].text(), spec["externalTrafficPolicy"].text()) &&
      checks_health(old_type, before["externalTrafficPolicy"].as_string()) &&
      !(health.value() == before["healthCheckNodePort"])) {
    health.forbid("field is immutable");
  }
}

}  // namespace

void service(const Subject& subject) {
  const FieldView spec = subject.spec();
  if (!subject.creates()) service_update(subject);
  if (!spec["ports"].filled() && !is_headless(spec) && !is_type(spec, "ExternalName"))
    spec["ports"].errors().required(spec["ports"].path());
  validate_type(spec);
  validate_ports(spec["ports"]);
  validate_labels(spec["selector"]);
  validate_affinity(spec);
  validate_addresses(spec);
  validate_external_addresses(spec);
  if (spec["type"].require()) spec["type"].one_of({"ClusterIP", "ExternalName", "LoadBalancer", "NodePort"});
  validate_node_ports(spec);
  validate_balancer(subject.object);
  validate_traffic(spec);
}

}  // namespace flotilla::api::validation
