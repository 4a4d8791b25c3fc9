// SPDX-License-Identifier: Apache-2.0
#include "core/api/collected_slice.hpp"

#include <gtest/gtest.h>

#include "core/api/object.hpp"

namespace flotilla::api {
namespace {

Json json(std::string_view text) {
  return *Json::parse(text);
}

Json slice() {
  return json(
      R"({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": [],
    "metadata": {"name": "web-x1", "namespace": "shop", "uid": "u1", "resourceVersion": "7",
      "labels": {"kubernetes.io/service-name": "web"}}})");
}

TEST(CollectedSlice_Work, is_a_record_that_is_not_sent) {
  const Json work = collected_work(slice(), "m1", kServiceKeeper, Json());
  EXPECT_EQ(work["metadata"]["namespace"].as_string(), "karmada-es-m1");
  EXPECT_EQ(
      work["metadata"]["labels"],
      json(
          R"({"multiclusterservice.karmada.io/namespace": "shop", "multiclusterservice.karmada.io/name": "web",
                     "endpointslice.karmada.io/managed-by": "MultiClusterService"})"));
  EXPECT_EQ(work["metadata"]["finalizers"], json(R"(["karmada.io/mcs-endpointslice-dispatch-controller"])"));
  EXPECT_TRUE(work["spec"]["suspendDispatching"].as_bool());
  const Json& manifest = work["spec"]["workload"]["manifests"].element(0);
  EXPECT_TRUE(manifest["metadata"]["uid"].is_null());
  EXPECT_EQ(label_of(manifest, "kubernetes.io/service-name"), "web");
  EXPECT_TRUE(is_collected_slice(work));
}

TEST(CollectedSlice_Keepers, share_a_record_and_let_go_one_by_one) {
  const Json first = collected_work(slice(), "m1", kServiceKeeper, Json());
  Json both = collected_work(slice(), "m1", kExportKeeper, first);
  EXPECT_EQ(label_of(both, "endpointslice.karmada.io/managed-by"), "MultiClusterService.ServiceExport");
  EXPECT_EQ(
      std::as_const(both)["metadata"]["finalizers"],
      json(R"(["karmada.io/endpointslice-controller", "karmada.io/mcs-endpointslice-dispatch-controller"])"));
  EXPECT_TRUE(release_collected(both, kServiceKeeper));
  EXPECT_EQ(std::as_const(both)["metadata"]["labels"],
            json(R"({"endpointslice.karmada.io/namespace": "shop", "endpointslice.karmada.io/name": "web",
                     "endpointslice.karmada.io/managed-by": "ServiceExport"})"));
  EXPECT_FALSE(release_collected(both, kExportKeeper));
}

TEST(CollectedSlice_Selector, leaves_out_what_the_control_plane_made) {
  EXPECT_EQ(own_slices_selector(),
            "kubernetes.io/service-name,endpointslice.kubernetes.io/managed-by notin "
            "(endpointslice-dispatch-controller.karmada.io,endpointslice-controller.karmada.io)");
}

}  // namespace
}  // namespace flotilla::api
