// SPDX-License-Identifier: Apache-2.0
// Scripts per kind and operation, as ResourceInterpreterCustomization objects and the bundled scripts give
// them.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/interpreter/interpreter.hpp"
#include "core/interpreter/lua/sandbox.hpp"

namespace flotilla::interpreter {

// The function that a script for the operation defines: GetReplicas, Retain, ...
const char* function_of(Operation operation);
// The member of spec.customizations that holds it: replicaResource, retention, ...
std::string_view member_of(Operation operation);

struct Customization {
  std::string origin;  // for messages: ResourceInterpreterCustomization "web"
  std::string name;
  std::string api_version;
  std::string kind;
  // Null where it has nothing to say. One script may serve several operations.
  std::array<std::shared_ptr<const lua::Script>, kOperations> scripts;

  const std::shared_ptr<const lua::Script>& script(Operation operation) const {
    return scripts[static_cast<std::size_t>(operation)];
  }
};

// A ResourceInterpreterCustomization.
Customization read_customization(const api::Json& object);

// The scripts that are in the program (config/interpreters), with what they require.
struct Bundle {
  std::vector<Customization> customizations;
  std::vector<lua::Module> modules;
};
const Bundle& bundled_customizations();

}  // namespace flotilla::interpreter
