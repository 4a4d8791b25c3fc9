// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/aggregation/local_services.hpp"

#include <gtest/gtest.h>

#include "core/apiserver/aggregation/priorities.hpp"

namespace flotilla::apiserver {
namespace {

const LocalService kBuiltin{"apps", "v1", false}, kDefined{"example.com", "v1", true};

Json labelled(Json object, const char* label) {
  object["metadata"].erase("labels");
  if (label != nullptr) object["metadata"]["labels"].set("kube-aggregator.kubernetes.io/automanaged", label);
  return object;
}

struct Row {
  const char* name;
  const LocalService* wanted;
  const char* label;  // null: none; "absent": no object
  bool changed, starting;
  ServiceStep step;
};

constexpr Row kRows[] = {
    {"built-in ones are made at start", &kBuiltin, "absent", false, true, ServiceStep::Create},
    {"and stay deleted until the next", &kBuiltin, "absent", false, false, ServiceStep::Leave},
    {"defined ones are made at any time", &kDefined, "absent", false, false, ServiceStep::Create},
    {"nobody wants what is not there", nullptr, "absent", false, true, ServiceStep::Leave},
    {"what users made is theirs", &kDefined, nullptr, true, true, ServiceStep::Leave},
    {"even when nothing is served", nullptr, nullptr, false, true, ServiceStep::Leave},
    {"a changed one is the user's until the next start", &kBuiltin, "onstart", true, false,
     ServiceStep::Leave},
    {"and is set right then", &kBuiltin, "onstart", true, true, ServiceStep::Update},
    {"an unchanged one is not written", &kBuiltin, "onstart", false, true, ServiceStep::Leave},
    {"old built-in ones go at start", nullptr, "onstart", false, true, ServiceStep::Delete},
    {"and not before", nullptr, "onstart", false, false, ServiceStep::Leave},
    {"a changed defined one is set right", &kDefined, "true", true, false, ServiceStep::Update},
    {"an unchanged one is left", &kDefined, "true", false, false, ServiceStep::Leave},
    {"with its definition it goes", nullptr, "true", false, false, ServiceStep::Delete},
};

TEST(ApiServer_LocalServices, come_and_go_by_their_label) {
  for (const Row& row : kRows) {
    const bool absent = row.label != nullptr && std::string_view(row.label) == "absent";
    const LocalService& made = row.wanted != nullptr ? *row.wanted : kDefined;
    Json object = labelled(service_object("n", made, nullptr, WallTime()), row.label);
    if (row.changed) object["spec"].set("versionPriority", 3);
    const ObjectPtr stored = absent ? nullptr : api::Object::make(object, Revision(1));
    EXPECT_EQ(plan_service(row.wanted, stored.get(), row.starting), row.step) << row.name;
  }
}

TEST(ApiServer_LocalServices, look_as_in_kubernetes) {
  const Json object = service_object("v1.apps", kBuiltin, nullptr, WallTime());
  EXPECT_EQ(object["spec"].dump(),
            R"({"group":"apps","groupPriorityMinimum":17800,"version":"v1","versionPriority":15})");
  const Json& condition = object["status"]["conditions"].element(0);
  EXPECT_EQ(condition["status"].as_string(), "True");
  EXPECT_EQ(condition["reason"].as_string(), "Local");
  EXPECT_EQ(condition["message"].as_string(), "Local APIServices are always available");
  Json changed = object;
  changed["spec"].set("service", Json::object({{"name", "x"}}));
  changed["metadata"]["labels"].set("mine", "yes");
  const Json again = service_object("v1.apps", kBuiltin, &changed, WallTime());
  EXPECT_EQ(again["spec"], object["spec"]);
  EXPECT_EQ(again["metadata"]["labels"]["mine"].as_string(), "yes");
}

TEST(ApiServer_LocalServices, are_of_everything_that_is_served) {
  Served served;
  served.registry = api::Registry::builtin();
  const LocalServices services = local_services(served);
  EXPECT_TRUE(services.contains("v1."));
  EXPECT_FALSE(services.at("v1.").always);
  EXPECT_TRUE(services.contains("v2.autoscaling"));
  EXPECT_TRUE(services.at("v1alpha1.policy.karmada.io").always);
  EXPECT_FALSE(services.contains("v1.apiregistration.k8s.io"));
}

TEST(ApiServer_Priorities, are_kubernetes_own) {
  EXPECT_EQ(priority_of("", "v1").group, 18000);
  EXPECT_EQ(priority_of("", "v1").version, 1);
  EXPECT_EQ(priority_of("autoscaling", "v2").version, 30);
  EXPECT_EQ(priority_of("autoscaling", "v1").version, 15);
  EXPECT_EQ(priority_of("storage.k8s.io", "v1beta1").version, 9);
  EXPECT_EQ(priority_of("example.com", "v1").group, 1000);
  EXPECT_EQ(priority_of("example.com", "v1").version, 100);
}

}  // namespace
}  // namespace flotilla::apiserver
