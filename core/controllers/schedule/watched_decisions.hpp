// SPDX-License-Identifier: Apache-2.0
// Decisions in which policies take part whose calls may never return. They are made on threads of their own,
// while a fiber looks after them: a call that does not return by the deadline is asked to end, and is given
// up a quarter of that time later. Its decision has failed then, with the name of the policy and what to do;
// its thread is left to it and another takes its place; whoever waits behind it goes on.
//
// A policy is shown a new table, and told outcomes, while no other call of these decisions is under way.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "core/async/event.hpp"
#include "core/async/task.hpp"
#include "core/async/watched_thread.hpp"
#include "core/scheduler/attempt.hpp"

namespace flotilla::controllers {

// Thread: one strand, but for stop(). What a question points at outlives stop(), and its policies outlive
// every call that was given up (Policies::stuck).
class WatchedDecisions {
 public:
  struct Question {
    std::uint64_t id = 0;
    scheduler::Binding binding{};
    scheduler::ClusterTablePtr table{};
    scheduler::Policies* policies = nullptr;
  };
  struct Answer {
    std::uint64_t id = 0;
    scheduler::Attempt attempt{};
    scheduler::ClusterTablePtr table{};  // it was decided over: that of the question, or a later one
    Duration deciding{0};
    bool given_up = false;
  };
  // What became of a decision.
  struct Report {
    scheduler::Binding binding{};
    scheduler::ClusterTablePtr table{};
    scheduler::Policies* policies = nullptr;
    scheduler::Outcome outcome{};
    std::vector<scheduler::Target> targets{};
  };

  WatchedDecisions(const scheduler::Options& options, Duration deadline);
  ~WatchedDecisions();

  // Answered by and by; what waits is decided over the latest table that was asked about.
  void ask(Question question);
  void tell(std::vector<Report> reports);
  std::vector<Answer> take_answers();
  bool has_answers() const;
  // What is still to be answered or told.
  bool idle() const;

  // Looks after the threads until it is cancelled; `answered` is notified when there are answers.
  Task<void> watch(flotilla::Event& answered);
  // The same until everything is answered and told.
  Task<void> settle();
  // The same on this thread, which may block.
  void settle_blocking();
  // One look: gives up what hangs, gives out what waits.
  void move_on();
  // After it nothing runs but calls that were given up. Once, from a thread that may block.
  void stop();

 private:
  struct Deck;
  struct Hand;
  class Deciding;
  class Showing;
  class Telling;

  void look_after(Hand& hand);
  void give_up(Hand& hand);
  void give_out();
  void refresh();
  bool begin(Hand& hand, std::shared_ptr<Deciding> work);
  Duration pause() const;

  const scheduler::Options options_;
  const Duration deadline_;
  std::shared_ptr<Deck> deck_;
  std::vector<std::unique_ptr<Hand>> hands_;
};

}  // namespace flotilla::controllers
