// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/service_export/export_plan.hpp"

#include "core/api/collected_slice.hpp"
#include "core/api/karmada.hpp"
#include "core/api/names.hpp"
#include "core/api/object.hpp"

namespace flotilla::controllers {

using api::Json;

Json imported_slice(const Json& work, const std::string& cluster) {
  Json slice = work["spec"]["workload"]["manifests"].element(0);
  const std::string service(api::label_of(work, api::labels::kEndpointSliceName));
  const std::string name = api::imported_endpoint_slice_name(api::name_of(slice), cluster);
  Json labels = Json::object({{api::labels::kWorkId, api::label_of(work, api::labels::kWorkId)},
                              {api::kServiceNameLabel, api::derived_service_name(service)},
                              {api::kSliceManagedByLabel, api::kImportedSlice}});
  Json annotations = Json::object({{api::annotations::kWorkNamespace, api::namespace_of(work)},
                                   {api::annotations::kWorkName, api::name_of(work)}});
  slice.set("metadata", Json::object({{"name", name},
                                      {"namespace", api::namespace_of(slice)},
                                      {"labels", std::move(labels)},
                                      {"annotations", std::move(annotations)}}));
  return slice;
}

bool renew_imported_slice(Json& slice, const Json& wanted) {
  const Json before = slice;
  for (const char* part : {"addressType", "endpoints", "ports"}) {
    if (wanted.contains(part)) slice.set(part, wanted[part]);
  }
  slice["metadata"].set("labels", wanted["metadata"]["labels"]);
  slice.make({"metadata", "annotations"});
  for (const auto& [key, value] : wanted["metadata"]["annotations"].members())
    slice["metadata"]["annotations"].set(key, value);
  return !(slice == before);
}

Json derived_service(const Json& import) {
  Json ports = Json::array();
  for (const Json& port : import["spec"]["ports"].elements()) {
    Json made = Json::object({{"port", port["port"]},
                              {"protocol", port["protocol"].as_string("TCP")},
                              {"targetPort", port["port"]}});
    if (!port["name"].as_string().empty()) made.set("name", port["name"]);
    if (port.contains("appProtocol")) made.set("appProtocol", port["appProtocol"]);
    ports.push_back(std::move(made));
  }
  return Json::object({{"apiVersion", "v1"},
                       {"kind", "Service"},
                       {"metadata", Json::object({{"name", api::derived_service_name(api::name_of(import))},
                                                  {"namespace", api::namespace_of(import)}})},
                       {"spec", Json::object({{"type", "ClusterIP"},
                                              {"ports", std::move(ports)},
                                              {"sessionAffinity", "None"},
                                              {"internalTrafficPolicy", "Cluster"}})}});
}

bool renew_derived_service(Json& service, const Json& wanted) {
  const Json before = service;
  Json spec = wanted["spec"];
  const Json& known = std::as_const(service)["spec"];
  for (const char* kept : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
    if (known.contains(kept)) spec.set(kept, known[kept]);
  }
  service.set("spec", std::move(spec));
  return !(service == before);
}

Json derived_status(const Json& import) {
  Json ingress = Json::array();
  for (const Json& ip : import["spec"]["ips"].elements()) ingress.push_back(Json::object({{"ip", ip}}));
  Json balancer = Json::object();
  if (!ingress.empty()) balancer.set("ingress", std::move(ingress));
  return Json::object({{"loadBalancer", std::move(balancer)}});
}

}  // namespace flotilla::controllers
