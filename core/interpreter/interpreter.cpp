// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/interpreter.hpp"

#include <array>
#include <string>
#include <utility>

namespace flotilla::interpreter {

namespace {

constexpr std::array<std::string_view, kOperations> kOperationNames = {
    "InterpretReplica", "InterpretComponent", "ReviseReplica",   "InterpretStatus",
    "Retain",           "AggregateStatus",    "InterpretHealth", "InterpretDependency",
};

Error unsupported(const api::Json& object, Operation operation) {
  return Error(Code::Unsupported, std::string(to_string(operation)) + " is not supported for " +
                                      std::string(object["apiVersion"].as_string()) + " " +
                                      std::string(object["kind"].as_string()));
}

}  // namespace

std::string_view to_string(Operation operation) {
  return kOperationNames[static_cast<std::size_t>(operation)];
}

std::optional<Operation> parse_operation(std::string_view text) {
  for (std::size_t i = 0; i < kOperationNames.size(); ++i) {
    if (kOperationNames[i] == text) return static_cast<Operation>(i);
  }
  return std::nullopt;
}

bool Interpreter::may_block(std::string_view, std::string_view, Operation) const {
  return false;
}

bool Interpreter::supports(const api::Json& object, Operation operation) const {
  return supports(object["apiVersion"].as_string(), object["kind"].as_string(), operation);
}

InterpreterChain::InterpreterChain(std::vector<std::shared_ptr<const Interpreter>> links)
    : links_(std::move(links)) {}

bool InterpreterChain::supports(std::string_view api_version, std::string_view kind,
                                Operation operation) const {
  return find(api_version, kind, operation) != nullptr;
}

bool InterpreterChain::may_block(std::string_view api_version, std::string_view kind,
                                 Operation operation) const {
  const Interpreter* link = find(api_version, kind, operation);
  return link != nullptr && link->may_block(api_version, kind, operation);
}

Result<Replicas> InterpreterChain::interpret_replicas(const api::Json& object) const {
  const Interpreter* link = find(object, Operation::InterpretReplica);
  return link ? link->interpret_replicas(object) : unsupported(object, Operation::InterpretReplica);
}

Result<api::Json> InterpreterChain::interpret_components(const api::Json& object) const {
  const Interpreter* link = find(object, Operation::InterpretComponent);
  return link ? link->interpret_components(object) : unsupported(object, Operation::InterpretComponent);
}

Result<api::Json> InterpreterChain::revise_replica(const api::Json& object, std::int64_t replicas) const {
  const Interpreter* link = find(object, Operation::ReviseReplica);
  return link ? link->revise_replica(object, replicas) : unsupported(object, Operation::ReviseReplica);
}

Result<api::Json> InterpreterChain::retain(const api::Json& desired, const api::Json& observed) const {
  const Interpreter* link = find(desired, Operation::Retain);
  return link ? link->retain(desired, observed) : unsupported(desired, Operation::Retain);
}

Result<api::Json> InterpreterChain::reflect_status(const api::Json& object) const {
  const Interpreter* link = find(object, Operation::InterpretStatus);
  return link ? link->reflect_status(object) : unsupported(object, Operation::InterpretStatus);
}

Result<api::Json> InterpreterChain::aggregate_status(const api::Json& object,
                                                     std::span<const api::Json> items, WallTime now) const {
  const Interpreter* link = find(object, Operation::AggregateStatus);
  return link ? link->aggregate_status(object, items, now) : unsupported(object, Operation::AggregateStatus);
}

Result<bool> InterpreterChain::interpret_health(const api::Json& object) const {
  const Interpreter* link = find(object, Operation::InterpretHealth);
  return link ? link->interpret_health(object) : unsupported(object, Operation::InterpretHealth);
}

Result<api::Json> InterpreterChain::dependencies(const api::Json& object) const {
  const Interpreter* link = find(object, Operation::InterpretDependency);
  return link ? link->dependencies(object) : unsupported(object, Operation::InterpretDependency);
}

const Interpreter* InterpreterChain::find(std::string_view api_version, std::string_view kind,
                                          Operation operation) const {
  for (const auto& link : links_) {
    if (link->supports(api_version, kind, operation)) return link.get();
  }
  return nullptr;
}

const Interpreter* InterpreterChain::find(const api::Json& object, Operation operation) const {
  return find(object["apiVersion"].as_string(), object["kind"].as_string(), operation);
}

}  // namespace flotilla::interpreter
