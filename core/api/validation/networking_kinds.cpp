// SPDX-License-Identifier: Apache-2.0
// Ingress, IngressClass, NetworkPolicy, Endpoints, EndpointSlice.
#include <set>

#include "core/api/validation/kinds.hpp"
#include "core/api/validation/network.hpp"

namespace flotilla::api::validation {
namespace {

void validate_backend(const FieldView& backend) {
  const FieldView service = backend["service"], resource = backend["resource"];
  const bool has_service = service.value().is_object(), has_resource = resource.value().is_object();
  if (has_service && has_resource) {
    backend.errors().invalid(backend.path(), "", "cannot set both resource and service backends");
  } else if (has_resource) {
    resource["kind"].require();
    resource["name"].require();
  } else if (has_service) {
    if (service["name"].require()) service["name"].messages(check_dns1035_label(service["name"].text()));
    const FieldView port = service["port"];
    const bool named = port["name"].given(), numbered = port["number"].number() != 0;
    if (named && numbered) {
      port.invalid("cannot set both port name & port number");
    } else if (named) {
      port["name"].messages(check_port_name(port["name"].text()));
    } else if (numbered) {
      port["number"].port_number();
    } else {
      service.errors().required(service.path(), "port name or number is required");
    }
  } else {
    backend.errors().invalid(backend.path(), "", "resource or service backend is required");
  }
}

void validate_path(const FieldView& path) {
  const FieldView type = path["pathType"];
  if (!type.given()) {
    type.errors().required(type.path(), "pathType must be specified");
    return;
  }
  if (!type.one_of({"Exact", "ImplementationSpecific", "Prefix"})) return;
  const std::string_view text = path["path"].text();
  if (type.text() != "ImplementationSpecific" || !text.empty()) {
    if (!text.starts_with('/'))
      path["path"].errors().invalid(path["path"].path(), text, "must be an absolute path");
    if (type.text() != "ImplementationSpecific") {
      for (const std::string_view bad : {"//", "/./", "/../", "%2f", "%2F"}) {
        if (text.find(bad) != text.npos) path["path"].invalid("must not contain '" + std::string(bad) + "'");
      }
      for (const std::string_view bad : {"/..", "/."}) {
        if (text.ends_with(bad)) path["path"].invalid("cannot end with '" + std::string(bad) + "'");
      }
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
  if (port["protocol"].given()) port["protocol"].one_of({"SCTP", "TCP", "UDP"});
  const FieldView number = port["port"];
  if (number.value().is_string()) {
    number.messages(check_port_name(number.text()));
  } else if (!number.value().is_null()) {
    number.port_number();
  }
  const FieldView end = port["endPort"];
  if (end.value().is_null()) return;
  if (number.value().is_null()) {
    end.invalid("may not be specified when `port` is not specified");
  } else if (number.value().is_string()) {
    end.invalid("may not be specified when `port` is non-numeric");
  } else {
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
  if (ip == "127.0.0.1" || ip == "::1" || ip.starts_with("127."))
    address.invalid("may not be in the loopback range (127.0.0.0/8, ::1/128)");
  if (ip == "0.0.0.0" || ip == "::") address.invalid("may not be unspecified (0.0.0.0 or ::)");
  if (ip.starts_with("169.254."))
    address.invalid("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  if (ip.starts_with("224.0.0."))
    address.invalid("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
}

void ingress(const Subject& subject) {
  const FieldView spec = subject.spec();
  if (subject.creates()) {
    constexpr std::string_view kClass = "kubernetes.io/ingress.class";
    const Json& annotated = subject.object["metadata"]["annotations"].value()[kClass];
    if (annotated.is_string() && spec["ingressClassName"].given()) {
      spec.errors().invalid("annotations.kubernetes.io/ingress.class", annotated,
                            "can not be set when the class field is also set");
    }
  }
  if (!spec["rules"].filled() && !spec["defaultBackend"].value().is_object()) {
    spec.errors().add_literal(
        "FieldValueInvalid", spec.path(),
        "Invalid value: []networking.IngressRule(nil): either `defaultBackend` or `rules` must be specified");
  }
  if (spec["defaultBackend"].value().is_object()) validate_backend(spec["defaultBackend"]);
  for (const FieldView& rule : spec["rules"].each()) {
    const FieldView host = rule["host"];
    if (host.given()) {
      if (is_ip(host.text())) host.invalid("must be a DNS name, not an IP address");
      validate_host(host);
    }
    const FieldView http = rule["http"];
    if (!http.value().is_object()) continue;
    if (!http["paths"].filled()) http["paths"].errors().required(http["paths"].path());
    for (const FieldView& path : http["paths"].each()) validate_path(path);
  }
  for (const FieldView& tls : spec["tls"].each()) {
    for (const FieldView& host : tls["hosts"].each()) validate_host(host);
    if (tls["secretName"].given()) tls["secretName"].dns_subdomain();
  }
  if (spec["ingressClassName"].given()) spec["ingressClassName"].dns_subdomain();
}

void ingress_class(const Subject& subject) {
  const FieldView controller = subject.spec()["controller"];
  const std::string_view text = controller.text();
  if (controller.require()) {
    const std::size_t slash = text.find('/');
    const bool good =
        slash != text.npos && check_dns_subdomain(text.substr(0, slash)).empty() && slash + 1 < text.size();
    if (!good) controller.invalid("must be a domain-prefixed path (such as \"acme.io/foo\")");
  }
  const FieldView parameters = subject.spec()["parameters"];
  if (parameters.value().is_object()) {
    parameters["kind"].require();
    parameters["name"].require();
    const FieldView scope = parameters["scope"], ns = parameters["namespace"];
    scope.required_one_of({"Cluster", "Namespace"});
    if (scope.text() == "Namespace" && !ns.given())
      ns.errors().required(ns.path(), "`parameters.scope` is set to 'Namespace'");
    if (scope.text() == "Cluster" && !ns.value().is_null())
      ns.forbid("`parameters.scope` is set to 'Cluster'");
  }
  if (!subject.creates()) controller.immutable(subject.live["spec"]["controller"]);
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

void endpoints(const Subject& subject) {
  for (const FieldView& subset : subject.object["subsets"].each()) {
    if (!subset["addresses"].filled() && !subset["notReadyAddresses"].filled()) {
      subset.errors().required(subset.path(), "must specify `addresses` or `notReadyAddresses`");
    }
    for (const std::string_view list : {"addresses", "notReadyAddresses"}) {
      for (const FieldView& address : subset[list].each()) {
        const FieldView ip = address["ip"];
        if (!is_ip(ip.text())) {
          ip.invalid("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
          ip.invalid("must be a valid IP address");
          continue;
        }
        if (address["hostname"].given()) address["hostname"].dns_label();
        validate_special_address(ip);
      }
    }
    const FieldView ports = subset["ports"];
    for (const FieldView& port : ports.each()) {
      if (!port["name"].given()) {
        if (ports.size() > 1) port["name"].require();
      } else {
        port["name"].dns_label();
      }
      port["port"].port_number();
      if (port["protocol"].require()) port["protocol"].one_of({"SCTP", "TCP", "UDP"});
    }
  }
}

void endpoint_slice(const Subject& subject) {
  const FieldView type = subject.object["addressType"];
  if (type.require()) type.one_of({"FQDN", "IPv4", "IPv6"});
  const FieldView endpoints = subject.object["endpoints"];
  constexpr std::int64_t kMostEndpoints = 1000;
  if (static_cast<std::int64_t>(endpoints.size()) > kMostEndpoints) {
    endpoints.errors().too_many(endpoints.path(), static_cast<std::int64_t>(endpoints.size()),
                                kMostEndpoints);
    return;
  }
  for (const FieldView& endpoint : endpoints.each()) {
    const FieldView addresses = endpoint["addresses"];
    if (!addresses.filled()) addresses.errors().required(addresses.path(), "must contain at least 1 address");
    if (addresses.size() > 100)
      addresses.errors().too_many(addresses.path(), static_cast<std::int64_t>(addresses.size()), 100);
    for (const FieldView& address : addresses.each()) {
      if (type.text() == "FQDN") {
        address.dns_subdomain();
        continue;
      }
      const bool four = type.text() == "IPv4";
      if (four ? !is_ipv4(address.text()) : !is_ipv6(address.text())) {
        address.invalid(four ? "must be a valid IPv4 address" : "must be a valid IPv6 address");
        if (!is_ip(address.text())) address.invalid("must be a valid IP address");
      } else {
        validate_special_address(address);
      }
    }
    if (endpoint["hostname"].given()) endpoint["hostname"].dns_label();
  }
  validate_slice_ports(subject.object["ports"]);
  if (!subject.creates()) type.immutable(subject.live["addressType"]);
}

}  // namespace flotilla::api::validation
