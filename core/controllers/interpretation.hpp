// SPDX-License-Identifier: Apache-2.0
// How a controller decides with the help of interpreters that may take their time: scripts that loop,
// webhooks that hang. The decision stays a plain function of an interpreter; it is made again, from the
// start, as soon as what it asked is answered, or, where that takes long, with the error
// interpreter::still_asked: the controller tries again later. Nothing waits on the strand, and all of one
// decision sees the same chain of interpreters, whatever is customised meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "core/async/task.hpp"
#include "core/controllers/controller.hpp"
#include "core/interpreter/question.hpp"

namespace flotilla::controllers {

// Where the chain is kept and asked. Thread: all from any thread.
class Interpreters {
 public:
  using Chain = std::shared_ptr<const interpreter::InterpreterChain>;

  virtual ~Interpreters() = default;
  // As of now.
  virtual Chain chain() const = 0;
  // A question that may block. Resumes the caller where it was, in a moment: what takes longer is
  // interpreter::still_asked and goes on meanwhile; without `wait` that is the answer at once. Errors: what
  // the interpreter said; Cancelled.
  virtual Task<Result<interpreter::Answer>> ask(Chain chain, interpreter::Question question, bool wait) = 0;
};

// What `decision` comes to: a function without effects, called as often as it takes.
template <typename T>
Task<T> decide(const Context& context, std::function<T(const interpreter::Interpreter&)> decision) {
  if (context.interpreters == nullptr) co_return decision(context.interpreter);
  constexpr int kMaxRounds = 64;
  const Interpreters::Chain chain = context.interpreters->chain();
  interpreter::SettledAnswers answers(*chain);
  bool patient = true;  // one question that takes long is enough to come back later
  for (int round = 0;; ++round) {
    T decided = decision(answers);
    // Every round settles what it left open. Who asks something new for ever gets no answer in the end.
    std::vector<interpreter::Question> open = answers.take_open();
    if (open.empty() || round == kMaxRounds) co_return decided;
    for (interpreter::Question& question : open) {
      auto asking = context.interpreters->ask(chain, question, patient);
      auto answer = co_await std::move(asking);
      patient = patient && (answer.ok() || !interpreter::is_still_asked(answer.error()));
      answers.settle(std::move(question), std::move(answer));
    }
  }
}

}  // namespace flotilla::controllers
