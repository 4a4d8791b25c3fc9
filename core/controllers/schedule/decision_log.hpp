// SPDX-License-Identifier: Apache-2.0
// Keeps the record of every decision beside its binding, in the very commit that writes the decision.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/async/task.hpp"
#include "core/scheduler/decision_record.hpp"
#include "core/store/store.hpp"

namespace flotilla::controllers {

// Where no cluster was found: " Most frequent: 3 ..., 2 ..., 1 .... Ask: flotillactl why ...": the three
// reasons that most clusters were refused for, where there are more or the failure names none, and the
// command that tells all.
std::string advice(const scheduler::DecisionRecord& record, const api::Json& binding);

// Names have numbers in the order in which they were first seen. New ones are written in the commit of the
// first decision that mentions them, and of others until one of these has succeeded; as commits are durable
// in order, what refers to a number is never there without its name. Thread: all but load() from any.
class DecisionLog {
 public:
  explicit DecisionLog(store::Store& store) : store_(store) {}

  // Reads the names once; before the first describe(). Errors: of the storage.
  Task<Status> load();
  bool loaded() const { return loaded_.load(); }

  // What was found out by `attempt`; what belongs to the binding and the moment is left to the caller.
  scheduler::DecisionRecord describe(const scheduler::Attempt& attempt, const scheduler::ClusterTable& table,
                                     const scheduler::Policies& policies, const scheduler::Options& options,
                                     std::string_view scheduler_name);
  // Counts the decision on the binding that is about to be written, and makes the record what is written
  // beside it. May be called again for the same write. The answer is for written(), once that has succeeded.
  struct Ticket {
    std::size_t names = 0;
    std::uint64_t setbacks = 0;
  };
  Ticket add(scheduler::DecisionRecord& record, api::Json& binding, store::SideValues& beside);
  void written(const Ticket& ticket);

 private:
  scheduler::NameNumber number_of(std::string_view name);  // under the mutex
  std::vector<scheduler::NameNumber> rows_of(const scheduler::ClusterTable& table);

  store::Store& store_;
  std::atomic<bool> loaded_ = false;
  std::mutex mutex_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, scheduler::NameNumber> numbers_;
  std::size_t stored_ = 0;   // so many were in storage when they were read
  std::size_t written_ = 0;  // so many are in commits that were not taken back
  std::uint64_t setbacks_ = 0;
  scheduler::RowNumbers rows_;
};

}  // namespace flotilla::controllers
