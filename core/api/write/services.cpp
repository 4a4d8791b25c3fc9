// SPDX-License-Identifier: Apache-2.0
#include "core/api/write/services.hpp"

#include <algorithm>
#include <utility>

namespace flotilla::api {
namespace {

std::string_view type_of(const Json& service) {
  return service.at({"spec", "type"}).as_string("ClusterIP");
}

bool wants_node_ports(const Json& service) {
  const std::string_view type = type_of(service);
  return type == "NodePort" ||
         (type == "LoadBalancer" && service.at({"spec", "allocateLoadBalancerNodePorts"}).as_bool(true));
}

bool wants_health_port(const Json& service) {
  return type_of(service) == "LoadBalancer" &&
         service.at({"spec", "externalTrafficPolicy"}).as_string() == "Local";
}

bool selects(const Json& service) {
  return !service.at({"spec", "selector"}).empty();
}

// The same port of the service as it was, by name or by number and protocol.
const Json* same_port(const Json& live, const Json& port) {
  for (const Json& old : live.at({"spec", "ports"}).elements()) {
    if (old["port"] == port["port"] && old["protocol"] == port["protocol"]) return &old;
  }
  return nullptr;
}

bool has_element(const Json& list, const Json& value) {
  const auto all = list.elements();
  return std::find(all.begin(), all.end(), value) != all.end();
}

// Addresses that the client chose and the service did not have before.
void claim_addresses(const Json& live, const Json& spec, const WriteOptions& options, FieldErrors& errors) {
  if (!options.claim_ip) return;
  for (const Json& one : spec["clusterIPs"].elements()) {
    const std::string address(one.as_string());
    if (address.empty() || address == "None" || has_element(live["spec"]["clusterIPs"], one)) continue;
    const std::string refusal = options.claim_ip(address);
    if (refusal.empty()) continue;
    std::string printed;
    for (const Json& other : spec["clusterIPs"].elements())
      printed += (printed.empty() ? "" : ", ") + go_quote(other.as_string());
    errors.add_literal(
        "FieldValueInvalid", "spec.clusterIPs",
        "Invalid value: []string{" + printed + "}: failed to allocate IP " + address + ": " + refusal);
  }
}

bool had_port(const Json& live, const Json& number) {
  const auto ports = live["spec"]["ports"].elements();
  return live["spec"]["healthCheckNodePort"] == number ||
         std::any_of(ports.begin(), ports.end(), [&](const Json& one) { return one["nodePort"] == number; });
}

constexpr std::int64_t kFirstNodePort = 30000, kLastNodePort = 32767;

void claim_ports(const Json& live, const Json& spec, const WriteOptions& options, FieldErrors& errors) {
  std::size_t index = 0;
  for (const Json& port : spec["ports"].elements()) {
    const Json& number = port["nodePort"];
    const std::string path = at_index("spec.ports", index++) + ".nodePort";
    if (number.as_int() == 0 || had_port(live, number)) continue;
    if (number.as_int() < kFirstNodePort || number.as_int() > kLastNodePort) {
      errors.invalid(path, number,
                     "provided port is not in the valid range. The range of valid ports is 30000-32767");
      return;
    }
    if (options.port_taken && options.port_taken(static_cast<int>(number.as_int())))
      errors.invalid(path, number, "provided port is already allocated");
  }
}

// The service network has addresses of one family only.
void check_families(const Json& spec, FieldErrors& errors) {
  std::size_t index = 0;
  for (const Json& family : spec["ipFamilies"].elements()) {
    const std::string path = at_index("spec.ipFamilies", index++);
    if (family.as_string() == "IPv6") errors.invalid(path, family, "not configured on this cluster");
  }
  const Json& policy = spec["ipFamilyPolicy"];
  if (policy.as_string() == "RequireDualStack") {
    errors.invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services");
  } else if (policy.as_string() == "SingleStack" && spec["ipFamilies"].size() > 1) {
    errors.invalid("spec.ipFamilyPolicy", policy,
                   "must be RequireDualStack or PreferDualStack when multiple ipFamilies are specified");
  }
}

}  // namespace

void allocate_for_service(const Json& live, Json& service, const WriteOptions& options, FieldErrors& errors) {
  Json& spec = service["spec"];
  const Json& now = spec;
  if (type_of(service) == "ExternalName") return;
  const bool bare_headless = now["clusterIP"].as_string() == "None" && !selects(service);
  const bool asks = !(now["ipFamilies"] == live["spec"]["ipFamilies"]) ||
                    !(now["ipFamilyPolicy"] == live["spec"]["ipFamilyPolicy"]);
  if (options.claim_ip && !bare_headless && asks) check_families(now, errors);
  claim_addresses(live, now, options, errors);
  claim_ports(live, now, options, errors);
  if (!errors.empty()) return;
  if (now["clusterIP"].as_string().empty() && options.allocate_ip)
    spec.set("clusterIP", options.allocate_ip());
  const std::string address(now["clusterIP"].as_string());
  if (!address.empty() && now["clusterIPs"].empty()) spec.set("clusterIPs", Json::array({address}));
  if (!address.empty()) {
    const bool bare = address == "None" && !selects(service);
    if (now["ipFamilyPolicy"].is_null())
      spec.set("ipFamilyPolicy", bare ? "RequireDualStack" : "SingleStack");
    if (now["ipFamilies"].empty()) {
      Json families = Json::array({address.find(':') == address.npos ? "IPv4" : "IPv6"});
      if (bare) families.push_back("IPv6");
      spec.set("ipFamilies", std::move(families));
    }
  }
  if (!options.allocate_port) return;
  if (wants_health_port(service) && now["healthCheckNodePort"].as_int() == 0)
    spec.set("healthCheckNodePort", options.allocate_port());
  if (!wants_node_ports(service)) return;
  Json* ports = spec.find("ports");
  if (!ports) return;
  for (Json& port : ports->elements()) {
    const Json& given = port;
    if (given["nodePort"].as_int() == 0) port.set("nodePort", options.allocate_port());
  }
}

void prepare_service_for_create(Json& service, const WriteOptions&) {
  Json& spec = service["spec"];
  const Json& now = spec;
  const std::string address(now["clusterIP"].as_string());
  if (!address.empty() && now["clusterIPs"].empty()) spec.set("clusterIPs", Json::array({address}));
}

namespace {

// clusterIP and clusterIPs say the same: who changes one means both.
void follow_address(const Json& before, Json& spec) {
  const Json& now = spec;
  const std::string address(now["clusterIP"].as_string());
  if (address.empty() || address == before["clusterIP"].as_string()) return;
  if (now["clusterIPs"].is_null() || now["clusterIPs"] == before["clusterIPs"])
    spec.set("clusterIPs", Json::array({address}));
}

// What only some types have goes with the type, unless the client has just set it.
void drop_with_type(const Json& live, const Json& service, Json& spec) {
  const Json& before = live["spec"];
  const auto drop = [&](std::string_view name) {
    if (std::as_const(spec)[name] == before[name]) spec.erase(name);
  };
  const bool balancer = type_of(service) == "LoadBalancer";
  if (!balancer && type_of(live) == "LoadBalancer") {
    drop("allocateLoadBalancerNodePorts");
    drop("loadBalancerClass");
  }
  if (!balancer && type_of(service) != "NodePort") drop("externalTrafficPolicy");
}

}  // namespace

void prepare_service_for_update(const Json& live, Json& service) {
  Json& spec = service["spec"];
  const Json& now = spec;
  const Json& before = live["spec"];
  follow_address(before, spec);
  drop_with_type(live, service, spec);
  if (type_of(service) == "ExternalName") {
    if (type_of(live) != "ExternalName") {
      for (const char* name : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
        if (now[name] == before[name]) spec.erase(name);
      }
    }
    return;
  }
  if (type_of(live) != "ExternalName") {
    for (const char* name : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
      if (now[name].is_null() && !before[name].is_null()) spec.set(name, before[name]);
    }
  }
  if (wants_health_port(service) && now["healthCheckNodePort"].is_null() &&
      !before["healthCheckNodePort"].is_null()) {
    spec.set("healthCheckNodePort", before["healthCheckNodePort"]);
  }
  if (!wants_health_port(service) && now["healthCheckNodePort"] == before["healthCheckNodePort"])
    spec.erase("healthCheckNodePort");
  Json* ports = spec.find("ports");
  if (!ports) return;
  for (Json& port : ports->elements()) {
    const Json* old = same_port(live, port);
    if (!old) continue;
    const Json& given = port;
    if (wants_node_ports(service) && given["nodePort"].is_null() && !(*old)["nodePort"].is_null()) {
      port.set("nodePort", (*old)["nodePort"]);
    } else if (!wants_node_ports(service) && wants_node_ports(live) &&
               given["nodePort"] == (*old)["nodePort"]) {
      port.erase("nodePort");
    }
  }
}

}  // namespace flotilla::api
