// SPDX-License-Identifier: Apache-2.0
#include "core/api/binding_conversion.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

TEST(Api_BindingConversion, moves_replicas_and_requests_to_where_each_version_has_them) {
  Json old = *Json::parse(
      R"({"apiVersion": "work.karmada.io/v1alpha1", "kind": "ResourceBinding", "metadata": {"name": "b"},
    "spec": {"resource": {"kind": "Deployment", "name": "d", "replicas": 3, "resourcePerReplicas": {"cpu": "1"}},
             "clusters": [{"name": "a", "replicas": 3}]}, "status": {}})");
  Json current = *Json::parse(
      R"({"apiVersion": "work.karmada.io/v1alpha2", "kind": "ResourceBinding", "metadata": {"name": "b"},
    "spec": {"resource": {"kind": "Deployment", "name": "d"}, "replicas": 3,
             "replicaRequirements": {"resourceRequest": {"cpu": "1"}}, "clusters": [{"name": "a", "replicas": 3}]}, "status": {}})");
  EXPECT_EQ(*convert_binding(old, "v1alpha2"), current);
  EXPECT_EQ(*convert_binding(current, "v1alpha1"), old);
  EXPECT_EQ(*convert_binding(current, "v1alpha2"), current);
}

TEST(Api_BindingConversion, knows_two_versions) {
  EXPECT_FALSE(convert_binding(*Json::parse(R"({"apiVersion": "work.karmada.io/v1alpha2"})"), "v1").ok());
}

}  // namespace
}  // namespace flotilla::api
