// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/override_adapter.hpp"

#include <flotilla/sdk/override.hpp>

#include <gtest/gtest.h>

#include <string>

#include "core/base/clock.hpp"

namespace flotilla::plugin {
namespace {

using api::Json;

// Does to the manifest what its parameters say.
class Puppet {
 public:
  static constexpr sdk::OverrideInfo kInfo = {
      .name = "puppet", .summary = "For tests", .field = "puppetOverrider", .order = 7};

  explicit Puppet(std::string_view params) : params_(params) {
    if (params_ == "\"bad\"") throw sdk::Failure(FLT_INVALID_ARGUMENT, "bad parameters");
  }
  std::vector<std::string> columns() const {
    return params_ == "\"columns\"" ? std::vector<std::string>{"region"} : std::vector<std::string>{};
  }
  void apply(const sdk::OverrideRequest& request, sdk::OverridePatches& out) const {
    if (params_ == "\"fail\"") throw sdk::Failure(FLT_INVALID_ARGUMENT, "does not fit");
    if (params_ == "\"unknown kind\"") return out.add(77, "{}");
    if (params_ == "\"no json\"") return out.add(FLT_PATCH_MERGE, "{");
    if (params_ == "\"all\"") return out.add(FLT_PATCH_FULL, request.manifest());
    for (std::uint64_t row = 0; row < request.rows(); ++row) {
      const std::uint64_t rows[] = {row};
      out.add(FLT_PATCH_MERGE, R"({"replicas":)" + std::to_string(request.replicas(row).value_or(-1)) + "}",
              rows);
    }
  }

 private:
  std::string params_;
};

class Plugin_OverrideAdapter : public testing::Test {
 protected:
  Result<std::shared_ptr<const overrides::RuleKind>> kind(
      const flt_component_t& component = sdk::override_component<Puppet>) {
    auto instance = Instance::create(environment_, component, {});
    EXPECT_TRUE(instance);
    return adapt_override(*instance);
  }
  Result<std::vector<overrides::PatchGroup>> apply(const char* params,
                                                   std::vector<overrides::Target> targets) {
    auto rule = (*kind())->compile(Json(params));
    if (!rule) return std::move(rule).error();
    return (*rule)->apply(Json::object({{"a", 1}}), targets);
  }

  ~Plugin_OverrideAdapter() override { executor_.stop(); }

  SystemClock clock_;
  Executor executor_{clock_};
  HostEnvironment environment_{executor_, "flotilla test"};
  Json cluster_ = Json::object();
};

TEST_F(Plugin_OverrideAdapter, a_kind_says_what_its_table_says) {
  const auto adapted = *kind();
  EXPECT_EQ(adapted->name(), "puppet");
  EXPECT_EQ(adapted->field(), "puppetOverrider");
  EXPECT_EQ(adapted->order(), 7);
}

TEST_F(Plugin_OverrideAdapter, rows_become_targets_and_carry_their_replicas) {
  std::vector<overrides::Target> targets;
  for (int i = 0; i < 70; ++i) targets.push_back({&cluster_, i});
  const auto groups = apply("each", targets);
  ASSERT_TRUE(groups);
  ASSERT_EQ(groups->size(), 70u);
  EXPECT_EQ((*groups)[69].targets, std::vector<std::uint32_t>{69});
  EXPECT_EQ((*groups)[69].patch["replicas"].as_int(), 69);
}

TEST_F(Plugin_OverrideAdapter, a_group_without_clusters_means_all) {
  const auto groups = apply("all", {{&cluster_, {}}, {&cluster_, {}}});
  ASSERT_EQ(groups->size(), 1u);
  EXPECT_EQ((*groups)[0].kind, overrides::PatchGroup::Kind::Full);
  EXPECT_EQ((*groups)[0].targets, (std::vector<std::uint32_t>{0, 1}));
}

TEST_F(Plugin_OverrideAdapter, what_the_plugin_refuses_is_refused_in_its_words) {
  EXPECT_EQ(apply("bad", {}).error().message(), "bad parameters");
  const auto failed = apply("fail", {{&cluster_, {}}});
  EXPECT_EQ(failed.error().message(), "does not fit");
  EXPECT_TRUE(failed.error().is(Code::Invalid));
}

TEST_F(Plugin_OverrideAdapter, nonsense_from_a_plugin_is_an_error_that_names_it) {
  EXPECT_EQ(apply("unknown kind", {{&cluster_, {}}}).error().message(),
            "override plugin puppet answered with a patch of unknown kind 77");
  EXPECT_TRUE(apply("no json", {{&cluster_, {}}}).error().is(Code::Internal));
}

TEST_F(Plugin_OverrideAdapter, a_rule_that_needs_columns_is_refused) {
  EXPECT_TRUE(apply("columns", {}).error().is(Code::Unsupported));
}

TEST_F(Plugin_OverrideAdapter, a_table_without_apply_is_refused) {
  static constexpr flt_override_ops_t kOps = {sizeof(flt_override_ops_t),
                                              0,
                                              "x",
                                              nullptr,
                                              sdk::override_ops<Puppet>.compile,
                                              nullptr,
                                              sdk::override_ops<Puppet>.release_rule};
  static constexpr flt_component_t kComponent = [] {
    flt_component_t component = sdk::override_component<Puppet>;
    component.ops = &kOps;
    return component;
  }();
  EXPECT_FALSE(kind(kComponent));
}

}  // namespace
}  // namespace flotilla::plugin
