// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/interpreter.hpp"

#include "tests/unit/interpreter/objects.hpp"

namespace flotilla::interpreter::test {
namespace {

// Knows one kind and one operation.
class AlwaysHealthy final : public Interpreter {
 public:
  using Interpreter::supports;
  bool supports(std::string_view, std::string_view kind, Operation operation) const override {
    return kind == "Deployment" && operation == Operation::InterpretHealth;
  }
  bool may_block(std::string_view, std::string_view, Operation) const override { return true; }
  Result<Replicas> interpret_replicas(const api::Json&) const override { return internal("not asked"); }
  Result<api::Json> interpret_components(const api::Json&) const override { return internal("not asked"); }
  Result<api::Json> revise_replica(const api::Json&, std::int64_t) const override {
    return internal("not asked");
  }
  Result<api::Json> retain(const api::Json&, const api::Json&) const override {
    return internal("not asked");
  }
  Result<api::Json> reflect_status(const api::Json&) const override { return internal("not asked"); }
  Result<api::Json> aggregate_status(const api::Json&, std::span<const api::Json>, WallTime) const override {
    return internal("not asked");
  }
  Result<bool> interpret_health(const api::Json&) const override { return true; }
  Result<api::Json> dependencies(const api::Json&) const override { return internal("not asked"); }
};

InterpreterChain chain() {
  return InterpreterChain({std::make_shared<AlwaysHealthy>(), std::make_shared<NativeInterpreter>()});
}

api::Json sick_deployment() {
  return object("apps/v1", "Deployment", R"({"metadata": {"generation": 2}, "spec": {"replicas": 3}})");
}

TEST(Interpreter_Operation, reads_back_what_it_writes) {
  EXPECT_EQ(to_string(Operation::InterpretDependency), "InterpretDependency");
  EXPECT_EQ(parse_operation("AggregateStatus"), Operation::AggregateStatus);
  EXPECT_EQ(parse_operation("Prune"), std::nullopt);
}

TEST(Interpreter_Chain, lets_the_first_that_supports_a_question_answer) {
  EXPECT_TRUE(*chain().interpret_health(sick_deployment()));
  EXPECT_FALSE(*NativeInterpreter().interpret_health(sick_deployment()));
}

TEST(Interpreter_Chain, falls_back_to_the_native_one_for_other_questions) {
  EXPECT_EQ(chain().interpret_replicas(sick_deployment())->count, 3);
  EXPECT_TRUE(chain().supports("example.com/v1", "Foo", Operation::InterpretStatus));
}

TEST(Interpreter_Chain, may_block_only_where_the_answering_one_may) {
  EXPECT_TRUE(chain().may_block("apps/v1", "Deployment", Operation::InterpretHealth));
  EXPECT_FALSE(chain().may_block("apps/v1", "Deployment", Operation::Retain));
}

TEST(Interpreter_Chain, answers_unsupported_where_nobody_knows) {
  auto result = chain().interpret_components(sick_deployment());
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), Code::Unsupported);
}

TEST(Interpreter_Native, knows_a_kind_only_in_its_version) {
  NativeInterpreter native;
  EXPECT_TRUE(native.supports("apps/v1", "Deployment", Operation::InterpretReplica));
  EXPECT_FALSE(native.supports("apps/v1beta1", "Deployment", Operation::InterpretReplica));
  EXPECT_FALSE(native.supports("batch/v1", "Job", Operation::InterpretHealth));
  EXPECT_FALSE(native.supports("apps/v1", "Deployment", Operation::InterpretComponent));
}

}  // namespace
}  // namespace flotilla::interpreter::test
