// SPDX-License-Identifier: Apache-2.0
// A question to an interpreter as a value, so that it can be asked elsewhere: on a thread that may wait, over
// the network.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/interpreter/interpreter.hpp"

namespace flotilla::interpreter {

struct Question {
  Operation operation = Operation::InterpretStatus;
  api::Json object;           // of Retain: the desired one
  api::Json observed;         // Retain
  std::int64_t replicas = 0;  // ReviseReplica
  api::Json items;            // AggregateStatus: the list
  WallTime now;               // AggregateStatus; no part of what is asked

  bool operator==(const Question& other) const;
};

// Of the operation's answer the member that fits.
struct Answer {
  Replicas replicas;     // InterpretReplica
  bool healthy = false;  // InterpretHealth
  api::Json value;       // all others
};

Result<Answer> ask(const Interpreter& interpreter, const Question& question);

// No answer yet: whoever asks the same again some time later will find one. Says nothing about the object.
Error still_asked(std::string message);
bool is_still_asked(const Error& error);

// Stands in for an interpreter before somebody who must not wait: what may block is answered from what was
// settled before; what was not is put down as open and answered with an error for the time being. A decision
// is then made again once its open questions are settled, see controllers::decide.
//
// Thread: one at a time.
class SettledAnswers final : public Interpreter {
 public:
  explicit SettledAnswers(const Interpreter& interpreter) : interpreter_(interpreter) {}

  using Interpreter::supports;
  bool supports(std::string_view api_version, std::string_view kind, Operation operation) const override;
  Result<Replicas> interpret_replicas(const api::Json& object) const override;
  Result<api::Json> interpret_components(const api::Json& object) const override;
  Result<api::Json> revise_replica(const api::Json& object, std::int64_t replicas) const override;
  Result<api::Json> retain(const api::Json& desired, const api::Json& observed) const override;
  Result<api::Json> reflect_status(const api::Json& object) const override;
  Result<api::Json> aggregate_status(const api::Json& object, std::span<const api::Json> items,
                                     WallTime now) const override;
  Result<bool> interpret_health(const api::Json& object) const override;
  Result<api::Json> dependencies(const api::Json& object) const override;

  // Those put down since the last call.
  std::vector<Question> take_open();
  void settle(Question question, Result<Answer> answer);

 private:
  Result<Answer> answer(Question question) const;
  Result<api::Json> value(Question question) const;

  const Interpreter& interpreter_;
  mutable std::vector<Question> open_;
  std::vector<std::pair<Question, Result<Answer>>> settled_;
};

}  // namespace flotilla::interpreter
