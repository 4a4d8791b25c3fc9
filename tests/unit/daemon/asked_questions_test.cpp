// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/asked_questions.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <vector>

#include "core/daemon/wait.hpp"

namespace flotilla::daemon {
namespace {

using interpreter::Answer;
using interpreter::Question;

class Daemon_AskedQuestions : public ::testing::Test {
 protected:
  void SetUp() override { chain_ = std::make_shared<interpreter::InterpreterChain>(kNoLinks); }
  void TearDown() override { asked_.stop(); }

  static Question about(int number) {
    Question question;
    question.operation = interpreter::Operation::InterpretReplica;
    question.object = api::Json::object({{"number", number}});
    return question;
  }

  // A webhook that answers once it is opened.
  Task<Result<Answer>> call(int number) {
    ++calls_;
    for (;;) {
      const auto seen = opened_.version();
      if (open_) break;
      auto waiting = opened_.wait_past(seen);
      (void)co_await std::move(waiting);
    }
    Answer answer;
    answer.replicas.count = number;
    co_return answer;
  }

  Result<Answer> ask(int number, bool wait = true) {
    auto answering =
        asked_.answer("hook", chain_, about(number), wait, [this, number] { return call(number); });
    return wait_for(executor_, std::move(answering));
  }

  void open() {
    open_ = true;
    opened_.notify();
  }

  static inline const std::vector<std::shared_ptr<const interpreter::Interpreter>> kNoLinks;
  SystemClock clock_;
  Executor executor_{clock_};
  AskedQuestions asked_{executor_};
  AskedQuestions::Chain chain_;
  std::atomic<int> calls_ = 0;
  std::atomic<bool> open_ = false;
  Event opened_;
};

TEST_F(Daemon_AskedQuestions, are_answered_and_forgotten) {
  open();
  EXPECT_EQ(ask(7).value().replicas.count, 7);
  EXPECT_EQ(ask(7).value().replicas.count, 7);
  EXPECT_EQ(calls_, 2);
}

TEST_F(Daemon_AskedQuestions, that_take_long_keep_nobody_and_are_answered_the_next_time) {
  const SteadyTime began = clock_.steady_now();
  const auto first = ask(7);
  EXPECT_TRUE(interpreter::is_still_asked(first.error()));
  EXPECT_LT(clock_.steady_now() - began, std::chrono::seconds(10));
  EXPECT_TRUE(interpreter::is_still_asked(ask(7).error()));
  open();
  Result<Answer> late = ask(7);
  for (int tries = 0; tries < 1000 && !late; ++tries) late = ask(7);
  EXPECT_EQ(late.value().replicas.count, 7);
  EXPECT_EQ(ask(7).value().replicas.count, 7);
  EXPECT_EQ(calls_, 1);
}

TEST_F(Daemon_AskedQuestions, are_few_at_a_time) {
  for (int number = 0; number < 100; ++number) EXPECT_FALSE(ask(number, false).ok());
  EXPECT_LE(calls_, static_cast<int>(AskedQuestions::kAtOnce));
  const auto refused = ask(1000);
  EXPECT_TRUE(interpreter::is_still_asked(refused.error()));
  EXPECT_NE(refused.error().message().find("16 questions"), std::string::npos);
  open();
  Result<Answer> late = ask(1000);
  for (int tries = 0; tries < 1000 && !late; ++tries) late = ask(1000);
  EXPECT_TRUE(late.ok());
}

TEST_F(Daemon_AskedQuestions, of_other_lines_do_not_wait) {
  for (int number = 0; number < 100; ++number) (void)ask(number, false);
  auto answering =
      asked_.answer("other", chain_, about(1), true, []() -> Task<Result<Answer>> { co_return Answer(); });
  EXPECT_TRUE(wait_for(executor_, std::move(answering)).ok());
}

}  // namespace
}  // namespace flotilla::daemon
