// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/service_export/export_plan.hpp"

#include <gtest/gtest.h>

#include "core/api/collected_slice.hpp"
#include "core/api/object.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;

Json json(std::string_view text) {
  return *Json::parse(text);
}

TEST(Export_Import, names_the_slice_by_its_cluster) {
  const Json slice = json(
      R"({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}],
    "metadata": {"name": "web-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}}})");
  Json work = api::collected_work(slice, "m1", api::kExportKeeper, Json());
  work["metadata"]["labels"].set("work.karmada.io/permanent-id", "wid");
  const Json imported = imported_slice(work, "m1");
  EXPECT_EQ(api::name_of(imported), "imported-m1-web-x");
  EXPECT_EQ(imported["metadata"]["labels"],
            json(R"({"work.karmada.io/permanent-id": "wid", "kubernetes.io/service-name": "derived-web",
                     "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.karmada.io"})"));
  EXPECT_EQ(api::annotation_of(imported, "work.karmada.io/namespace"), "karmada-es-m1");
  Json stored = imported;
  EXPECT_FALSE(renew_imported_slice(stored, imported));
  Json moved = imported;
  moved.set("endpoints", Json::array());
  EXPECT_TRUE(renew_imported_slice(stored, moved));
  EXPECT_TRUE(std::as_const(stored)["endpoints"].empty());
}

TEST(Export_DerivedService, has_the_ports_and_keeps_its_address) {
  const Json import = json(R"({"metadata": {"name": "web", "namespace": "shop"},
    "spec": {"ips": ["10.1.1.1"], "ports": [{"name": "http", "port": 80, "protocol": "TCP", "appProtocol": "http"}, {"port": 53, "protocol": "UDP"}]}})");
  const Json service = derived_service(import);
  EXPECT_EQ(api::name_of(service), "derived-web");
  EXPECT_EQ(service["spec"]["ports"],
            json(R"([{"name": "http", "port": 80, "protocol": "TCP", "appProtocol": "http", "targetPort": 80},
                     {"port": 53, "protocol": "UDP", "targetPort": 53}])"));
  EXPECT_EQ(derived_status(import), json(R"({"loadBalancer": {"ingress": [{"ip": "10.1.1.1"}]}})"));
  Json stored = service;
  stored["spec"].set("clusterIP", "10.0.0.9");
  EXPECT_FALSE(renew_derived_service(stored, service));
  EXPECT_EQ(std::as_const(stored)["spec"]["clusterIP"].as_string(), "10.0.0.9");
}

}  // namespace
}  // namespace flotilla::controllers
