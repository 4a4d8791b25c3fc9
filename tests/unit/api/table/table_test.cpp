// SPDX-License-Identifier: Apache-2.0
#include "core/api/table/table.hpp"

#include <gtest/gtest.h>

namespace flotilla::api {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

Json parse(std::string_view text) {
  return *Json::parse(text);
}

std::string cells(std::string_view group, std::string_view version, std::string_view resource,
                  std::string_view object) {
  const ResourcePtr found = Registry::builtin().find_resource(group, version, resource);
  const WallTime now = *parse_time("2026-01-02T03:04:05Z");
  return table_cells(*found, table_columns(*found), parse(object), now).dump();
}

TEST(Api_Table, prints_durations_as_people_read_them) {
  EXPECT_EQ(human_duration(seconds(-5)), "<invalid>");
  EXPECT_EQ(human_duration(seconds(119)), "119s");
  EXPECT_EQ(human_duration(seconds(125)), "2m5s");
  EXPECT_EQ(human_duration(hours(5)), "5h");
  EXPECT_EQ(human_duration(hours(30)), "30h");
  EXPECT_EQ(human_duration(hours(50)), "2d2h");
  EXPECT_EQ(human_duration(hours(24 * 400)), "400d");
  EXPECT_EQ(human_duration(hours(24 * 365 * 3)), "3y");
}

TEST(Api_Table, shows_a_deployment) {
  EXPECT_EQ(cells("apps", "v1", "deployments",
                  R"({"metadata":{"name":"a","creationTimestamp":"2026-01-02T03:00:00Z"},
      "spec":{"replicas":1,"selector":{"matchLabels":{"app":"a"}},"template":{"spec":{"containers":[{"name":"c",
      "image":"nginx"}]}}},"status":{"replicas":3,"readyReplicas":2,"updatedReplicas":3,"availableReplicas":2}})"),
            R"(["a","2/1",3,2,"4m5s","c","nginx","app=a"])");
}

TEST(Api_Table, shows_why_a_pod_does_not_run) {
  EXPECT_EQ(
      cells("", "v1", "pods",
            R"({"metadata":{"name":"a"},"spec":{"containers":[{"name":"c"}]},"status":{"phase":"Running",
      "containerStatuses":[{"ready":false,"restartCount":2,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}})"),
      R"(["a","0/1","CrashLoopBackOff","2","<unknown>","<none>","<none>","<none>","<none>"])");
}

TEST(Api_Table, shows_karmadas_kinds_by_their_paths) {
  EXPECT_EQ(cells("work.karmada.io", "v1alpha2", "resourcebindings", R"({"metadata":{"name":"a",
      "creationTimestamp":"2026-01-02T03:00:00Z"},"status":{"conditions":[{"type":"Scheduled","status":"True"}]}})"),
            R"(["a","True",null,"4m5s"])");
}

TEST(Api_Table, has_a_rule_for_every_column_of_every_kind) {
  for (const ResourcePtr& one : Registry::builtin().resources()) {
    const auto columns = table_columns(*one);
    const Json row = table_cells(*one, columns, parse(R"({"metadata":{"name":"a"}})"), WallTime{});
    EXPECT_EQ(row.size(), columns.size()) << one->resource;
  }
}

TEST(Api_Table, marks_pods_that_have_ended) {
  const ResourcePtr pods = Registry::builtin().find_resource("", "v1", "pods");
  EXPECT_EQ(
      table_conditions(*pods, parse(R"({"status":{"phase":"Failed"}})")).element(0)["reason"].as_string(),
      "Failed");
  EXPECT_TRUE(table_conditions(*pods, parse(R"({"status":{"phase":"Running"}})")).is_null());
}

}  // namespace
}  // namespace flotilla::api
