// SPDX-License-Identifier: Apache-2.0
#include "core/overrides/apply.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flotilla::overrides {
namespace {

using api::Json;

// Sets metadata.labels[key]; `per_cluster` adds the cluster's name; the value "bad" is refused.
class LabelRule final : public Rule {
 public:
  explicit LabelRule(Json params) : params_(std::move(params)) {}

  Result<std::vector<PatchGroup>> apply(const Json&, std::span<const Target> targets) const override {
    std::vector<PatchGroup> groups;
    for (std::uint32_t i = 0; i < targets.size(); ++i) {
      const std::string cluster(targets[i].cluster->at({"metadata", "name"}).as_string());
      if (params_["refuse"].as_string() == cluster) return invalid("not for " + cluster);
      std::string value(params_["value"].as_string());
      if (params_["perCluster"].as_bool()) value += cluster;
      Json labels = Json::object();
      labels[params_["key"].as_string()] = value;
      Json patch = Json::object();
      patch.make({"metadata", "labels"}) = labels;
      if (groups.empty() || groups.back().patch != patch) {
        groups.push_back({PatchGroup::Kind::MergePatch, patch, {}});
      }
      groups.back().targets.push_back(i);
    }
    return groups;
  }

 private:
  Json params_;
};

class LabelKind final : public RuleKind {
 public:
  LabelKind(std::string field, int order) : field_(std::move(field)), order_(order) {}
  std::string_view name() const override { return field_; }
  std::string_view field() const override { return field_; }
  int order() const override { return order_; }
  Result<std::shared_ptr<const Rule>> compile(const Json& params) const override {
    if (params["value"].as_string() == "bad") return invalid("bad value");
    return std::shared_ptr<const Rule>(std::make_shared<LabelRule>(params));
  }

 private:
  std::string field_;
  int order_;
};

class Overrides_Apply : public testing::Test {
 protected:
  Overrides_Apply()
      : registry_(*RuleRegistry::make(
            {std::make_shared<LabelKind>("second", 2), std::make_shared<LabelKind>("first", 1)})) {
    for (const char* name : {"a", "b", "c"}) {
      clusters_.push_back(Json::object({{"metadata", Json::object({{"name", name}})}}));
    }
    for (const Json& cluster : clusters_) targets_.push_back({&cluster, {}});
  }

  void policy(std::string_view text) {
    auto compiled = std::make_shared<CompiledPolicy>(*Json::parse(text), registry_);
    (compiled->name_space().empty() ? cluster_policies_ : policies_).push_back(compiled);
  }
  Overridden apply(std::string_view manifest = R"({"apiVersion":"v1","kind":"ConfigMap",
      "metadata":{"name":"x","namespace":"default","labels":{"app":"x"}}})") {
    return apply_overrides(*Json::parse(manifest), targets_, cluster_policies_, policies_);
  }
  static std::string_view label(const Outcome& outcome, std::string_view key) {
    return outcome.manifest.at({"metadata", "labels", key}).as_string();
  }

  RuleRegistry registry_;
  std::vector<Json> clusters_;
  std::vector<Target> targets_;
  std::vector<std::shared_ptr<const CompiledPolicy>> cluster_policies_;
  std::vector<std::shared_ptr<const CompiledPolicy>> policies_;
};

TEST_F(Overrides_Apply, without_policies_all_clusters_share_the_template) {
  const Overridden done = apply();
  ASSERT_EQ(done.outcomes.size(), 1u);
  EXPECT_EQ(done.outcomes[0].targets.size(), 3u);
  EXPECT_TRUE(done.outcomes[0].applied_overrides.is_null());
}

TEST_F(Overrides_Apply, the_more_precise_policy_has_the_last_word) {
  policy(
      R"({"metadata":{"name":"b","namespace":"default"},"spec":{"overriders":{"first":{"key":"k","value":"b"}}}})");
  policy(R"({"metadata":{"name":"a","namespace":"default"},"spec":{"resourceSelectors":
    [{"apiVersion":"v1","kind":"ConfigMap","name":"x"}],"overriders":{"first":{"key":"k","value":"a"}}}})");
  const Overridden done = apply();
  ASSERT_EQ(done.outcomes.size(), 1u);
  EXPECT_EQ(label(done.outcomes[0], "k"), "a");
  EXPECT_EQ(done.outcomes[0].applied_overrides.element(0)["policyName"].as_string(), "a");
  EXPECT_EQ(done.outcomes[0].applied_overrides.element(1)["policyName"].as_string(), "b");
}

TEST_F(Overrides_Apply, policies_of_the_namespace_come_after_cluster_policies) {
  policy(R"({"metadata":{"name":"z"},"spec":{"overriders":{"first":{"key":"k","value":"cluster"}}}})");
  policy(
      R"({"metadata":{"name":"a","namespace":"default"},"spec":{"overriders":{"first":{"key":"k","value":"local"}}}})");
  policy(
      R"({"metadata":{"name":"b","namespace":"other"},"spec":{"overriders":{"first":{"key":"k","value":"other"}}}})");
  const Overridden done = apply();
  ASSERT_EQ(done.outcomes.size(), 1u);
  EXPECT_EQ(label(done.outcomes[0], "k"), "local");
  EXPECT_EQ(done.outcomes[0].applied_cluster_overrides.size(), 1u);
  EXPECT_EQ(done.outcomes[0].applied_overrides.size(), 1u);
}

TEST_F(Overrides_Apply, labels_set_by_the_first_phase_count_for_the_second) {
  policy(R"({"metadata":{"name":"z"},"spec":{"overriders":{"first":{"key":"tier","value":"gold"}}}})");
  policy(R"({"metadata":{"name":"a","namespace":"default"},"spec":{"resourceSelectors":
    [{"apiVersion":"v1","kind":"ConfigMap","labelSelector":{"matchLabels":{"tier":"gold"}}}],
    "overriders":{"first":{"key":"k","value":"seen"}}}})");
  EXPECT_EQ(label(apply().outcomes[0], "k"), "seen");
}

TEST_F(Overrides_Apply, kinds_apply_in_their_order) {
  policy(R"({"metadata":{"name":"a"},"spec":{"overriders":{"second":{"key":"k","value":"2"},
    "first":{"key":"k","value":"1"}}}})");
  EXPECT_EQ(label(apply().outcomes[0], "k"), "2");
}

TEST_F(Overrides_Apply, clusters_that_other_rules_mean_get_a_manifest_of_their_own) {
  policy(R"({"metadata":{"name":"a"},"spec":{"overrideRules":[
    {"targetCluster":{"clusterNames":["b"]},"overriders":{"first":{"key":"k","value":"b"}}}]}})");
  const Overridden done = apply();
  ASSERT_EQ(done.outcomes.size(), 2u);
  for (const Outcome& outcome : done.outcomes) {
    const bool is_b = outcome.targets == std::vector<std::uint32_t>{1};
    EXPECT_EQ(label(outcome, "k"), is_b ? "b" : "");
    EXPECT_EQ(outcome.applied_cluster_overrides.is_null(), !is_b);
  }
}

TEST_F(Overrides_Apply, a_rule_may_tell_clusters_apart) {
  policy(
      R"({"metadata":{"name":"a"},"spec":{"overriders":{"first":{"key":"k","value":"on-","perCluster":true}}}})");
  const Overridden done = apply();
  ASSERT_EQ(done.outcomes.size(), 3u);
  EXPECT_EQ(label(done.outcomes[2], "k"), "on-c");
}

TEST_F(Overrides_Apply, one_cluster_that_fails_leaves_the_others_alone) {
  policy(R"({"metadata":{"name":"a"},"spec":{"overriders":{"first":{"key":"k","value":"v","refuse":"b"}}}})");
  const Overridden done = apply();
  EXPECT_EQ(done.outcomes.size(), 2u);
  ASSERT_EQ(done.failures.size(), 1u);
  EXPECT_EQ(done.failures[0].targets, std::vector<std::uint32_t>{1});
  EXPECT_EQ(done.failures[0].error.message(),
            "ConfigMap default/x: ClusterOverridePolicy a: spec.overriders.first: not for b");
}

TEST_F(Overrides_Apply, a_faulty_rule_fails_only_the_clusters_it_means) {
  policy(R"({"metadata":{"name":"a"},"spec":{"overrideRules":[
    {"targetCluster":{"clusterNames":["c"]},"overriders":{"first":{"key":"k","value":"bad"}}}]}})");
  const Overridden done = apply();
  ASSERT_EQ(done.failures.size(), 1u);
  EXPECT_EQ(done.failures[0].targets, std::vector<std::uint32_t>{2});
  EXPECT_EQ(done.outcomes[0].targets.size(), 2u);
}

TEST_F(Overrides_Apply, an_overrider_without_its_plugin_is_not_passed_over) {
  policy(R"({"metadata":{"name":"a"},"spec":{"overriders":{"third":[{"x":1}]}}})");
  const Overridden done = apply();
  ASSERT_EQ(done.failures.size(), 1u);
  EXPECT_TRUE(done.failures[0].error.is(Code::Unavailable));
}

TEST_F(Overrides_Apply, empty_overriders_say_nothing_and_scalars_say_something) {
  policy(R"({"metadata":{"name":"a"},"spec":{"overriders":{"third":[],"fourth":null}}})");
  EXPECT_TRUE(apply().failures.empty());
  policy(R"({"metadata":{"name":"b"},"spec":{"overriders":{"third":true}}})");
  EXPECT_EQ(apply().failures.size(), 1u);
}

TEST_F(Overrides_Apply, identity_is_not_for_overrides_to_change) {
  class Renamer final : public Rule {
   public:
    Result<std::vector<PatchGroup>> apply(const Json&, std::span<const Target>) const override {
      return std::vector<PatchGroup>{
          {PatchGroup::Kind::MergePatch, *Json::parse(R"({"metadata":{"name":"y"}})"), {0, 1, 2}}};
    }
  };
  class RenamerKind final : public RuleKind {
   public:
    std::string_view name() const override { return "renamer"; }
    std::string_view field() const override { return "renamer"; }
    int order() const override { return 0; }
    Result<std::shared_ptr<const Rule>> compile(const Json&) const override {
      return std::shared_ptr<const Rule>(std::make_shared<Renamer>());
    }
  };
  registry_ = *RuleRegistry::make({std::make_shared<RenamerKind>()});
  policy(R"({"metadata":{"name":"a"},"spec":{"overriders":{"renamer":[1]}}})");
  EXPECT_EQ(apply().failures.size(), 1u);
}

TEST(Overrides_RuleRegistry, two_kinds_cannot_have_one_field) {
  const auto made =
      RuleRegistry::make({std::make_shared<LabelKind>("x", 1), std::make_shared<LabelKind>("x", 2)});
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().is(Code::AlreadyExists));
}

}  // namespace
}  // namespace flotilla::overrides
