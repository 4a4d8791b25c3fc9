// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "core/api/admission/rules.hpp"

namespace flotilla::api {

namespace {

constexpr std::int64_t kMaxPort = 65535;

void review_port_number(const std::string& field, const Json& port, FieldErrors& errors) {
  if (port.as_int() < 1 || port.as_int() > kMaxPort) {
    errors.invalid(field, port.as_int(), "must be between 1 and 65535, inclusive");
  }
}

void review_exposure_types(const Admission& admission, FieldErrors& errors) {
  const Json& types = admission.request.object.at({"spec", "types"});
  std::set<std::string_view> distinct;
  for (std::size_t i = 0; i < types.size(); ++i) {
    std::string_view type = types.element(i).as_string();
    distinct.insert(type);
    if (type == "CrossCluster" || type == "LoadBalancer") continue;
    errors.not_supported(at_index("spec.types", i), types.element(i), {"CrossCluster", "LoadBalancer"});
  }
  if (distinct.size() > 1) {
    errors.invalid("spec.types", types, "MultiClusterService types should not contain more than one type");
  }
  const Json& before = admission.request.old_object.at({"spec", "types"});
  if (admission.is_update() && before != types) {
    errors.invalid("spec.types", before, "MultiClusterService types are immutable");
  }
}

void review_exposed_ports(const Json& ports, FieldErrors& errors) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const Json& port = ports.element(i);
    std::string path = at_index("spec.ports", i);
    std::string_view name = port["name"].as_string();
    if (!name.empty()) {
      invalid_each(errors, path + ".name", name, check_dns_label(name));
      if (!names.insert(name).second) errors.duplicate(path + ".name", name);
    }
    review_port_number(path + ".port", port["port"], errors);
  }
}

void review_clusters(const Json& clusters, const std::string& path, FieldErrors& errors) {
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    const Json& name = clusters.element(i)["name"];
    invalid_each(errors, at_index(path, i), name, check_cluster_name(name.as_string()));
  }
}

void review_backend(const Json& backend, const std::string& path, FieldErrors& errors) {
  const Json& service = backend["service"];
  const Json& resource = backend["resource"];
  if (!service.is_null() && !resource.is_null()) {
    errors.invalid(path, "", "cannot set both resource and service backends");
    return;
  }
  if (!resource.is_null()) {
    for (std::string_view member : {"kind", "name"}) {
      if (resource[member].as_string().empty()) errors.required(path + ".resource." + std::string(member));
    }
    return;
  }
  if (service.is_null()) {
    errors.required(path, "resource or service backend is required");
    return;
  }
  std::string_view name = service["name"].as_string();
  if (name.empty()) {
    errors.required(path + ".service.name");
  } else {
    invalid_each(errors, path + ".service.name", name, check_dns1035_label(name));
  }
  bool has_name = !service.at({"port", "name"}).as_string().empty();
  const Json& number = service.at({"port", "number"});
  if (has_name && number.as_int() != 0) {
    errors.invalid(path, "", "cannot set both port name & port number");
  } else if (!has_name && number.as_int() == 0) {
    errors.required(path, "port name or number is required");
  } else if (!has_name) {
    review_port_number(path + ".service.port.number", number, errors);
  }
}

void review_http_path(const Json& http_path, const std::string& path, FieldErrors& errors) {
  const Json& type = http_path["pathType"];
  const Json& text = http_path["path"];
  std::string_view kind = type.as_string();
  if (type.is_null()) {
    errors.required(path + ".pathType", "pathType must be specified");
  } else if (kind == "Exact" || kind == "Prefix") {
    if (!text.as_string().starts_with('/')) {
      errors.invalid(path + ".path", text, "must be an absolute path");
    } else if (text.as_string().find("//") != std::string_view::npos) {
      errors.invalid(path + ".path", text, "must not contain '//'");
    }
  } else if (kind == "ImplementationSpecific") {
    if (!text.as_string().empty() && !text.as_string().starts_with('/')) {
      errors.invalid(path + ".path", text, "must be an absolute path");
    }
  } else {
    errors.not_supported(path + ".pathType", type, {"Exact", "ImplementationSpecific", "Prefix"});
  }
  review_backend(http_path["backend"], path + ".backend", errors);
}

void review_host(const Json& host, const std::string& field, FieldErrors& errors) {
  std::string_view name = host.as_string();
  if (name.empty()) return;
  bool looks_like_address = name.find(':') != std::string_view::npos ||
                            name.find_first_not_of("0123456789.") == std::string_view::npos;
  if (looks_like_address) {
    errors.invalid(field, host, "must be a DNS name, not an IP address");
    return;
  }
  if (name.starts_with("*.")) name.remove_prefix(2);
  invalid_each(errors, field, host, check_dns_subdomain(name));
}

}  // namespace

Status review_multi_cluster_service(const Admission& admission) {
  const Json& object = admission.request.object;
  const Json& spec = object["spec"];
  FieldErrors errors;
  const Json& name = object.at({"metadata", "name"});
  invalid_each(errors, "metadata.name", name, check_dns1035_label(name.as_string()));
  review_exposure_types(admission, errors);
  review_exposed_ports(spec["ports"], errors);
  review_clusters(spec["providerClusters"], "spec.range.providerClusters", errors);
  review_clusters(spec["consumerClusters"], "spec.range.consumerClusters", errors);
  return denial(errors);
}

Status review_multi_cluster_ingress(const Admission& admission) {
  const Json& spec = admission.request.object["spec"];
  const Json& rules = spec["rules"];
  const Json& fallback = spec["defaultBackend"];
  FieldErrors errors;
  if (rules.empty() && fallback.is_null()) {
    errors.invalid("spec", rules, "either `defaultBackend` or `rules` must be specified");
  }
  if (!fallback.is_null()) review_backend(fallback, "spec.defaultBackend", errors);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Json& rule = rules.element(i);
    std::string path = at_index("spec.rules", i);
    review_host(rule["host"], path + ".host", errors);
    if (rule["http"].is_null()) continue;
    const Json& paths = rule["http"]["paths"];
    if (paths.empty()) errors.required(path + ".http.paths");
    for (std::size_t j = 0; j < paths.size(); ++j) {
      review_http_path(paths.element(j), at_index(path + ".http.paths", j), errors);
    }
  }
  const Json& class_name = spec["ingressClassName"];
  if (!class_name.is_null()) {
    invalid_each(errors, "spec.ingressClassName", class_name, check_dns_subdomain(class_name.as_string()));
  }
  return denial(errors);
}

}  // namespace flotilla::api
