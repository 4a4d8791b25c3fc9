// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/question.hpp"

#include "core/interpreter/lua_interpreter.hpp"
#include "tests/unit/interpreter/objects.hpp"

namespace flotilla::interpreter::test {
namespace {

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

// Of Games all is asked of scripts, which may block.
InterpreterChain chain_of(std::string_view member, std::string_view script) {
  api::Json customization = json(R"({"metadata": {"name": "a"},
      "spec": {"target": {"apiVersion": "example.io/v1", "kind": "Game"}}})");
  customization.make({"spec", "customizations", member}).set("luaScript", script);
  std::vector<Customization> customizations;
  customizations.push_back(read_customization(customization));
  auto lua = std::make_shared<LuaInterpreter>(system_clock(), LuaLimits{}, std::move(customizations));
  return InterpreterChain({std::move(lua), std::make_shared<NativeInterpreter>()});
}

api::Json game() {
  return object("example.io/v1", "Game", R"({"metadata": {"name": "chess"}, "spec": {"players": 2}})");
}

TEST(Interpreter_SettledAnswers, answer_at_once_what_cannot_block) {
  InterpreterChain chain = chain_of("retention", "function Retain(d) return d end");
  SettledAnswers answers(chain);
  EXPECT_EQ(
      answers.interpret_replicas(object("apps/v1", "Deployment", R"({"spec": {"replicas": 3}})"))->count, 3);
  EXPECT_TRUE(answers.take_open().empty());
}

TEST(Interpreter_SettledAnswers, put_down_what_may_block_and_know_it_once_settled) {
  InterpreterChain chain =
      chain_of("replicaRevision", "function ReviseReplica(o, n) o.spec.players = n return o end");
  SettledAnswers answers(chain);
  EXPECT_TRUE(answers.supports(game(), Operation::ReviseReplica));
  EXPECT_FALSE(answers.revise_replica(game(), 3).ok());
  EXPECT_FALSE(answers.revise_replica(game(), 4).ok());
  EXPECT_FALSE(answers.revise_replica(game(), 3).ok());
  std::vector<Question> open = answers.take_open();
  ASSERT_EQ(open.size(), 2u);
  EXPECT_TRUE(answers.take_open().empty());
  for (Question& question : open) {
    Result<Answer> answer = ask(chain, question);
    answers.settle(std::move(question), std::move(answer));
  }
  EXPECT_EQ((*answers.revise_replica(game(), 4)).at({"spec", "players"}), json("4"));
  EXPECT_EQ((*answers.revise_replica(game(), 3)).at({"spec", "players"}), json("3"));
  EXPECT_TRUE(answers.take_open().empty());
}

TEST(Interpreter_SettledAnswers, keep_errors) {
  InterpreterChain chain = chain_of("healthInterpretation", "function InterpretHealth() error('no', 0) end");
  SettledAnswers answers(chain);
  EXPECT_FALSE(answers.interpret_health(game()).ok());
  std::vector<Question> open = answers.take_open();
  ASSERT_EQ(open.size(), 1u);
  Result<Answer> answer = ask(chain, open[0]);
  answers.settle(open[0], answer);
  EXPECT_EQ(answers.interpret_health(game()).error().message(),
            "ResourceInterpreterCustomization \"a\", InterpretHealth: no");
}

TEST(Interpreter_Question, is_the_same_at_another_time) {
  Question one{.operation = Operation::AggregateStatus,
               .object = game(),
               .observed = {},
               .items = json("[1]"),
               .now = noon()};
  Question other = one;
  other.now += std::chrono::hours(1);
  EXPECT_EQ(one, other);
  other.items = json("[2]");
  EXPECT_FALSE(one == other);
}

}  // namespace
}  // namespace flotilla::interpreter::test
