// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/skipped_namespaces.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

TEST(Controllers_SkippedNamespaces, are_the_control_planes_own_and_whole_names_that_fit) {
  const auto skipped = SkippedNamespaces::parse("kube-.*,internal");
  ASSERT_TRUE(skipped.ok());
  for (const char* name :
       {"kube-system", "kube-", "internal", "karmada-system", "karmada-cluster", "karmada-es-a"})
    EXPECT_TRUE(skipped->contains(name)) << name;
  for (const char* name : {"my-kube-system", "internal-things", "default", ""})
    EXPECT_FALSE(skipped->contains(name)) << name;
  EXPECT_FALSE(SkippedNamespaces::parse("")->contains("kube-system"));
}

TEST(Controllers_SkippedNamespaces, a_broken_expression_is_named) {
  const auto broken = SkippedNamespaces::parse("ok,(");
  ASSERT_FALSE(broken.ok());
  EXPECT_NE(broken.error().message().find("\"(\""), std::string::npos);
}

}  // namespace
}  // namespace flotilla::controllers
