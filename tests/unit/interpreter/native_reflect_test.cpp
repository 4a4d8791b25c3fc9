// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/interpreter/objects.hpp"

namespace flotilla::interpreter::test {
namespace {

TEST(Interpreter_Reflect, tells_which_generations_a_workloads_counts_are_about) {
  auto status = NativeInterpreter().reflect_status(object("apps/v1", "Deployment", R"({
    "metadata": {"generation": 4, "annotations": {"resourcetemplate.karmada.io/generation": "9"}},
    "status": {"replicas": 2, "readyReplicas": 0, "observedGeneration": 3, "conditions": []}})"));
  EXPECT_EQ(*status, json(R"({"generation": 4, "resourceTemplateGeneration": 9, "replicas": 2,
                              "observedGeneration": 3})"));
}

TEST(Interpreter_Reflect, fails_without_the_generation_of_the_template) {
  auto object_without = object("apps/v1", "StatefulSet", R"({"status": {"replicas": 2}})");
  EXPECT_FALSE(NativeInterpreter().reflect_status(object_without).ok());
}

TEST(Interpreter_Reflect, passes_the_whole_status_of_unknown_kinds) {
  auto status =
      NativeInterpreter().reflect_status(object("example.com/v1", "Foo", R"({"status": {"a": [1]}})"));
  EXPECT_EQ(*status, json(R"({"a": [1]})"));
}

TEST(Interpreter_Reflect, has_nothing_where_there_is_no_status) {
  NativeInterpreter native;
  EXPECT_TRUE(native.reflect_status(object("apps/v1", "Deployment", "{}"))->is_null());
  EXPECT_TRUE(native
                  .reflect_status(object("v1", "Service", R"({"spec": {"type": "ClusterIP"},
                                                               "status": {"loadBalancer": {}}})"))
                  ->is_null());
}

TEST(Interpreter_Reflect, refuses_a_status_that_is_no_object) {
  EXPECT_FALSE(NativeInterpreter().reflect_status(object("v1", "ConfigMap", R"({"status": "oops"})")).ok());
}

}  // namespace
}  // namespace flotilla::interpreter::test
