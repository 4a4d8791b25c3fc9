// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/multi_cluster_service/mcs_plan.hpp"

#include <gtest/gtest.h>

#include "core/api/collected_slice.hpp"
#include "core/api/object.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using Names = std::set<std::string>;

Json json(std::string_view text) {
  return *Json::parse(text);
}

Json mcs(std::string_view spec = R"({"types": ["CrossCluster"]})") {
  Json object = json(R"({"apiVersion": "networking.karmada.io/v1alpha1", "kind": "MultiClusterService",
    "metadata": {"name": "web", "namespace": "shop", "uid": "m", "labels": {"multiclusterservice.karmada.io/permanent-id": "id"}}})");
  object.set("spec", json(spec));
  return object;
}

TEST(Mcs_Clusters, those_named_or_all) {
  const Json named = mcs(R"({"types": ["CrossCluster"], "providerClusters": [{"name": "m1"}]})");
  EXPECT_EQ(provider_clusters(named, {"m1", "m2"}), Names({"m1"}));
  EXPECT_EQ(consumer_clusters(named, {"m1", "m2"}), Names({"m1", "m2"}));
  EXPECT_TRUE(is_cross_cluster(named));
  EXPECT_FALSE(is_cross_cluster(mcs(R"({"types": ["LoadBalancer"]})")));
}

TEST(Mcs_Service, changes_hands_and_is_let_go) {
  Json service = json(R"({"metadata": {"name": "web", "namespace": "shop", "uid": "s", "resourceVersion": "5",
    "labels": {"app": "web", "propagationpolicy.karmada.io/permanent-id": "p"},
    "annotations": {"propagationpolicy.karmada.io/name": "p", "propagationpolicy.karmada.io/namespace": "shop"}}})");
  EXPECT_TRUE(claim_service(service, mcs()));
  EXPECT_FALSE(claim_service(service, mcs()));
  EXPECT_EQ(std::as_const(service)["metadata"]["labels"],
            json(R"({"app": "web", "resourcetemplate.karmada.io/claimed-by": "MultiClusterService",
                     "multiclusterservice.karmada.io/permanent-id": "id"})"));
  EXPECT_EQ(
      std::as_const(service)["metadata"]["annotations"],
      json(
          R"({"multiclusterservice.karmada.io/name": "web", "multiclusterservice.karmada.io/namespace": "shop"})"));

  const Json wanted = service_binding(service, mcs(), {"m2", "m1"});
  EXPECT_EQ(wanted["metadata"]["name"].as_string(), "web-service");
  EXPECT_EQ(wanted["spec"]["placement"], json(R"({"clusterAffinity": {"clusterNames": ["m1", "m2"]}})"));
  Json binding = wanted;
  binding["spec"].set("clusters", json(R"([{"name": "m1"}])"));
  EXPECT_FALSE(renew_service_binding(binding, wanted));
  EXPECT_TRUE(renew_service_binding(binding, service_binding(service, mcs(), {"m3"})));
  EXPECT_EQ(std::as_const(binding)["spec"]["clusters"], json(R"([{"name": "m1"}])"));

  EXPECT_TRUE(release_service(service));
  EXPECT_FALSE(release_service(service));
  EXPECT_EQ(std::as_const(service)["metadata"]["labels"], json(R"({"app": "web"})"));
  EXPECT_TRUE(release_service_binding(binding));
  EXPECT_TRUE(api::label_of(binding, "binding.karmada.io/managed-by").empty());
}

TEST(Mcs_Dispatch, renames_the_slice_and_says_where_it_is_from) {
  const Json slice =
      json(R"({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
    "endpoints": [{"addresses": ["10.0.0.1"]}],
    "metadata": {"name": "web-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web", "other": "x"}}})");
  const Json record = api::collected_work(slice, "m1", api::kServiceKeeper, Json());
  const Json work = dispatched_work(record, mcs(), "m1", "m2");
  EXPECT_EQ(work["metadata"]["name"], record["metadata"]["name"]);
  EXPECT_EQ(work["metadata"]["namespace"].as_string(), "karmada-es-m2");
  EXPECT_EQ(work["metadata"]["annotations"], json(R"({"endpointslice.karmada.io/provision-cluster": "m1"})"));
  EXPECT_FALSE(work["spec"]["suspendDispatching"].as_bool());
  const Json& manifest = work["spec"]["workload"]["manifests"].element(0);
  EXPECT_EQ(api::name_of(manifest), "m1-web-x");
  EXPECT_EQ(manifest["metadata"]["labels"],
            json(R"({"kubernetes.io/service-name": "web", "karmada.io/managed": "true",
                     "endpointslice.kubernetes.io/managed-by": "endpointslice-dispatch-controller.karmada.io"})"));
  EXPECT_EQ(manifest["endpoints"], slice["endpoints"]);
  EXPECT_FALSE(api::is_collected_slice(work));
}

TEST(Mcs_Marker, is_never_sent) {
  const Json marker = marker_work(mcs(), "m1");
  EXPECT_EQ(api::name_of(marker), marker_work_name("shop", "web"));
  EXPECT_TRUE(marker["spec"]["suspendDispatching"].as_bool());
  EXPECT_EQ(
      marker["metadata"]["labels"],
      json(
          R"({"multiclusterservice.karmada.io/permanent-id": "id", "multiclusterservice.karmada.io/name": "web",
                     "multiclusterservice.karmada.io/namespace": "shop"})"));
}

}  // namespace
}  // namespace flotilla::controllers
