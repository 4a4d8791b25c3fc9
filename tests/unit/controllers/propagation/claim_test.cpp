// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/propagation/claim.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using api::Json;

const Claim kByPolicy{"default", "pp", "id-1"};
const Claim kByClusterPolicy{"", "cpp", "id-2"};

TEST(Controllers_Claim, what_is_set_is_read_back) {
  Json object = Json::object();
  EXPECT_TRUE(set_claim(object, kByPolicy));
  EXPECT_EQ(claim_on(object), kByPolicy);
  EXPECT_FALSE(set_claim(object, kByPolicy));
}

TEST(Controllers_Claim, a_policy_ousts_a_cluster_policy) {
  Json object = Json::object();
  set_claim(object, kByClusterPolicy);
  set_claim(object, kByPolicy);
  EXPECT_FALSE(claim_by_cluster_policy_on(object));
  EXPECT_EQ(claim_on(object), kByPolicy);
}

TEST(Controllers_Claim, half_a_claim_does_not_count) {
  const Json object =
      *Json::parse(R"({"metadata":{"labels":{"propagationpolicy.karmada.io/permanent-id":"x"}}})");
  EXPECT_FALSE(claim_on(object));
}

TEST(Controllers_Claim, a_claim_of_another_policy_is_left_alone) {
  Json object = Json::object();
  set_claim(object, kByPolicy);
  EXPECT_FALSE(remove_policy_claim(object, "other"));
  EXPECT_TRUE(remove_policy_claim(object, "id-1"));
  EXPECT_FALSE(claim_on(object));
}

TEST(Controllers_Claim, a_policy_claims_under_its_permanent_id) {
  const Json policy = *Json::parse(R"({"metadata":{"name":"cpp",
    "labels":{"clusterpropagationpolicy.karmada.io/permanent-id":"id-2"}}})");
  EXPECT_EQ(claim_by(policy), kByClusterPolicy);
}

}  // namespace
}  // namespace flotilla::controllers
