// SPDX-License-Identifier: Apache-2.0
#include "core/api/schema/registry.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

TEST(Api_Registry, knows_built_in_resources) {
  const ResourcePtr found = Registry::builtin().find_resource("apps", "v1", "deployments");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, "Deployment");
  EXPECT_EQ(found->short_names, std::vector<std::string>{"deploy"});
  EXPECT_TRUE(found->namespaced);
  EXPECT_TRUE(found->traits.status);
  EXPECT_EQ(found->subresource("scale")->gvk, (GroupVersionKind{"autoscaling", "v1", "Scale"}));
  EXPECT_EQ(Registry::builtin().find_kind({"apps", "v1", "Deployment"}), found);
  EXPECT_FALSE(Registry::builtin().find_resource("apps", "v2", "deployments"));
}

TEST(Api_Registry, knows_karmadas_resources_only_where_asked) {
  const ResourcePtr found =
      Registry::builtin().find_resource("policy.karmada.io", "v1alpha1", "propagationpolicies");
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->traits.typed);
  EXPECT_EQ(found->schema->field("spec")->schema->field("placement")->schema->kind(), SchemaKind::Struct);
  EXPECT_FALSE(Registry::kubernetes().find_resource("policy.karmada.io", "v1alpha1", "propagationpolicies"));
  EXPECT_FALSE(Registry::builtin().find_resource("work.karmada.io", "v1alpha1", "resourcebindings")->storage);
}

TEST(Api_Registry, orders_versions_by_preference) {
  EXPECT_EQ(Registry::builtin().versions("autoscaling"), (std::vector<std::string>{"v2", "v1", "v2beta2"}));
}

TEST(Api_Registry, knows_types_of_bodies_without_resource) {
  const Registry& registry = Registry::builtin();
  EXPECT_TRUE(registry.type_of({"autoscaling", "v1", "Scale"}));
  EXPECT_TRUE(registry.type_of({"", "v1", "DeleteOptions"}));
  EXPECT_FALSE(registry.type_of({"", "v1", "Nothing"}));
}

TEST(Api_Registry, gives_every_resource_a_schema) {
  for (const ResourcePtr& one : Registry::builtin().resources()) {
    EXPECT_NE(one->schema, &Schema::any()) << one->resource;
  }
}

TEST(Api_Schema, tells_merge_keys_and_list_types) {
  const Schema* spec = TypeSet::builtin().find("io.k8s.api.core.v1.PodSpec");
  ASSERT_TRUE(spec);
  const Field* containers = spec->field("containers");
  EXPECT_EQ(containers->patch.merge_key, "name");
  EXPECT_EQ(containers->schema->list_type(), ListType::Map);
  EXPECT_EQ(containers->schema->items().name(), "io.k8s.api.core.v1.Container");
  EXPECT_TRUE(spec->field("volumes")->patch.retain_keys);
  EXPECT_TRUE(spec->field("nodeSelector")->schema->atomic_map());
  const Schema& port = spec->field("containers")->schema->items().field("ports")->schema->items();
  EXPECT_EQ(port.field("protocol")->default_text, "\"TCP\"");
  EXPECT_TRUE(TypeSet::builtin().find("io.k8s.api.apps.v1.DeploymentSpec")->field("replicas")->pointer);
}

TEST(Api_Schema, makes_a_struct_granular_for_one_field) {
  const Schema* spec = TypeSet::builtin().find("io.k8s.api.core.v1.PersistentVolumeSpec");
  EXPECT_FALSE(spec->field("claimRef")->schema->atomic_map());
  EXPECT_TRUE(spec->field("claimRef")->schema->field("name"));
  EXPECT_TRUE(TypeSet::builtin().find("io.k8s.api.core.v1.ObjectReference")->atomic_map());
}

TEST(Api_Schema, reads_a_custom_resource) {
  auto crd =
      Json::parse(R"({"spec":{"group":"x.io","scope":"Namespaced","names":{"plural":"foos","kind":"Foo",
    "singular":"foo","listKind":"FooList"},"versions":[{"name":"v1","served":true,"storage":true,
    "subresources":{"status":{}},"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object",
    "required":["size"],"properties":{"size":{"type":"integer","minimum":1,"default":3},"items":{"type":"array",
    "x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":{"type":"object",
    "properties":{"k":{"type":"string"}}}}}}}}}}]}})");
  ASSERT_TRUE(crd);
  auto made = resources_of_crd(*crd);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->size(), 1u);
  const Resource& foo = *made->front();
  EXPECT_TRUE(foo.traits.status);
  const Schema* spec = foo.schema->field("spec")->schema;
  EXPECT_EQ(spec->field("size")->default_text, "3");
  EXPECT_TRUE(spec->field("size")->required);
  EXPECT_EQ(spec->field("size")->schema->facets()->minimum, 1);
  EXPECT_EQ(spec->field("items")->schema->list_keys().front(), "k");
  EXPECT_TRUE(foo.schema->field("metadata")->schema->field("labels"));
}

}  // namespace
}  // namespace flotilla::api
