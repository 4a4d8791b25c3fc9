// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/fleet_metrics.hpp"

#include <gtest/gtest.h>

namespace flotilla::controllers {
namespace {

using api::Json;

Json value(const std::string& name, const std::string& amount) {
  return Json::object({{"describedObject", Json::object({{"kind", "Pod"}, {"name", name}})},
                       {"metric", Json::object({{"name", "rate"}})},
                       {"value", amount}});
}

TEST(FleetMetrics, values_of_one_name_are_one) {
  const auto sums =
      sum_values({value("b", "500m"), value("a", "2"), value("b", "1"), value("c", "nonsense")});
  ASSERT_EQ(sums.size(), 2u);
  EXPECT_EQ(sums[0], value("b", "1500m"));
  EXPECT_EQ(sums[1], value("a", "2"));
  EXPECT_TRUE(sum_values({}).empty());
}

TEST(FleetMetrics, a_value_is_written_as_its_version_has_it) {
  Json newer = value("a", "1");
  newer.make({"metric", "selector", "matchLabels", "verb"}) = "GET";
  const Json older = value_in_version(newer, "v1beta1");
  EXPECT_EQ(older["metricName"].as_string(), "rate");
  EXPECT_EQ(older["selector"]["matchLabels"]["verb"].as_string(), "GET");
  EXPECT_FALSE(older.contains("metric"));
  EXPECT_EQ(value_in_version(older, "v1beta2"), newer);
  EXPECT_EQ(value_in_version(older, "v1beta1"), older);
  EXPECT_EQ(value_in_version(newer, "v1beta2"), newer);
}

}  // namespace
}  // namespace flotilla::controllers
