// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/promote.hpp"

#include <gtest/gtest.h>

#include "core/ctl/description.hpp"
#include "core/ctl/table_rows.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;

Json json(std::string_view text) {
  return *Json::parse(text);
}

TEST(Ctl_Promote, a_template_has_nothing_of_its_member) {
  const Json made = template_of(json(R"({
    "apiVersion": "v1", "kind": "Service",
    "metadata": {"name": "web", "namespace": "default", "uid": "u", "resourceVersion": "7", "generation": 2,
                 "labels": {"app": "web", "karmada.io/managed": "true", "work.karmada.io/permanent-id": "w"}},
    "spec": {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "ports": [{"port": 80}]},
    "status": {"loadBalancer": {}}})"));
  EXPECT_EQ(made, json(R"({
    "apiVersion": "v1", "kind": "Service",
    "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"},
                 "annotations": {"work.karmada.io/conflict-resolution": "overwrite"}},
    "spec": {"ports": [{"port": 80}]}})"))
      << made.dump();
}

TEST(Ctl_Promote, what_a_user_said_of_conflicts_stays) {
  const Json made = template_of(json(
      R"({"metadata": {"name": "a", "annotations": {"work.karmada.io/conflict-resolution": "abort"}}})"));
  EXPECT_EQ(made["metadata"]["annotations"]["work.karmada.io/conflict-resolution"].as_string(), "abort");
}

TEST(Ctl_Description, fields_are_words_and_what_nobody_reads_is_left_out) {
  const std::string text = describe_object(json(R"({
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "default", "managedFields": [{"manager": "x"}],
                 "labels": {"app": "web", "tier": "a"},
                 "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}},
    "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "a", "image": "nginx"}]}}},
    "status": {"observedGeneration": 3}})"));
  EXPECT_EQ(text.find("Managed"), std::string::npos);
  EXPECT_NE(text.find("Name:               web\n"), std::string::npos) << text;
  EXPECT_NE(text.find("Labels:             app=web\n                    tier=a\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("Annotations:        <none>\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  Replicas:         2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("      Containers:\n        Image:      nginx\n"), std::string::npos) << text;
  EXPECT_NE(text.find("  Observed Generation: 3\n"), std::string::npos) << text;
}

TEST(Ctl_Description, events_are_in_the_order_of_time) {
  const WallTime now = *parse_time("2026-01-01T01:00:00Z");
  const std::string text = describe_events(json(R"({"items": [
    {"type": "Warning", "reason": "Late", "lastTimestamp": "2026-01-01T00:59:30Z", "message": "b", "count": 3,
     "source": {"component": "x"}},
    {"type": "Normal", "reason": "Early", "lastTimestamp": "2026-01-01T00:10:00Z", "message": "a"}]})"),
                                           now);
  EXPECT_LT(text.find("Early"), text.find("Late")) << text;
  EXPECT_NE(text.find("50m"), std::string::npos) << text;
  EXPECT_NE(text.find("30s (x3)"), std::string::npos) << text;
  EXPECT_EQ(describe_events(json(R"({"items": []})"), now), "Events:             <none>\n");
}

TEST(Ctl_ServerTables, rows_of_several_clusters_stand_below_the_first_columns) {
  ServerTables tables({.with_clusters = true});
  tables.add(
      json(R"({"columnDefinitions": [{"name": "Name"}, {"name": "Age"}, {"name": "Node", "priority": 1}],
    "rows": [{"cells": ["a", "1m", "n"], "object": {"metadata": {}}}]})"));
  tables.add(json(R"({"columnDefinitions": [{"name": "Age"}, {"name": "Name"}],
    "rows": [{"cells": ["2m", "b"], "object": {"metadata": {"labels": {"karmada.io/managed": "true"}}}},
             {"cells": ["3m", null], "object": {"metadata": {}}}]})"),
             "m1");
  EXPECT_EQ(tables.header(), (std::vector<std::string>{"NAME", "CLUSTER", "AGE", "ADOPTION"}));
  EXPECT_EQ(tables.rows(),
            (std::vector<std::vector<std::string>>{
                {"a", "Karmada", "1m", "-"}, {"b", "m1", "2m", "Y"}, {"<none>", "m1", "3m", "N"}}));
}

}  // namespace
}  // namespace flotilla::ctl
