// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/scheduler_profiles.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

const std::vector<std::string> kThere = {"api_enablement", "cluster_locality", "my_score",
                                         "taint_toleration"};

std::string chosen(std::vector<std::string> plugins, std::map<std::string, std::int32_t> weights = {}) {
  const auto picked = choose_plugins({"x", std::move(plugins), std::move(weights)}, kThere);
  if (!picked) return picked.error().message();
  std::string text;
  for (const ChosenPlugin& each : *picked) {
    text += (text.empty() ? "" : " ") + each.name;
    if (each.weight != 1) text += "*" + std::to_string(each.weight);
  }
  return text;
}

TEST(Controllers_SchedulerProfiles, choose_as_karmada_does) {
  EXPECT_EQ(chosen({"*"}), "api_enablement cluster_locality my_score taint_toleration");
  EXPECT_EQ(chosen({"*", "-ClusterLocality"}), "api_enablement my_score taint_toleration");
  EXPECT_EQ(chosen({"TaintToleration", "*"}), "taint_toleration api_enablement cluster_locality my_score");
  EXPECT_EQ(chosen({"APIEnablement", "my_score"}), "api_enablement my_score");
  EXPECT_EQ(chosen({"*", "-nowhere"}), "api_enablement cluster_locality my_score taint_toleration");
  EXPECT_EQ(chosen({"my-score"}, {{"myscore", 3}}), "my_score*3");
  EXPECT_EQ(chosen({"nowhere"}), "scheduler x: there is no scheduling plugin nowhere");
  EXPECT_EQ(chosen({"*"}, {{"nowhere", 3}}), "scheduler x: there is no scheduling plugin nowhere");
}

TEST(Controllers_SchedulerProfiles, are_read_from_the_configuration) {
  Options options;
  options.scheduler_weights = *api::Json::parse(R"({"cluster_locality":2})");
  options.scheduler_profiles = *api::Json::parse(R"({"packing":{"plugins":["*"]}})");
  const auto profiles = scheduler_profiles(options);
  ASSERT_TRUE(profiles.ok());
  ASSERT_EQ(profiles->size(), 2u);
  EXPECT_EQ((*profiles)[0].name, "default-scheduler");
  EXPECT_EQ((*profiles)[0].weights.at("clusterlocality"), 2);
  EXPECT_EQ((*profiles)[1].name, "packing");
  for (const auto& [text, message] : std::vector<std::pair<const char*, const char*>>{
           {R"({"default-scheduler":{}})",
            "scheduler.profiles.default-scheduler: is the name of controllers.scheduler_name"},
           {R"({"a":{"weights":{"b":-1}}})",
            "scheduler.profiles.a.weights.b: must be a whole number from 0 to 1000"},
           {R"({"a":{"plugin":[]}})",
            "scheduler.profiles.a: unknown key \"plugin\"; there are plugins and weights"},
           {R"([])", "scheduler.profiles: must be a map of names to profiles"}}) {
    options.scheduler_profiles = *api::Json::parse(text);
    const auto refused = scheduler_profiles(options);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().message(), message);
    EXPECT_FALSE(check(options).ok());
  }
}

}  // namespace
}  // namespace flotilla::controllers
