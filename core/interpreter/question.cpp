// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/question.hpp"

#include <algorithm>
#include <string>

namespace flotilla::interpreter {

namespace {

constexpr std::string_view kStillAsked = "StillAsked";

Result<Answer> with_value(Result<api::Json> value) {
  if (!value) return std::move(value).error();
  return Answer{{}, false, std::move(*value)};
}

Question about(Operation operation, const api::Json& object) {
  Question question;
  question.operation = operation;
  question.object = object;
  return question;
}

}  // namespace

bool Question::operator==(const Question& other) const {
  return operation == other.operation && replicas == other.replicas && object == other.object &&
         observed == other.observed && items == other.items;
}

Error still_asked(std::string message) {
  ErrorDetails details;
  details.reason = kStillAsked;
  return Error(Code::ResourceExhausted, std::move(message), std::move(details));
}

bool is_still_asked(const Error& error) {
  return error.details() != nullptr && error.details()->reason == kStillAsked;
}

Result<Answer> ask(const Interpreter& interpreter, const Question& question) {
  switch (question.operation) {
    case Operation::InterpretReplica: {
      Result<Replicas> replicas = interpreter.interpret_replicas(question.object);
      if (!replicas) return std::move(replicas).error();
      return Answer{std::move(*replicas), false, {}};
    }
    case Operation::InterpretComponent:
      return with_value(interpreter.interpret_components(question.object));
    case Operation::ReviseReplica:
      return with_value(interpreter.revise_replica(question.object, question.replicas));
    case Operation::InterpretStatus:
      return with_value(interpreter.reflect_status(question.object));
    case Operation::Retain:
      return with_value(interpreter.retain(question.object, question.observed));
    case Operation::AggregateStatus:
      return with_value(interpreter.aggregate_status(question.object,
                                                     std::as_const(question.items).elements(), question.now));
    case Operation::InterpretHealth: {
      Result<bool> healthy = interpreter.interpret_health(question.object);
      if (!healthy) return std::move(healthy).error();
      return Answer{{}, *healthy, {}};
    }
    case Operation::InterpretDependency:
      return with_value(interpreter.dependencies(question.object));
  }
  return internal("no such operation");
}

bool SettledAnswers::supports(std::string_view api_version, std::string_view kind,
                              Operation operation) const {
  return interpreter_.supports(api_version, kind, operation);
}

Result<Answer> SettledAnswers::answer(Question question) const {
  const api::Json& object = question.object;
  if (!interpreter_.may_block(object["apiVersion"].as_string(), object["kind"].as_string(),
                              question.operation)) {
    return ask(interpreter_, question);
  }
  for (const auto& [known, answer] : settled_) {
    if (known == question) return answer;
  }
  if (std::ranges::find(open_, question) == open_.end()) open_.push_back(std::move(question));
  return Error(Code::Unavailable, "the interpreter is being asked");
}

Result<api::Json> SettledAnswers::value(Question question) const {
  Result<Answer> found = answer(std::move(question));
  if (!found) return std::move(found).error();
  return std::move(found->value);
}

std::vector<Question> SettledAnswers::take_open() {
  return std::exchange(open_, {});
}

void SettledAnswers::settle(Question question, Result<Answer> answer) {
  settled_.emplace_back(std::move(question), std::move(answer));
}

Result<Replicas> SettledAnswers::interpret_replicas(const api::Json& object) const {
  Result<Answer> found = answer(about(Operation::InterpretReplica, object));
  if (!found) return std::move(found).error();
  return std::move(found->replicas);
}

Result<api::Json> SettledAnswers::interpret_components(const api::Json& object) const {
  return value(about(Operation::InterpretComponent, object));
}

Result<api::Json> SettledAnswers::revise_replica(const api::Json& object, std::int64_t replicas) const {
  Question question = about(Operation::ReviseReplica, object);
  question.replicas = replicas;
  return value(std::move(question));
}

Result<api::Json> SettledAnswers::retain(const api::Json& desired, const api::Json& observed) const {
  Question question = about(Operation::Retain, desired);
  question.observed = observed;
  return value(std::move(question));
}

Result<api::Json> SettledAnswers::reflect_status(const api::Json& object) const {
  return value(about(Operation::InterpretStatus, object));
}

Result<api::Json> SettledAnswers::aggregate_status(const api::Json& object, std::span<const api::Json> items,
                                                   WallTime now) const {
  Question question = about(Operation::AggregateStatus, object);
  question.items = api::Json::array();
  for (const api::Json& item : items) question.items.push_back(item);
  question.now = now;
  return value(std::move(question));
}

Result<bool> SettledAnswers::interpret_health(const api::Json& object) const {
  Result<Answer> found = answer(about(Operation::InterpretHealth, object));
  if (!found) return std::move(found).error();
  return found->healthy;
}

Result<api::Json> SettledAnswers::dependencies(const api::Json& object) const {
  return value(about(Operation::InterpretDependency, object));
}

}  // namespace flotilla::interpreter
