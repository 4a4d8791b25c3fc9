// SPDX-License-Identifier: Apache-2.0
// Ingress, IngressClass, NetworkPolicy, Endpoints, EndpointSlice.
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

void validate_policy_port(const FieldView& port) {
  if (port["protocol"].given()) port["protocol"].one_of({"SCTP", "TCP", "UDP"});
  const FieldView number = port["port"];
  if (number.value().is_string()) {
    number.messages(check_port_name(number.text()));
  } else if (!number.value().is_null()) {
    number.port_number();
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
          if (!is_cidr(one.text())) one.invalid("not a valid CIDR");
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

void validate_address(const FieldView& address) {
  const std::string_view ip = address.text();
  if (ip == "127.0.0.1" || ip == "::1" || ip.starts_with("127."))
    address.invalid("may not be in the loopback range (127.0.0.0/8, ::1/128)");
  if (ip == "0.0.0.0" || ip == "::") address.invalid("may not be unspecified (0.0.0.0 or ::)");
  if (ip.starts_with("169.254."))
    address.invalid("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
  if (ip.starts_with("224.0.0."))
    address.invalid("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
}

}  // namespace

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
  for (const FieldView& tls : spec["tls"].each()) {
    for (const FieldView& host : tls["hosts"].each()) {
      if (!host.text().starts_with("*.")) host.dns_subdomain();
    }
  }
  for (const FieldView& rule : spec["rules"].each()) {
    const FieldView host = rule["host"];
    if (host.given()) {
      if (is_ip(host.text())) host.invalid("must be a DNS name, not an IP address");
      if (!host.text().starts_with("*")) host.dns_subdomain();
    }
    const FieldView http = rule["http"];
    if (!http.value().is_object()) continue;
    if (!http["paths"].filled()) http["paths"].errors().required(http["paths"].path());
    for (const FieldView& path : http["paths"].each()) validate_path(path);
  }
  if (spec["defaultBackend"].value().is_object()) validate_backend(spec["defaultBackend"]);
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
  for (const FieldView& type : spec["policyTypes"].each()) type.one_of({"Ingress", "Egress"});
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
        validate_address(ip);
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
  for (const FieldView& endpoint : subject.object["endpoints"].each()) {
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
        validate_address(address);
      }
    }
    if (endpoint["hostname"].given()) endpoint["hostname"].dns_label();
  }
  for (const FieldView& port : subject.object["ports"].each()) {
    if (port["name"].given()) port["name"].dns_label();
    if (port["protocol"].require()) port["protocol"].one_of({"SCTP", "TCP", "UDP"});
  }
  if (!subject.creates()) type.immutable(subject.live["addressType"]);
}

}  // namespace flotilla::api::validation
