// SPDX-License-Identifier: Apache-2.0
#include "core/reconcile/loop.hpp"

#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include "core/base/log.hpp"
#include "core/reconcile/loop_metrics.hpp"

namespace flotilla::reconcile {
namespace {

const Logger kLog("controller");

// How long a loop works before it stands in line again: requests and other loops wait for the same few
// threads.
constexpr Duration kTurn = std::chrono::microseconds(300);

// Of who was told that there is too much to do at the moment.
constexpr Duration kLongestWhenBusy = std::chrono::seconds(5);

// A race that the next look settles, or the end of the daemon.
bool is_silent(const Error& error) {
  return error.is(Code::Conflict) || error.is(Code::Cancelled);
}

}  // namespace

Loop::Loop(const Executor& executor, std::string name, Reconciler& reconciler, LoopOptions options)
    : name_(std::move(name)),
      reconciler_(reconciler),
      options_(options),
      scope_(executor.strand(), name_),
      queue_(executor.clock()),
      clock_(executor.clock()) {
  queue_.share(options_.congestion);
  if (options_.metrics == nullptr) return;
  metrics_ = std::make_unique<LoopMetrics>(*options_.metrics, name_, options_, queue_);
}

Loop::~Loop() {
  stop();
}

void Loop::start() {
  workers_ = 1;
  scope_.spawn(work());
}

void Loop::stop() {
  queue_.shut_down();
  scope_.cancel();
  scope_.join_blocking();
}

LoopStats Loop::stats() const {
  return {reconciled_.load(), failed_.load(), queue_.size()};
}

Task<void> Loop::work() {
  for (;;) {
    ++idle_;
    auto waiting = queue_.next();
    std::optional<Key> key = co_await std::move(waiting);
    if (!key) co_return;
    // Somebody is there for the next key, as long as there may be more: a worker that is never needed costs
    // nothing.
    if (--idle_ == 0 && workers_ < options_.workers) {
      ++workers_;
      scope_.spawn(work());
    }
    const SteadyTime began = metrics_ ? clock_.steady_now() : SteadyTime();
    auto reconciling = reconciler_.reconcile(*key);
    const Outcome outcome = co_await std::move(reconciling);
    if (metrics_) note(outcome, clock_.steady_now() - began);
    settle(*key, outcome);
    queue_.done(*key);
    const SteadyTime now = clock_.steady_now();
    if (now - turn_began_ < kTurn) continue;
    const auto own = co_await boost::asio::this_coro::executor;
    auto behind = resume_on(own);
    co_await std::move(behind);
    turn_began_ = clock_.steady_now();
  }
}

Task<std::optional<Loop::Step>> Loop::step(bool later) {
  const std::optional<Key> key = queue_.take_now(later);
  if (!key) co_return std::nullopt;
  auto reconciling = reconciler_.reconcile(*key);
  Outcome outcome = co_await std::move(reconciling);
  const bool again = outcome.kind() == Outcome::Kind::Again || outcome.kind() == Outcome::Kind::Retry;
  if (again && ++failures_[*key] <= kStepTries)
    queue_.add_after(*key, std::max<Duration>(outcome.delay(), Duration(1)));
  queue_.done(*key);
  co_return Step{*key, std::move(outcome)};
}

void Loop::note(const Outcome& outcome, Duration took) {
  const auto kind = static_cast<std::size_t>(outcome.kind());
  metrics_->results[kind]->add();
  metrics_->took->observe(took);
  const bool failed = outcome.kind() == Outcome::Kind::Retry || outcome.kind() == Outcome::Kind::GiveUp;
  if (failed) metrics_->errors->add();
  if (outcome.kind() == Outcome::Kind::Retry) metrics_->retries->add();
  if (outcome.kind() == Outcome::Kind::GiveUp) metrics_->terminal->add();
  if (auto& timed = failed ? metrics_->failed : metrics_->succeeded) timed->observe(took);
}

void Loop::settle(const Key& key, const Outcome& outcome) {
  reconciled_.fetch_add(1, std::memory_order_relaxed);
  switch (outcome.kind()) {
    case Outcome::Kind::Done:
      failures_.erase(key);
      return;
    case Outcome::Kind::Again:
      failures_.erase(key);
      queue_.add_after(key, outcome.delay());
      return;
    case Outcome::Kind::Retry: {
      // Whoever has too much to do now is asked again before long.
      const Duration longest =
          outcome.error().is(Code::ResourceExhausted) ? kLongestWhenBusy : Duration::max();
      const Duration delay = std::min(back_off(key), longest);
      queue_.add_after(key, delay);
      if (is_silent(outcome.error())) return;
      failed_.fetch_add(1, std::memory_order_relaxed);
      kLog.warn("reconcile failed, will retry", {{"controller", name_},
                                                 {"collection", key.collection.get()},
                                                 {"object", key.object.text()},
                                                 {"error", outcome.error().message()},
                                                 {"in", format_duration(delay)}});
      return;
    }
    case Outcome::Kind::GiveUp:
      failures_.erase(key);
      failed_.fetch_add(1, std::memory_order_relaxed);
      kLog.error("reconcile failed, waiting for a change", {{"controller", name_},
                                                            {"collection", key.collection.get()},
                                                            {"object", key.object.text()},
                                                            {"error", outcome.error().message()}});
      return;
  }
}

Duration Loop::back_off(const Key& key) {
  const int failures = failures_[key]++;
  Duration delay = options_.base_delay;
  for (int i = 0; i < failures && delay < options_.max_delay; ++i) delay *= 2;
  return std::min(delay, options_.max_delay);
}

}  // namespace flotilla::reconcile
