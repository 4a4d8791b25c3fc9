// SPDX-License-Identifier: Apache-2.0
#include "core/api/names.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

TEST(Api_Names, binding_is_called_after_name_and_kind) {
  EXPECT_EQ(binding_name("Deployment", "nginx"), "nginx-deployment");
  EXPECT_EQ(binding_name("ClusterRole", "system:foo"), "system.foo-clusterrole");
}

TEST(Api_Names, work_ends_in_a_hash_of_namespace_name_and_kind) {
  EXPECT_EQ(work_name("Deployment", "nginx", "default"), "nginx-687f7fb96f");
  EXPECT_EQ(work_name("EndpointSlice", "nginx", "default"), "nginx-76c746cbb7");
  EXPECT_EQ(work_name("ClusterRole", "system:foo", "").substr(0, 11), "system.foo-");
}

TEST(Api_Names, binding_reference_key_hashes_namespace_and_name) {
  EXPECT_EQ(binding_reference_key("karmada-es-member1", "nginx"), "f9569d44d");
}

TEST(Api_Names, execution_namespace_names_its_cluster) {
  EXPECT_EQ(execution_namespace("member1"), "karmada-es-member1");
  EXPECT_EQ(*cluster_of_execution_namespace("karmada-es-member1"), "member1");
  EXPECT_EQ(cluster_of_execution_namespace("default").error().message(),
            "the execution space name is in wrong format");
}

TEST(Api_Names, namespaces_of_the_control_plane_are_reserved) {
  EXPECT_TRUE(is_reserved_namespace("karmada-system"));
  EXPECT_TRUE(is_reserved_namespace("karmada-es-a"));
  EXPECT_FALSE(is_reserved_namespace("karmada-es"));
  EXPECT_FALSE(is_reserved_namespace("default"));
}

TEST(Api_Names, letters_beyond_ascii_are_lowered_too) {
  EXPECT_EQ(to_lower("ÄÖÜ-Straße-ΑΒΓ-ЖЯ-Ša"), "äöü-straße-αβγ-жя-ša");
  EXPECT_EQ(to_lower("测试-🚀-A"), "测试-🚀-a");
}

}  // namespace
}  // namespace flotilla::api
