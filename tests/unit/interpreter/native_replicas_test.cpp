// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/pod_requirements.hpp"
#include "tests/unit/interpreter/objects.hpp"

namespace flotilla::interpreter::test {
namespace {

api::Json job(std::string_view spec) {
  return object("batch/v1", "Job", R"({"spec": )" + std::string(spec) + "}");
}

TEST(Interpreter_Replicas, of_a_job_are_bounded_by_its_completions) {
  NativeInterpreter native;
  EXPECT_EQ(native.interpret_replicas(job(R"({"parallelism": 4, "completions": 3})"))->count, 3);
  EXPECT_EQ(native.interpret_replicas(job(R"({"parallelism": 4})"))->count, 4);
  EXPECT_EQ(native.interpret_replicas(job(R"({"completions": 3})"))->count, 0);
}

TEST(Interpreter_Replicas, that_are_no_number_are_an_error) {
  auto broken = object("apps/v1", "Deployment", R"({"spec": {"replicas": "three"}})");
  EXPECT_FALSE(NativeInterpreter().interpret_replicas(broken).ok());
}

TEST(Interpreter_Requirements, are_null_when_nothing_is_demanded) {
  EXPECT_TRUE(pod_requirements(json(R"({"spec": {"containers": [{}]}})"), false)->is_null());
}

TEST(Interpreter_Requirements, take_the_greatest_init_container_where_it_exceeds_the_sum_and_add_overhead) {
  auto requirements = pod_requirements(json(R"({"spec": {
    "containers": [{"resources": {"requests": {"cpu": "1"}}}, {"resources": {"limits": {"cpu": "500m", "memory": "1Gi"}}}],
    "initContainers": [{"resources": {"requests": {"cpu": "2", "memory": "512M"}}}],
    "overhead": {"cpu": "50m"}}})"),
                                       false);
  EXPECT_EQ((*requirements)["resourceRequest"], json(R"({"cpu": "2050m", "memory": "1Gi"})"));
}

TEST(Interpreter_Requirements, carry_the_node_claim_and_the_priority_class_when_asked) {
  auto requirements = pod_requirements(
      json(R"({"spec": {"nodeSelector": {"disk": "ssd"}, "priorityClassName": "high"}})"), true);
  EXPECT_EQ(*requirements,
            json(R"({"nodeClaim": {"nodeSelector": {"disk": "ssd"}}, "priorityClassName": "high"})"));
}

TEST(Interpreter_Revise, sets_the_field_only_where_it_is) {
  NativeInterpreter native;
  auto with = native.revise_replica(job(R"({"parallelism": 4})"), 2);
  auto without = native.revise_replica(job(R"({"completions": 3})"), 2);
  EXPECT_EQ(with->at({"spec", "parallelism"}).as_int(), 2);
  EXPECT_TRUE(without->at({"spec", "parallelism"}).is_null());
}

}  // namespace
}  // namespace flotilla::interpreter::test
