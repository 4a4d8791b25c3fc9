// SPDX-License-Identifier: Apache-2.0
// Ingress, IngressClass, NetworkPolicy, Endpoints, EndpointSlice.
#include <algorithm>
#include <set>

#include "core/api/validation/kinds.hpp"
#include "core/api/validation/network.hpp"

namespace flotilla::api::validation {
namespace {

// {apiGroup, kind, name} of anything.
void validate_reference(const FieldView& reference) {
  if (!reference["apiGroup"].value().is_null()) reference["apiGroup"].dns_subdomain();
  for (const std::string_view part : {"kind", "name"}) {
    if (reference[part].require()) reference[part].messages(check_path_segment(reference[part].text()));
  }
}

void validate_backend_service(const FieldView& backend) {
  const FieldView service = backend["service"], port = service["port"];
  if (service["name"].require()) service["name"].messages(check_dns1035_label(service["name"].text()));
  const bool named = port["name"].given(), numbered = port["number"].number() != 0;
  if (named && numbered) {
    backend.errors().invalid(backend.path(), "", "cannot set both port name & port number");
  } else if (named) {
    port["name"].messages(check_port_name(port["name"].text()));
  } else if (numbered) {
    port["number"].port_number();
  } else {
    backend.errors().required(backend.path(), "port name or number is required");
  }
}

void validate_backend(const FieldView& backend) {
  const bool has_service = backend["service"].value().is_object(),
             has_resource = backend["resource"].value().is_object();
  if (has_service && has_resource) {
    backend.errors().invalid(backend.path(), "", "cannot set both resource and service backends");
  } else if (has_resource) {
    validate_reference(backend["resource"]);
  } else if (has_service) {
    validate_backend_service(backend);
  } else {
    backend.errors().invalid(backend.path(), "", "resource or service backend is required");
  }
}

void validate_path(const FieldView& path) {
  const FieldView type = path["pathType"];
  if (type.value().is_null()) {
    type.errors().required(type.path(), "pathType must be specified");
    return;
  }
  const std::string_view text = path["path"].text();
  const bool strict = type.text() == "Exact" || type.text() == "Prefix";
  const bool known = type.one_of({"Exact", "ImplementationSpecific", "Prefix"});
  if (known && !text.starts_with('/') && (strict || !text.empty()))
    path.errors().invalid(path["path"].path(), text, "must be an absolute path");
  if (strict) {
    for (const std::string_view bad : {"//", "/./", "/../", "%2f", "%2F"}) {
      if (text.find(bad) != text.npos) path["path"].invalid("must not contain '" + std::string(bad) + "'");
    }
    for (const std::string_view bad : {"/..", "/."}) {
      if (text.ends_with(bad)) path["path"].invalid("cannot end with '" + std::string(bad) + "'");
    }
  }
  validate_backend(path["backend"]);
}

// A name, or a wildcard over one.
void validate_host(const FieldView& host) {
  const std::string_view text = host.text();
  if (text.find('*') == text.npos) {
    host.dns_subdomain();
  } else if (!text.starts_with("*.") || !check_dns_subdomain(text.substr(2)).empty()) {
    host.invalid(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
        "consist "
        "of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. "
        "'*.example.com', regex used for validation is "
        "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')");
  }
}

void validate_policy_port(const FieldView& port) {
  const FieldView number = port["port"], end = port["endPort"];
  if (!port["protocol"].value().is_null()) port["protocol"].one_of({"TCP", "UDP", "SCTP"});
  const bool has_end = !end.value().is_null();
  if (number.value().is_null()) {
    if (has_end) end.invalid("may not be specified when `port` is not specified");
  } else if (number.value().is_string()) {
    if (has_end) end.invalid("may not be specified when `port` is non-numeric");
    number.messages(check_port_name(number.text()));
  } else {
    number.port_number();
    if (!has_end) return;
    if (end.number() < number.number()) end.invalid("must be greater than or equal to `port`");
    end.port_number();
  }
}

void validate_peer(const FieldView& peer) {
  int peers = 0;
  for (const std::string_view name : {"podSelector", "namespaceSelector"}) {
    if (!peer[name].value().is_object()) continue;
    ++peers;
    validate_label_selector(peer[name]);
  }
  const FieldView block = peer["ipBlock"];
  if (block.value().is_object()) {
    ++peers;
    const FieldView cidr = block["cidr"];
    if (cidr.require()) {
      if (!is_cidr(cidr.text())) {
        cidr.invalid("not a valid CIDR");
      } else {
        for (const FieldView& one : block["except"].each()) {
          if (!is_cidr(one.text())) {
            one.invalid("not a valid CIDR");
            return;
          }
          if (!is_strict_subset(one.text(), cidr.text())) one.invalid("must be a strict subset of `cidr`");
        }
      }
    }
  }
  if (peers == 0) {
    peer.errors().required(peer.path(), "must specify a peer");
  } else if (block.value().is_object() && peers > 1) {
    peer.forbid("may not specify both ipBlock and another peer");
  }
}

void validate_slice_ports(const FieldView& ports) {
  constexpr std::int64_t kMost = 20000;
  const auto count = static_cast<std::int64_t>(ports.size());
  if (count > kMost) return ports.errors().too_many(ports.path(), count, kMost);
  std::set<std::string> names;
  for (const FieldView& port : ports.each()) {
    const FieldView name = port["name"];
    if (name.given()) name.dns_label();
    if (!names.insert(std::string(name.text())).second) name.errors().duplicate(name.path(), name.text());
    if (port["protocol"].require()) port["protocol"].one_of({"SCTP", "TCP", "UDP"});
    const FieldView application = port["appProtocol"];
    if (!application.value().is_null()) application.messages(check_qualified_name(application.text()));
  }
}

}  // namespace

void validate_special_address(const FieldView& address) {
  const std::string_view ip = address.text();
  std::string lower(ip);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const bool six = ip.find(':') != ip.npos,
             linked = six && lower.size() > 3 && lower.starts_with("fe") &&
                      (lower[2] == '8' || lower[2] == '9' || lower[2] == 'a' || lower[2] == 'b');
  if (ip == "0.0.0.0" || ip == "::") address.invalid("may not be unspecified (" + std::string(ip) + ")");
  if (ip == "::1" || ip.starts_with("127."))
    address.invalid("may not be in the loopback range (127.0.0.0/8, ::1/128)");
  if (ip.starts_with("169.254.") || linked)
    address.invalid("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  if (ip.starts_with("224.0.0.") || lower.starts_with("ff02:"))
    address.invalid("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
}

namespace {

void validate_rule(const FieldView& rule) {
  const FieldView host = rule["host"], http = rule["http"], paths = http["paths"];
  if (host.given()) {
    if (is_ip(host.text())) host.invalid("must be a DNS name, not an IP address");
    validate_host(host);
  }
  if (!http.value().is_object()) return;
  if (!paths.filled()) paths.errors().required(paths.path());
  for (const FieldView& path : paths.each()) validate_path(path);
}

// "acme.io/foo".
void validate_domain_path(const FieldView& path) {
  constexpr std::string_view kAllowed = "/-._~%!$&'()*+,;=:";
  const std::string_view text = path.text();
  const std::size_t slash = text.find('/');
  if (slash == text.npos || slash == 0 || slash + 1 == text.size()) {
    path.invalid("must be a domain-prefixed path (such as \"acme.io/foo\")");
    return;
  }
  const std::string_view domain = text.substr(0, slash), rest = text.substr(slash + 1);
  for (const std::string& one : check_dns_subdomain(domain)) path.errors().invalid(path.path(), domain, one);
  const bool good = std::all_of(rest.begin(), rest.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kAllowed.find(c) != kAllowed.npos;
  });
  if (!good) {
    path.errors().invalid(path.path(), rest,
                          "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')");
  }
}

void validate_class_parameters(const FieldView& parameters) {
  if (!parameters.value().is_object()) return;
  const FieldView scope = parameters["scope"], ns = parameters["namespace"];
  validate_reference(parameters);
  if (scope.value().is_null()) {
    scope.require();
  } else if (scope.one_of({"Cluster", "Namespace"})) {
    if (scope.text() == "Cluster") {
      if (!ns.value().is_null()) ns.forbid("`parameters.scope` is set to 'Cluster'");
    } else if (ns.value().is_null()) {
      ns.errors().required(ns.path(), "`parameters.scope` is set to 'Namespace'");
    } else {
      ns.dns_label();
    }
  }
}

}  // namespace

void ingress(const Subject& subject) {
  const FieldView spec = subject.spec(), class_name = spec["ingressClassName"];
  if (!spec["rules"].filled() && !spec["defaultBackend"].value().is_object()) {
    spec.errors().add_literal(
        "FieldValueInvalid", spec.path(),
        "Invalid value: []networking.IngressRule(nil): either `defaultBackend` or `rules` must be specified");
  }
  if (spec["defaultBackend"].value().is_object()) validate_backend(spec["defaultBackend"]);
  for (const FieldView& rule : spec["rules"].each()) validate_rule(rule);
  for (const FieldView& tls : spec["tls"].each()) {
    for (const FieldView& host : tls["hosts"].each()) validate_host(host);
    if (tls["secretName"].given()) tls["secretName"].dns_subdomain();
  }
  if (!class_name.value().is_null()) class_name.dns_subdomain();
  if (!subject.creates()) return;
  constexpr std::string_view kClass = "kubernetes.io/ingress.class";
  const Json& annotated = subject.object["metadata"]["annotations"].value()[kClass];
  if (annotated.is_string() && !class_name.value().is_null()) {
    spec.errors().invalid("annotations.kubernetes.io/ingress.class", annotated,
                          "can not be set when the class field is also set");
  }
}

void ingress_class(const Subject& subject) {
  constexpr std::int64_t kLongest = 250;
  const FieldView controller = subject.spec()["controller"];
  if (!subject.creates()) controller.immutable(subject.live["spec"]["controller"]);
  if (controller.require()) {
    if (static_cast<std::int64_t>(controller.text().size()) > kLongest)
      controller.errors().too_long(controller.path(), kLongest);
    validate_domain_path(controller);
  }
  validate_class_parameters(subject.spec()["parameters"]);
}

void network_policy(const Subject& subject) {
  const FieldView spec = subject.spec();
  validate_label_selector(spec["podSelector"]);
  for (const auto& [direction, peers] :
       {std::pair<std::string_view, std::string_view>{"ingress", "from"}, {"egress", "to"}}) {
    for (const FieldView& rule : spec[direction].each()) {
      for (const FieldView& port : rule["ports"].each()) validate_policy_port(port);
      for (const FieldView& peer : rule[peers].each()) validate_peer(peer);
    }
  }
  const FieldView types = spec["policyTypes"];
  if (types.size() > 2) {
    types.invalid("may not specify more than two policyTypes");
    return;
  }
  for (const FieldView& type : types.each()) type.one_of({"Ingress", "Egress"});
}

namespace {

void validate_endpoint_address(const FieldView& address) {
  const FieldView ip = address["ip"], node = address["nodeName"];
  const bool sound = is_ip(ip.text());
  if (!sound) {
    ip.errors().invalid(ip.path(), ip.text(),
                        "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
  }
  if (address["hostname"].given()) address["hostname"].dns_label();
  if (!node.value().is_null()) node.dns_subdomain();
  if (sound) {
    validate_special_address(ip);
  } else {
    ip.errors().invalid(ip.path(), ip.text(), "must be a valid IP address");
  }
}

void validate_endpoint_port(const FieldView& port, bool needs_name) {
  const FieldView name = port["name"], application = port["appProtocol"];
  if (name.given()) {
    name.dns_label();
  } else if (needs_name) {
    name.require();
  }
  port["port"].port_number();
  if (port["protocol"].require()) port["protocol"].one_of({"SCTP", "TCP", "UDP"});
  if (!application.value().is_null()) application.messages(check_qualified_name(application.text()));
}

std::string joined(const std::vector<std::string>& messages) {
  std::string all;
  for (const std::string& one : messages) all += (all.empty() ? "" : ",") + one;
  return all;
}

void validate_full_domain(const FieldView& address) {
  if (!address.require()) return;
  std::string_view name = address.text();
  if (name.ends_with('.')) name.remove_suffix(1);
  FieldErrors& errors = address.errors();
  if (const auto found = check_dns_subdomain(name); !found.empty())
    return errors.invalid(address.path(), name, joined(found));
  if (name.find('.') == name.npos) {
    return errors.invalid(address.path(), name,
                          "should be a domain with at least two segments separated by dots");
  }
  for (std::size_t dot = 0; dot != name.npos;) {
    dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    if (const auto found = check_dns_label(label); !found.empty())
      errors.invalid(address.path(), label, joined(found));
    if (dot != name.npos) name.remove_prefix(dot + 1);
  }
}

void validate_slice_address(const FieldView& address, std::string_view type) {
  if (type == "FQDN") return validate_full_domain(address);
  if (type != "IPv4" && type != "IPv6") return;
  const bool four = type == "IPv4";
  if (four ? !is_ipv4(address.text()) : !is_ipv6(address.text()))
    address.invalid(four ? "must be a valid IPv4 address" : "must be a valid IPv6 address");
  if (!is_ip(address.text())) {
    address.invalid("must be a valid IP address");
  } else {
    validate_special_address(address);
  }
}

void validate_hints(const FieldView& hints) {
  constexpr std::int64_t kMostZones = 8;
  const FieldView zones = hints["forZones"];
  const auto count = static_cast<std::int64_t>(zones.size());
  if (count > kMostZones) return zones.errors().too_many(zones.path(), count, kMostZones);
  std::set<std::string_view> seen;
  for (const FieldView& zone : zones.each()) {
    const FieldView name = zone["name"];
    if (!seen.insert(name.text()).second) name.errors().duplicate(name.path(), name.value());
    for (const std::string& one : check_label_value(name.text())) name.invalid(one);
  }
}

void validate_endpoint(const FieldView& endpoint, std::string_view type) {
  constexpr std::int64_t kMostAddresses = 100, kMostLabels = 16;
  const FieldView addresses = endpoint["addresses"], labels = endpoint["deprecatedTopology"];
  const auto count = static_cast<std::int64_t>(addresses.size());
  if (count == 0) addresses.errors().required(addresses.path(), "must contain at least 1 address");
  if (count > kMostAddresses) addresses.errors().too_many(addresses.path(), count, kMostAddresses);
  for (const FieldView& address : addresses.each()) validate_slice_address(address, type);
  if (!endpoint["nodeName"].value().is_null()) endpoint["nodeName"].dns_subdomain();
  if (static_cast<std::int64_t>(labels.size()) > kMostLabels)
    labels.errors().too_many(labels.path(), static_cast<std::int64_t>(labels.size()), kMostLabels);
  validate_labels(labels);
  if (!endpoint["hostname"].value().is_null()) endpoint["hostname"].dns_label();
  validate_hints(endpoint["hints"]);
}

}  // namespace

void endpoints(const Subject& subject) {
  for (const FieldView& subset : subject.object["subsets"].each()) {
    if (!subset["addresses"].filled() && !subset["notReadyAddresses"].filled())
      subset.errors().required(subset.path(), "must specify `addresses` or `notReadyAddresses`");
    for (const std::string_view list : {"addresses", "notReadyAddresses"}) {
      for (const FieldView& address : subset[list].each()) validate_endpoint_address(address);
    }
    const FieldView ports = subset["ports"];
    for (const FieldView& port : ports.each()) validate_endpoint_port(port, ports.size() > 1);
  }
}

void endpoint_slice(const Subject& subject) {
  constexpr std::int64_t kMostEndpoints = 1000;
  const FieldView type = subject.object["addressType"], endpoints = subject.object["endpoints"];
  const auto count = static_cast<std::int64_t>(endpoints.size());
  if (type.require()) type.one_of({"FQDN", "IPv4", "IPv6"});
  if (count > kMostEndpoints) {
    endpoints.errors().too_many(endpoints.path(), count, kMostEndpoints);
  } else {
    for (const FieldView& endpoint : endpoints.each()) validate_endpoint(endpoint, type.text());
  }
  validate_slice_ports(subject.object["ports"]);
  if (!subject.creates()) type.immutable(subject.live["addressType"]);
}

}  // namespace flotilla::api::validation
