// SPDX-License-Identifier: Apache-2.0
// Questions to interpreters that may take long, on their way. Who asks waits for a moment only: a question
// that is answered later goes on, its asker is told so, and finds the answer when asking the same again. So a
// webhook that hangs, or a script that loops, takes no worker of a controller from other kinds.
//
// Questions stand in lines, one for what answers them. Of a line a few are asked at the same time; once the
// oldest of them has taken long, whoever comes next is sent away at once.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/async/event.hpp"
#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/controllers/interpretation.hpp"

namespace flotilla::daemon {

class AskedQuestions {
 public:
  using Chain = controllers::Interpreters::Chain;
  using Question = interpreter::Question;
  using Answer = Result<interpreter::Answer>;
  // Starts asking. Runs in a fiber of this object's.
  using Ask = std::function<Task<Answer>()>;

  static constexpr std::size_t kAtOnce = 16;  // of one line
  static constexpr Duration kPatience = std::chrono::seconds(1);
  static constexpr Duration kKept = std::chrono::minutes(5);  // late answers
  static constexpr std::size_t kMostKept = 256;               // of one line

  explicit AskedQuestions(const Executor& executor);
  ~AskedQuestions();
  void stop();  // not from an I/O thread

  // Errors: what the answer is; interpreter::still_asked. `wait` false: answers at once.
  Task<Answer> answer(std::string line, Chain chain, Question question, bool wait, Ask ask);

 private:
  struct Asked;
  struct Line;
  using AskedPtr = std::shared_ptr<Asked>;
  using LinePtr = std::shared_ptr<Line>;

  // The one that is the same; else one that is asked from now on; null: there is no room.
  AskedPtr find_or_start(const LinePtr& line, const Chain& chain, const Question& question, const Ask& ask);
  Task<void> go(LinePtr line, AskedPtr asked, Ask ask);

  const Clock& clock_;
  FiberScope scope_;
  std::mutex mutex_;
  std::map<std::string, LinePtr> lines_;
};

}  // namespace flotilla::daemon
