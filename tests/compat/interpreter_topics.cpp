// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>
#include <utility>

#include "core/base/clock.hpp"
#include "core/interpreter/interpreter.hpp"
#include "core/interpreter/lua_interpreter.hpp"
#include "tests/compat/topic.hpp"

namespace flotilla::compat {

namespace {

using api::Json;
using interpreter::Interpreter;
using interpreter::NativeInterpreter;
using interpreter::Operation;

Json failure(const Error& error) {
  return Json::object({{"error", Json::object({{"message", error.message()}})}});
}

template <typename T>
Json answer(std::string_view member, const Result<T>& result) {
  return result ? Json::object({{member, Json(*result)}}) : failure(result.error());
}

Json unsupported() {
  return Json::object({{"supported", false}});
}

const NativeInterpreter& native() {
  static const NativeInterpreter interpreter;
  return interpreter;
}

Json replicas(const Json& input) {
  const Json& object = input["object"];
  if (!native().supports(object, Operation::InterpretReplica)) return unsupported();
  auto result = native().interpret_replicas(object);
  if (!result) return failure(result.error());
  return Json::object({{"replicas", result->count}, {"requirements", result->requirements}});
}

Json revise(const Json& input) {
  const Json& object = input["object"];
  if (!native().supports(object, Operation::ReviseReplica)) return unsupported();
  return answer("object", native().revise_replica(object, input["replica"].as_int()));
}

Json retain(const Json& input) {
  const Json& desired = input["desired"];
  if (!native().supports(desired, Operation::Retain)) return unsupported();
  return answer("object", native().retain(desired, input["observed"]));
}

Json reflect(const Json& input) {
  return answer("status", native().reflect_status(input["object"]));
}

Json aggregate(const Json& input) {
  const Json& object = input["object"];
  if (!native().supports(object, Operation::AggregateStatus)) return unsupported();
  WallTime now = SystemClock().now();
  return answer("status", native().aggregate_status(object, input["aggregatedStatus"].elements(), now));
}

Json health(const Json& input) {
  const Json& object = input["object"];
  if (!native().supports(object, Operation::InterpretHealth)) return unsupported();
  return answer("healthy", native().interpret_health(object));
}

Json dependencies(const Json& input) {
  const Json& object = input["object"];
  if (!native().supports(object, Operation::InterpretDependency)) return unsupported();
  return answer("dependencies", native().dependencies(object));
}

// The bundled scripts, which stand before the native interpreter.
const Interpreter& bundled() {
  static const SystemClock clock;
  static const auto interpreter = interpreter::bundled_interpreter(clock);
  return *interpreter;
}

Json third_party_replicas(const Json& object) {
  auto result = bundled().interpret_replicas(object);
  if (!result) return failure(result.error());
  return Json::object({{"replicas", result->count}, {"requirements", result->requirements}});
}

Json third_party_aggregate(const Json& object, const Json& items) {
  WallTime now = SystemClock().now();
  return answer("status", bundled().aggregate_status(object, items.elements(), now));
}

Json third_party(const Json& input) {
  const Json& object = input["desired"].is_null() ? input["object"] : input["desired"];
  const auto operation = interpreter::parse_operation(input["op"].as_string());
  if (!operation || !bundled().supports(object, *operation)) return unsupported();
  switch (*operation) {
    case Operation::InterpretReplica:
      return third_party_replicas(object);
    case Operation::InterpretComponent:
      return answer("components", bundled().interpret_components(object));
    case Operation::ReviseReplica:
      return answer("object", bundled().revise_replica(object, input["replica"].as_int()));
    case Operation::InterpretStatus:
      return answer("status", bundled().reflect_status(object));
    case Operation::Retain:
      return answer("object", bundled().retain(object, input["observed"]));
    case Operation::AggregateStatus:
      return third_party_aggregate(object, input["aggregatedStatus"]);
    case Operation::InterpretHealth:
      return answer("healthy", bundled().interpret_health(object));
    case Operation::InterpretDependency:
      return answer("dependencies", bundled().dependencies(object));
  }
  return unsupported();
}

constexpr std::array kTopics = {
    Topic{"interpreter_replicas", replicas},
    Topic{"interpreter_revise", revise},
    Topic{"interpreter_retain", retain},
    Topic{"interpreter_status", reflect},
    Topic{"interpreter_aggregate", aggregate},
    Topic{"interpreter_health", health},
    Topic{"interpreter_dependencies", dependencies},
    Topic{"interpreter_thirdparty", third_party},
};

}  // namespace

std::span<const Topic> interpreter_topics() {
  return kTopics;
}

}  // namespace flotilla::compat
