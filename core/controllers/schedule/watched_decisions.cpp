// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/schedule/watched_decisions.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/clock.hpp"

namespace flotilla::controllers {

using scheduler::Attempt;
using scheduler::CallWatch;

namespace {

constexpr std::size_t kHands = 2;
constexpr int kLooks = 8;  // per deadline

// Real time, whatever clock a rehearsal has: what hangs hangs in real time.
SteadyTime real_now() {
  return SystemClock().steady_now();
}

Attempt failed(const scheduler::Binding& binding, std::string message) {
  Attempt attempt;
  attempt.binding = binding;
  attempt.decision.failure = {scheduler::FailureKind::Other, std::move(message)};
  attempt.failures.push_back(attempt.decision.failure);
  return attempt;
}

std::string text_of(const CallWatch::Place& place, Duration deadline) {
  const std::string name(place.policy->name());
  return "policy " + name + " did not return from " + std::string(scheduler::name_of_step(place.step)) +
         " within " +
         std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(deadline).count()) +
         " ms and was given up; leave it out with \"-" + name +
         "\" in the plugins of the scheduler, or mend it";
}

}  // namespace

// What waits and what is done; shared with the threads, those that were left included.
struct WatchedDecisions::Deck {
  explicit Deck(scheduler::Options the_options) : options(the_options) {}

  // The next that may be decided now. Null: none, or something else has to come first.
  std::shared_ptr<const Question> take() {
    const std::lock_guard lock(mutex);
    if (waiting.empty() || !reports.empty() || !waiting.front().policies->has_seen(*waiting.front().table))
      return nullptr;
    auto taken = std::make_shared<const Question>(std::move(waiting.front()));
    waiting.pop_front();
    return taken;
  }
  void answer(Answer answer) {
    {
      const std::lock_guard lock(mutex);
      answers.push_back(std::move(answer));
    }
    moved.notify();
  }
  // All that ask these policies about this table.
  void fail(const scheduler::Policies* policies, const scheduler::ClusterTablePtr& table,
            const std::string& message) {
    {
      const std::lock_guard lock(mutex);
      std::erase_if(waiting, [&](const Question& question) {
        if (question.policies != policies || question.table != table) return false;
        answers.push_back({question.id, failed(question.binding, message), table});
        return true;
      });
    }
    moved.notify();
  }

  const scheduler::Options options;
  flotilla::Event moved;
  std::mutex mutex;  // all below
  std::deque<Question> waiting;
  std::vector<Report> reports;
  std::vector<Answer> answers;
};

// What a thread is given: looked after through `watch`.
class WatchedDecisions::Deciding : public WatchedThread::Work {
 public:
  Deciding(std::shared_ptr<Deck> deck, std::shared_ptr<scheduler::Workspace> workspace)
      : deck_(std::move(deck)), workspace_(std::move(workspace)) {}

  void run() override {
    while (auto question = deck_->take()) {
      {
        const std::lock_guard lock(deck_->mutex);
        current_ = question;
      }
      const SteadyTime began = real_now();
      Attempt attempt = scheduler::attempt(question->binding, *question->table, *question->policies,
                                           options(), *workspace_);
      if (watch_.given_up()) return;
      {
        const std::lock_guard lock(deck_->mutex);
        current_ = nullptr;
      }
      deck_->answer({question->id, std::move(attempt), question->table, real_now() - began});
    }
  }
  void ended() override { deck_->moved.notify(); }

  CallWatch& watch() { return watch_; }
  std::shared_ptr<const Question> current() const {
    const std::lock_guard lock(deck_->mutex);
    return current_;
  }

 protected:
  scheduler::Options options() {
    scheduler::Options options = deck_->options;
    options.watch = &watch_;
    return options;
  }

  const std::shared_ptr<Deck> deck_;
  const std::shared_ptr<scheduler::Workspace> workspace_;
  CallWatch watch_;
  std::shared_ptr<const Question> current_;  // under the deck's mutex
};

// Shows a table to the policies of a question.
class WatchedDecisions::Showing final : public Deciding {
 public:
  Showing(std::shared_ptr<Deck> deck, scheduler::Policies* policies, scheduler::ClusterTablePtr table)
      : Deciding(std::move(deck), nullptr), policies_(policies), table_(std::move(table)) {}

  void run() override {
    const Status shown = policies_->observe(*table_, &watch_);
    if (!shown && !watch_.given_up()) deck_->fail(policies_, table_, shown.error().message());
  }

 private:
  scheduler::Policies* const policies_;
  const scheduler::ClusterTablePtr table_;
};

class WatchedDecisions::Telling final : public Deciding {
 public:
  Telling(std::shared_ptr<Deck> deck, std::vector<Report> reports)
      : Deciding(std::move(deck), std::make_shared<scheduler::Workspace>()), reports_(std::move(reports)) {}

  void run() override {
    for (const Report& each : reports_) {
      if (watch_.given_up()) return;
      scheduler::report(*each.table, each.binding, *each.policies, options(), *workspace_, each.outcome,
                        each.targets);
    }
  }

 private:
  const std::vector<Report> reports_;
};

struct WatchedDecisions::Hand {
  WatchedThread thread;
  std::shared_ptr<scheduler::Workspace> workspace = std::make_shared<scheduler::Workspace>();
  std::shared_ptr<Deciding> work;  // null: idle
  CallWatch::Place place;          // where it was seen last,
  SteadyTime since{};              // and since when
};

WatchedDecisions::WatchedDecisions(const scheduler::Options& options, Duration deadline)
    : options_(options), deadline_(deadline), deck_(std::make_shared<Deck>(options)) {
  for (std::size_t i = 0; i < kHands; ++i) hands_.push_back(std::make_unique<Hand>());
}

WatchedDecisions::~WatchedDecisions() {
  stop();
}

void WatchedDecisions::ask(Question question) {
  {
    const std::lock_guard lock(deck_->mutex);
    deck_->waiting.push_back(std::move(question));
  }
  deck_->moved.notify();
}

void WatchedDecisions::tell(std::vector<Report> reports) {
  {
    const std::lock_guard lock(deck_->mutex);
    std::move(reports.begin(), reports.end(), std::back_inserter(deck_->reports));
  }
  deck_->moved.notify();
}

std::vector<WatchedDecisions::Answer> WatchedDecisions::take_answers() {
  const std::lock_guard lock(deck_->mutex);
  return std::exchange(deck_->answers, {});
}

bool WatchedDecisions::has_answers() const {
  const std::lock_guard lock(deck_->mutex);
  return !deck_->answers.empty();
}

bool WatchedDecisions::idle() const {
  const bool working = std::any_of(hands_.begin(), hands_.end(), [](const std::unique_ptr<Hand>& hand) {
    return hand->work && !hand->work->done();
  });
  const std::lock_guard lock(deck_->mutex);
  return !working && deck_->waiting.empty() && deck_->reports.empty();
}

Task<void> WatchedDecisions::watch(flotilla::Event& answered) {
  for (;;) {
    const std::uint64_t seen = deck_->moved.version();
    move_on();
    if (has_answers()) answered.notify();
    auto waiting = deck_->moved.wait_past_for(seen, pause());
    co_await std::move(waiting);
  }
}

Task<void> WatchedDecisions::settle() {
  for (;;) {
    const std::uint64_t seen = deck_->moved.version();
    move_on();
    if (idle()) co_return;
    auto waiting = deck_->moved.wait_past_for(seen, pause());
    co_await std::move(waiting);
  }
}

void WatchedDecisions::settle_blocking() {
  for (;;) {
    move_on();
    if (idle()) return;
    for (const auto& hand : hands_) {
      if (hand->work) hand->thread.wait(deadline_ / kLooks);
    }
  }
}

void WatchedDecisions::stop() {
  {
    const std::lock_guard lock(deck_->mutex);
    deck_->waiting.clear();
    deck_->reports.clear();
  }
  for (const auto& hand : hands_) {
    while (hand->work && !hand->work->done()) {
      hand->work->watch().ask_to_end();
      if (!hand->thread.wait(deadline_ / kLooks)) look_after(*hand);
    }
    hand->work = nullptr;
  }
}

// Nothing happens by itself while nobody works.
Duration WatchedDecisions::pause() const {
  const bool working = std::any_of(hands_.begin(), hands_.end(),
                                   [](const std::unique_ptr<Hand>& hand) { return hand->work != nullptr; });
  return working ? deadline_ / kLooks : Duration::max();
}

void WatchedDecisions::move_on() {
  for (const auto& hand : hands_) {
    if (hand->work && hand->work->done()) hand->work = nullptr;
    if (hand->work) look_after(*hand);
  }
  give_out();
}

void WatchedDecisions::look_after(Hand& hand) {
  const CallWatch::Place place = hand.work->watch().look();
  const SteadyTime now = real_now();
  if (!(place == hand.place) || !place.inside()) {
    hand.place = place;
    hand.since = now;
    return;
  }
  const Duration age = now - hand.since;
  if (age >= deadline_) hand.work->watch().ask_to_end();
  if (age >= deadline_ + deadline_ / 4) give_up(hand);
}

void WatchedDecisions::give_up(Hand& hand) {
  const CallWatch::Place place = hand.place;
  if (!hand.work->watch().give_up(place)) return;
  const auto work = std::exchange(hand.work, nullptr);
  const auto question = work->current();
  place.policy->hung(place.step, std::weak_ptr<const void>(work));
  // The thread and its memory are its own from now on.
  hand.thread.leave();
  hand.workspace = std::make_shared<scheduler::Workspace>();
  if (question)
    deck_->answer({question->id, failed(question->binding, text_of(place, deadline_)), question->table,
                   Duration::zero(), true});
}

// What is told and shown goes alone, before what waits behind it.
void WatchedDecisions::give_out() {
  const bool working = std::any_of(hands_.begin(), hands_.end(),
                                   [](const std::unique_ptr<Hand>& hand) { return hand->work != nullptr; });
  std::shared_ptr<Deciding> alone;
  std::size_t waiting = 0;
  {
    const std::lock_guard lock(deck_->mutex);
    waiting = deck_->waiting.size();
    if (!deck_->reports.empty()) {
      if (working) return;
      alone = std::make_shared<Telling>(deck_, std::exchange(deck_->reports, {}));
    } else if (waiting == 0) {
      return;
    } else if (Question& first = deck_->waiting.front(); !first.policies->has_seen(*first.table)) {
      if (working) return;
      // Nobody is decided over clusters of the past.
      const scheduler::ClusterTablePtr latest = deck_->waiting.back().table;
      for (Question& question : deck_->waiting) question.table = latest;
      alone = std::make_shared<Showing>(deck_, first.policies, latest);
    }
  }
  if (!working && !alone) refresh();
  if (alone) {
    begin(*hands_[0], std::move(alone));
    return;
  }
  for (const auto& hand : hands_) {
    if (waiting-- == 0) return;
    if (!hand->work && !begin(*hand, std::make_shared<Deciding>(deck_, hand->workspace))) return;
  }
}

// What has changed beside the table, while nobody decides.
void WatchedDecisions::refresh() {
  const std::lock_guard lock(deck_->mutex);
  std::set<scheduler::Policies*> refreshed;
  for (const Question& question : deck_->waiting)
    if (refreshed.insert(question.policies).second) question.policies->refresh(*question.table);
}

bool WatchedDecisions::begin(Hand& hand, std::shared_ptr<Deciding> work) {
  hand.place = {};
  hand.since = real_now();
  if (hand.thread.begin(work)) {
    hand.work = std::move(work);
    return true;
  }
  std::vector<Question> refused;
  {
    const std::lock_guard lock(deck_->mutex);
    refused.assign(std::make_move_iterator(deck_->waiting.begin()),
                   std::make_move_iterator(deck_->waiting.end()));
    deck_->waiting.clear();
  }
  for (Question& question : refused) {
    deck_->answer(
        {question.id,
         failed(question.binding, "too many threads hang in policies of plugins: restart the daemon"),
         question.table});
  }
  return false;
}

}  // namespace flotilla::controllers
