// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/asked_questions.hpp"

#include <algorithm>
#include <optional>

namespace flotilla::daemon {

struct AskedQuestions::Asked {
  Chain chain;
  Question question;
  SteadyTime began;
  std::optional<Answer> answer;  // under the mutex
  SteadyTime answered;
};

struct AskedQuestions::Line {
  std::list<AskedPtr> all;  // by when they were asked
  std::size_t on_their_way = 0;
  Event moved;  // whenever an answer arrives
};

AskedQuestions::AskedQuestions(const Executor& executor)
    : clock_(executor.clock()), scope_(executor.strand(), "questions to interpreters") {}

AskedQuestions::~AskedQuestions() = default;

void AskedQuestions::stop() {
  scope_.cancel();
  scope_.join_blocking();
}

AskedQuestions::AskedPtr AskedQuestions::find_or_start(const LinePtr& line, const Chain& chain,
                                                       const Question& question, const Ask& ask) {
  AskedPtr fresh;
  {
    std::lock_guard lock(mutex_);
    const SteadyTime now = clock_.steady_now();
    std::size_t kept = line->all.size() - line->on_their_way;
    line->all.remove_if([&](const AskedPtr& one) {
      const bool goes =
          one->answer && (one->chain != chain || now - one->answered > kKept || kept > kMostKept);
      if (goes) --kept;
      return goes;
    });
    const auto same = std::ranges::find_if(
        line->all, [&](const AskedPtr& one) { return one->chain == chain && one->question == question; });
    if (same != line->all.end()) return *same;
    if (line->on_their_way >= kAtOnce) return nullptr;
    fresh = std::make_shared<Asked>(Asked{chain, question, now, std::nullopt, {}});
    line->all.push_back(fresh);
    ++line->on_their_way;
  }
  // It may run at once, and answer.
  scope_.spawn(go(line, fresh, ask));
  return fresh;
}

Task<void> AskedQuestions::go(LinePtr line, AskedPtr asked, Ask ask) {
  auto asking = ask();
  Answer answer = co_await std::move(asking);
  {
    std::lock_guard lock(mutex_);
    asked->answer = std::move(answer);
    asked->answered = clock_.steady_now();
    --line->on_their_way;
    // In time: those who wait have it, and nobody will look for it.
    if (asked->answered - asked->began < kPatience) line->all.remove(asked);
  }
  line->moved.notify();
}

Task<AskedQuestions::Answer> AskedQuestions::answer(std::string name, Chain chain, Question question,
                                                    bool wait, Ask ask) {
  LinePtr line;
  {
    std::lock_guard lock(mutex_);
    LinePtr& known = lines_[name];
    if (!known) known = std::make_shared<Line>();
    line = known;
  }
  const SteadyTime until = clock_.steady_now() + (wait ? kPatience : Duration::zero());
  AskedPtr asked;
  for (;;) {
    const auto seen = line->moved.version();
    if (!asked) asked = find_or_start(line, chain, question, ask);
    SteadyTime patient_until = until;
    {
      std::lock_guard lock(mutex_);
      if (asked && asked->answer) co_return *asked->answer;
      // What stands before it, or it itself, has had its time.
      const auto before = std::ranges::find_if(line->all, [](const AskedPtr& one) { return !one->answer; });
      const SteadyTime oldest = asked                       ? asked->began
                                : before == line->all.end() ? clock_.steady_now()
                                                            : (*before)->began;
      patient_until = std::min(until, oldest + kPatience);
    }
    const Duration left = patient_until - clock_.steady_now();
    if (left <= Duration::zero()) break;
    auto waiting = line->moved.wait_past_for(seen, left);
    const bool moved = co_await std::move(waiting);
    if (!moved && scope_.cancelled())
      co_return Error(Code::Cancelled, "stopped while an interpreter was asked");
  }
  co_return interpreter::still_asked(asked ? name + " has not answered for a moment; it is asked on"
                                           : name + " has " + std::to_string(kAtOnce) +
                                                 " questions to answer; this one is asked later");
}

}  // namespace flotilla::daemon
