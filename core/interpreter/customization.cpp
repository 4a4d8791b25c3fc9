// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/customization.hpp"

namespace flotilla::interpreter {

namespace {

struct OperationNames {
  const char* function;
  std::string_view member;
};

// In the order of Operation.
constexpr std::array<OperationNames, kOperations> kNames = {{
    {"GetReplicas", "replicaResource"},
    {"GetComponents", "componentResource"},
    {"ReviseReplica", "replicaRevision"},
    {"ReflectStatus", "statusReflection"},
    {"Retain", "retention"},
    {"AggregateStatus", "statusAggregation"},
    {"InterpretHealth", "healthInterpretation"},
    {"GetDependencies", "dependencyInterpretation"},
}};

}  // namespace

const char* function_of(Operation operation) {
  return kNames[static_cast<std::size_t>(operation)].function;
}

std::string_view member_of(Operation operation) {
  return kNames[static_cast<std::size_t>(operation)].member;
}

Customization read_customization(const api::Json& object) {
  Customization customization;
  customization.name = object.at({"metadata", "name"}).as_string();
  customization.origin = "ResourceInterpreterCustomization \"" + customization.name + "\"";
  const api::Json& spec = object["spec"];
  customization.api_version = spec.at({"target", "apiVersion"}).as_string();
  customization.kind = spec.at({"target", "kind"}).as_string();
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    std::string_view text = spec.at({"customizations", kNames[i].member, "luaScript"}).as_string();
    if (!text.empty()) customization.scripts[i] = std::make_shared<lua::Script>(std::string(text));
  }
  return customization;
}

}  // namespace flotilla::interpreter
