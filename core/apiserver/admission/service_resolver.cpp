// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/service_resolver.hpp"

#include <optional>

#include "core/apiserver/errors.hpp"

namespace flotilla::apiserver {
namespace {

using api::Json;

// The first ready address of an Endpoints object whose port has the name.
std::optional<ServiceAddress> from_endpoints(const Json& endpoints, std::string_view port_name) {
  for (const Json& subset : endpoints["subsets"].elements()) {
    for (const Json& port : subset["ports"].elements()) {
      if (port["name"].as_string() != port_name) continue;
      for (const Json& address : subset["addresses"].elements())
        return ServiceAddress{std::string(address["ip"].as_string()), port["port"].as_int()};
    }
  }
  return std::nullopt;
}

std::optional<ServiceAddress> from_slice(const Json& slice, std::string_view port_name) {
  for (const Json& port : slice["ports"].elements()) {
    if (port["name"].as_string() != port_name) continue;
    for (const Json& endpoint : slice["endpoints"].elements()) {
      if (!endpoint["conditions"]["ready"].as_bool(true)) continue;
      for (const Json& address : endpoint["addresses"].elements())
        return ServiceAddress{std::string(address.as_string()), port["port"].as_int()};
    }
  }
  return std::nullopt;
}

}  // namespace

std::string ServiceAddress::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<ServiceAddress> resolve_service(const store::Store& store, std::string_view ns, std::string_view name,
                                       std::int64_t port) {
  const auto service = store.get(store::collection_of("", "services"), ns, name);
  if (!service) return Error(Code::NotFound, "service " + quoted(name) + " not found");
  const auto content = service->content();
  const Json& spec = (*content)["spec"];
  if (spec["type"].as_string() == "ExternalName")
    return ServiceAddress{std::string(spec["externalName"].as_string()), port};
  std::optional<std::string> port_name;
  for (const Json& entry : spec["ports"].elements()) {
    if (entry["port"].as_int() == port) port_name = entry["name"].as_string();
  }
  if (!port_name) {
    return Error(Code::Invalid,
                 "no service port " + std::to_string(port) + " found for service " + quoted(name));
  }
  if (const auto endpoints = store.get(store::collection_of("", "endpoints"), ns, name)) {
    if (auto found = from_endpoints(*endpoints->content(), *port_name)) return *found;
  }
  for (const auto& slice :
       store.list(store::collection_of("discovery.k8s.io", "endpointslices"), ns).objects) {
    const std::string* owner = slice->labels().find("kubernetes.io/service-name");
    if (owner == nullptr || *owner != name) continue;
    if (auto found = from_slice(*slice->content(), *port_name)) return *found;
  }
  return Error(Code::Unavailable, "no endpoints available for service " + quoted(name));
}

std::optional<ServiceAddress> cluster_address(const store::Store& store, std::string_view ns,
                                              std::string_view name, std::int64_t port) {
  const auto service = store.get(store::collection_of("", "services"), ns, name);
  if (!service) return std::nullopt;
  const std::string_view ip = (*service->content())["spec"]["clusterIP"].as_string();
  if (ip.empty() || ip == "None") return std::nullopt;
  return ServiceAddress{std::string(ip), port};
}

}  // namespace flotilla::apiserver
