// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/interpret.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "core/config/yaml.hpp"
#include "core/ctl/kubeconfig.hpp"
#include "core/ctl/terminal.hpp"
#include "core/interpreter/lua_interpreter.hpp"

namespace flotilla::ctl {
namespace {

using api::Json;
using interpreter::Customization;
using interpreter::Operation;
namespace fs = std::filesystem;

constexpr std::string_view kKind = "ResourceInterpreterCustomization";

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

std::vector<std::string> files_in(const std::string& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() == ".yaml" || entry.path().extension() == ".yml")
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<std::vector<Json>> read_documents(const std::string& path) {
  const Result<std::string> text = read_file(path);
  if (!text) return text.error();
  Result<std::vector<Json>> documents = config::parse_yaml_documents(*text);
  if (!documents) return Error(Code::Invalid, path + ": " + documents.error().message());
  return documents;
}

// What the operation asks about: of the two, that which fits and is there.
const Json& object_for(Operation operation, const InterpretInput& input) {
  const bool of_member = operation == Operation::InterpretStatus || operation == Operation::InterpretHealth;
  const Json& first = of_member ? input.observed : input.desired;
  const Json& other = of_member ? input.desired : input.observed;
  return first.is_null() ? other : first;
}

Error lacks(Operation operation, std::string_view flag) {
  return Error(Code::BadRequest, fmt::format("{} needs {}", to_string(operation), flag));
}

Status check_input(Operation operation, const InterpretInput& input, const Json& object) {
  if (object.is_null()) return lacks(operation, "--desired-file or --observed-file");
  if (!object.is_object() || object["kind"].as_string().empty())
    return Error(Code::Invalid, "the object has no kind");
  if (operation == Operation::Retain && (input.desired.is_null() || input.observed.is_null()))
    return lacks(operation, "both --desired-file and --observed-file");
  if (operation == Operation::AggregateStatus && input.items.is_null())
    return lacks(operation, "--status-file");
  if (operation == Operation::ReviseReplica && !input.replicas.is_int())
    return lacks(operation, "--desired-replica");
  return {};
}

using Results = Result<std::vector<InterpretResult>>;

Results named(std::string name, Result<Json> value) {
  if (!value) return std::move(value).error();
  return std::vector<InterpretResult>{{std::move(name), std::move(*value)}};
}

// Whether the script defines the function of its operation. Errors: what compiling or loading it says.
Result<bool> defines(interpreter::lua::Sandbox& sandbox, const interpreter::lua::Script& script,
                     Operation operation);

}  // namespace

Result<std::vector<Customization>> read_customizations(const std::vector<std::string>& paths) {
  std::vector<Customization> found;
  for (const std::string& path : paths) {
    for (const std::string& file : files_in(path)) {
      const auto documents = read_documents(file);
      if (!documents) return documents.error();
      for (const Json& document : *documents) {
        if (document["kind"].as_string() != kKind) continue;
        Customization one = interpreter::read_customization(document);
        if (one.api_version.empty() || one.kind.empty())
          return Error(Code::Invalid, file + ": spec.target needs apiVersion and kind");
        one.origin = file + ": " + one.origin;
        found.push_back(std::move(one));
      }
    }
  }
  return found;
}

std::shared_ptr<const interpreter::Interpreter> interpreter_of(std::vector<Customization> customizations) {
  const interpreter::Bundle& bundle = interpreter::bundled_customizations();
  const bool built_in = customizations.empty();
  auto lua = std::make_shared<interpreter::LuaInterpreter>(
      system_clock(), interpreter::LuaLimits{}, built_in ? bundle.customizations : std::move(customizations),
      built_in ? bundle.modules : std::vector<interpreter::lua::Module>());
  lua->print_to([](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); });
  if (!built_in) return lua;
  std::vector<std::shared_ptr<const interpreter::Interpreter>> links = {
      lua, std::make_shared<interpreter::NativeInterpreter>()};
  return std::make_shared<interpreter::InterpreterChain>(std::move(links));
}

Result<Json> read_value(const std::string& path) {
  const auto documents = read_documents(path);
  if (!documents) return documents.error();
  if (documents->size() != 1)
    return Error(Code::Invalid, fmt::format("{}: {} documents, one is needed", path, documents->size()));
  return documents->front();
}

Result<Json> read_list(const std::string& path) {
  const auto documents = read_documents(path);
  if (!documents) return documents.error();
  if (documents->size() == 1 && documents->front().is_array()) return documents->front();
  Json list = Json::array();
  for (const Json& document : *documents) list.push_back(document);
  return list;
}

Results interpret(const interpreter::Interpreter& interpreter, Operation operation,
                  const InterpretInput& input) {
  const Json& object = object_for(operation, input);
  if (Status fits = check_input(operation, input, object); !fits) return std::move(fits).error();
  if (!interpreter.supports(object, operation)) {
    return Error(Code::Unsupported,
                 fmt::format("nothing interprets {} of {} {}", to_string(operation),
                             object["apiVersion"].as_string(), object["kind"].as_string()));
  }
  switch (operation) {
    case Operation::InterpretReplica: {
      const auto replicas = interpreter.interpret_replicas(object);
      if (!replicas) return replicas.error();
      return std::vector<InterpretResult>{{"replica", replicas->count}, {"requires", replicas->requirements}};
    }
    case Operation::InterpretComponent:
      return named("components", interpreter.interpret_components(object));
    case Operation::ReviseReplica:
      return named("revised", interpreter.revise_replica(object, input.replicas.as_int()));
    case Operation::Retain:
      return named("retained", interpreter.retain(object, input.observed));
    case Operation::InterpretStatus:
      return named("status", interpreter.reflect_status(object));
    case Operation::AggregateStatus:
      return named("aggregatedStatus",
                   interpreter.aggregate_status(object, input.items.elements(), system_clock().now()));
    case Operation::InterpretDependency:
      return named("dependencies", interpreter.dependencies(object));
    case Operation::InterpretHealth:
      break;
  }
  const auto healthy = interpreter.interpret_health(object);
  if (!healthy) return healthy.error();
  return std::vector<InterpretResult>{{"healthy", Json(*healthy)}};
}

std::string fault_of(const Customization& customization, Operation operation) {
  const auto& script = customization.script(operation);
  if (!script) return {};
  interpreter::lua::Sandbox sandbox(system_clock(), {}, {});
  const Result<bool> defined = defines(sandbox, *script, operation);
  if (!defined) return defined.error().message();
  return *defined ? "" : fmt::format("the script defines no function {}", function_of(operation));
}

int check_customizations(const std::vector<Customization>& customizations) {
  bool failed = false;
  for (const Customization& one : customizations) {
    fmt::print("-----------------------------------\n");
    fmt::print("SOURCE: {}\nTARGET: {} {}\nRULERS:\n", one.origin, one.api_version, one.kind);
    for (int i = 0; i < interpreter::kOperations; ++i) {
      const auto operation = static_cast<Operation>(i);
      const std::string fault = fault_of(one, operation);
      failed |= !fault.empty();
      const std::string verdict = !fault.empty()          ? "ERROR: " + fault
                                  : one.script(operation) ? "PASS"
                                                          : "UNSET";
      fmt::print("    {:<20} {}\n", std::string(to_string(operation)) + ":", verdict);
    }
  }
  return failed ? exit_code::kFailed : exit_code::kOk;
}

namespace {

Result<bool> defines(interpreter::lua::Sandbox& sandbox, const interpreter::lua::Script& script,
                     Operation operation) {
  if (Status compiled = sandbox.compile(script); !compiled) return std::move(compiled).error();
  const interpreter::lua::Script asking(script.text + "\nfunction Defined() return type(" +
                                        function_of(operation) + ") end");
  const auto results = sandbox.run({asking, "Defined", {}});
  if (!results) return results.error();
  return (*results)[0].json.as_string() == "function";
}

}  // namespace

}  // namespace flotilla::ctl
