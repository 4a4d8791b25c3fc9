// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/propagation/policy_match.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using api::Json;

class Controllers_PolicyMatch : public testing::Test {
 protected:
  // `selector` is added to the kind; namespace empty: a ClusterPropagationPolicy.
  void policy(std::string_view name, std::string_view ns, int priority, std::string_view selector = "{}",
              bool deleting = false) {
    Json text = *Json::parse(R"({"metadata":{},"spec":{}})");
    text["metadata"].set("name", name);
    if (!ns.empty()) text["metadata"].set("namespace", ns);
    if (deleting) text["metadata"].set("deletionTimestamp", "2024-01-01T00:00:00Z");
    text["spec"].set("priority", priority);
    Json with_kind = *Json::parse(selector);
    with_kind.set("apiVersion", "v1");
    with_kind.set("kind", "ConfigMap");
    text["spec"].set("resourceSelectors", Json::array({with_kind}));
    (ns.empty() ? cluster_policies_ : policies_).push_back(std::make_shared<ClaimingPolicy>(text));
  }
  std::string chosen() const {
    const ClaimingPolicy* best = choose_policy(object_, policies_, cluster_policies_);
    return best == nullptr ? "" : best->name();
  }
  FindPolicy find() const {
    return [this](const std::string& ns, const std::string& name) -> const ClaimingPolicy* {
      for (const auto& each : ns.empty() ? cluster_policies_ : policies_) {
        if (each->name_space() == ns && each->name() == name) return each.get();
      }
      return nullptr;
    };
  }

  Json object_ = *Json::parse(
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","namespace":"default","labels":{"app":"x"}}})");
  std::vector<std::shared_ptr<const ClaimingPolicy>> policies_;
  std::vector<std::shared_ptr<const ClaimingPolicy>> cluster_policies_;
};

TEST_F(Controllers_PolicyMatch, a_policy_of_the_namespace_beats_any_cluster_policy) {
  policy("cluster", "", 100, R"({"name":"x"})");
  policy("local", "default", -1);
  EXPECT_EQ(chosen(), "local");
}

TEST_F(Controllers_PolicyMatch, priority_comes_before_precision_and_precision_before_name) {
  policy("a", "default", 0);
  policy("b", "default", 0, R"({"labelSelector":{}})");
  EXPECT_EQ(chosen(), "b");
  policy("c", "default", 0, R"({"name":"x"})");
  EXPECT_EQ(chosen(), "c");
  policy("d", "default", 1);
  EXPECT_EQ(chosen(), "d");
}

TEST_F(Controllers_PolicyMatch, equal_policies_are_told_apart_by_name) {
  policy("b", "default", 0);
  policy("a", "default", 0);
  policy("c", "default", 0);
  EXPECT_EQ(chosen(), "a");
}

TEST_F(Controllers_PolicyMatch, deleting_policies_and_other_namespaces_are_passed_over) {
  policy("gone", "default", 0, "{}", true);
  policy("elsewhere", "other", 0);
  EXPECT_EQ(chosen(), "");
}

TEST_F(Controllers_PolicyMatch, a_higher_policy_preempts_one_of_its_kind) {
  policy("low", "default", 1);
  policy("high", "default", 2);
  set_claim(object_,
            policies_[0]->claim().id.empty() ? Claim{"default", "low", "id"} : policies_[0]->claim());
  EXPECT_TRUE(*preempts(*policies_[1], object_, find()));
  policy("equal", "default", 1);
  EXPECT_FALSE(*preempts(*policies_[2], object_, find()));
}

TEST_F(Controllers_PolicyMatch, a_policy_preempts_any_cluster_policy_and_never_the_other_way) {
  policy("cluster", "", 100);
  policy("local", "default", 0);
  Json by_cluster = object_;
  set_claim(by_cluster, {"", "cluster", "id"});
  EXPECT_TRUE(*preempts(*policies_[0], by_cluster, find()));
  Json by_local = object_;
  set_claim(by_local, {"default", "local", "id"});
  EXPECT_FALSE(*preempts(*cluster_policies_[0], by_local, find()));
}

TEST_F(Controllers_PolicyMatch, a_holder_that_is_gone_is_an_error) {
  policy("new", "", 5);
  set_claim(object_, {"", "oldc", "id"});
  EXPECT_EQ(preempts(*cluster_policies_[0], object_, find()).error().message(),
            "clusterpropagationpolicies.policy.karmada.io \"oldc\" not found");
}

TEST_F(Controllers_PolicyMatch, an_unclaimed_template_is_nobodys_to_preempt) {
  policy("new", "default", 5);
  EXPECT_FALSE(*preempts(*policies_[0], object_, find()));
}

}  // namespace
}  // namespace flotilla::controllers
