// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/lua_interpreter.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "core/interpreter/dependencies.hpp"

namespace flotilla::interpreter {

namespace {

constexpr auto kSlow = std::chrono::milliseconds(20);

std::string_view name_of(lua::Type type) {
  switch (type) {
    case lua::Type::Nil:
      return "nil";
    case lua::Type::Bool:
      return "boolean";
    case lua::Type::Number:
      return "number";
    case lua::Type::Text:
      return "string";
    case lua::Type::Table:
      return "table";
    case lua::Type::Other:
      break;
  }
  return "function";
}

std::string place(const Customization& customization, Operation operation) {
  return customization.origin + ", " + std::string(to_string(operation));
}

std::vector<Customization> by_name(std::vector<Customization> customizations) {
  std::ranges::sort(customizations, {}, &Customization::name);
  return customizations;
}

using DependencyKey = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>;

DependencyKey key_of(const api::Json& entry) {
  return {entry["apiVersion"].as_string(), entry["kind"].as_string(), entry["namespace"].as_string(),
          entry["name"].as_string()};
}

}  // namespace

LuaInterpreter::LuaInterpreter(const Clock& clock, LuaLimits limits,
                               std::vector<Customization> customizations, std::vector<lua::Module> modules,
                               Trust trust)
    : customizations_(by_name(std::move(customizations))),
      kinds_(kinds_of(customizations_)),
      pool_(clock, limits, std::move(modules)),
      trust_(trust) {}

LuaInterpreter::Kinds LuaInterpreter::kinds_of(const std::vector<Customization>& customizations) {
  Kinds kinds;
  for (const Customization& one : customizations) kinds[{one.api_version, one.kind}].push_back(&one);
  return kinds;
}

const std::vector<const Customization*>* LuaInterpreter::find(std::string_view api_version,
                                                              std::string_view kind) const {
  auto found = kinds_.find(std::pair(std::string(api_version), std::string(kind)));
  return found == kinds_.end() ? nullptr : &found->second;
}

bool LuaInterpreter::supports(std::string_view api_version, std::string_view kind,
                              Operation operation) const {
  const auto* known = find(api_version, kind);
  return known != nullptr && std::ranges::any_of(*known, [operation](const Customization* one) {
           return one->script(operation) != nullptr;
         });
}

bool LuaInterpreter::may_block(std::string_view, std::string_view, Operation) const {
  return trust_ == Trust::Foreign;
}

std::vector<LuaInterpreter::Source> LuaInterpreter::sources(const api::Json& object,
                                                            Operation operation) const {
  std::vector<Source> found;
  const auto* known = find(object["apiVersion"].as_string(), object["kind"].as_string());
  if (known == nullptr) return found;
  for (const Customization* one : *known) {
    if (one->script(operation) != nullptr) found.push_back({one, one->script(operation).get()});
  }
  return found;
}

bool LuaInterpreter::is_slow(const api::Json& object, Operation operation) const {
  return std::ranges::any_of(sources(object, operation), [](const Source& source) {
    return source.script->last_took.load(std::memory_order_relaxed) > Duration(kSlow).count();
  });
}

Result<lua::Results> LuaInterpreter::run(const Source& source, Operation operation, Arguments arguments,
                                         Arguments references) const {
  std::string printed;
  lua::Call call{*source.script, function_of(operation), arguments, references, print_ ? &printed : nullptr};
  Result<lua::Results> results = pool_.run(call);
  if (!printed.empty()) print_(printed);
  if (!results) return std::move(results).context(place(*source.customization, operation));
  return results;
}

Result<lua::Results> LuaInterpreter::ask(const api::Json& object, Operation operation, Arguments arguments,
                                         Arguments references) const {
  std::vector<Source> found = sources(object, operation);
  if (found.empty()) {
    return Error(Code::Unsupported, "no script for " + std::string(to_string(operation)) + " of " +
                                        std::string(object["kind"].as_string()));
  }
  return run(found.front(), operation, arguments, references);
}

Error LuaInterpreter::wrong_type(const api::Json& object, Operation operation, std::string_view expected,
                                 lua::Type got) const {
  std::vector<Source> found = sources(object, operation);
  return invalid(place(*found.front().customization, operation) + ": " + function_of(operation) +
                 " has to return a " + std::string(expected) + ", not a " + std::string(name_of(got)));
}

Result<api::Json> LuaInterpreter::ask_for_object(const api::Json& object, Operation operation,
                                                 Arguments arguments, Arguments references) const {
  Result<lua::Results> results = ask(object, operation, arguments, references);
  if (!results) return std::move(results).error();
  lua::Value& value = (*results)[0];
  if (value.type != lua::Type::Table || value.json.is_array()) {
    return wrong_type(object, operation, "table of names", value.type);
  }
  return value.json.is_null() ? api::Json::object() : std::move(value.json);
}

Result<Replicas> LuaInterpreter::interpret_replicas(const api::Json& object) const {
  constexpr Operation kOperation = Operation::InterpretReplica;
  const api::Json* arguments[] = {&object};
  Result<lua::Results> results = ask(object, kOperation, arguments);
  if (!results) return std::move(results).error();
  auto& [count, requirements] = *results;
  if (count.type != lua::Type::Number) return wrong_type(object, kOperation, "number", count.type);
  if (requirements.type != lua::Type::Nil && requirements.type != lua::Type::Table) {
    return wrong_type(object, kOperation, "table or nil beside the number", requirements.type);
  }
  double number = count.json.as_double();
  if (number < 0 || number > std::numeric_limits<std::int32_t>::max()) {
    return wrong_type(object, kOperation, "number of replicas", count.type);
  }
  return Replicas{static_cast<std::int64_t>(number), std::move(requirements.json)};
}

Result<api::Json> LuaInterpreter::interpret_components(const api::Json& object) const {
  constexpr Operation kOperation = Operation::InterpretComponent;
  const api::Json* arguments[] = {&object};
  Result<lua::Results> results = ask(object, kOperation, arguments);
  if (!results) return std::move(results).error();
  lua::Value& value = (*results)[0];
  if (value.type == lua::Type::Nil) return api::Json();
  if (value.type != lua::Type::Table || !(value.json.is_null() || value.json.is_array())) {
    return wrong_type(object, kOperation, "list or nil", value.type);
  }
  return std::move(value.json);
}

Result<api::Json> LuaInterpreter::revise_replica(const api::Json& object, std::int64_t replicas) const {
  api::Json count(replicas);
  const api::Json* arguments[] = {&object, &count};
  return ask_for_object(object, Operation::ReviseReplica, arguments, Arguments(arguments, 1));
}

Result<api::Json> LuaInterpreter::retain(const api::Json& desired, const api::Json& observed) const {
  const api::Json* arguments[] = {&desired, &observed};
  return ask_for_object(desired, Operation::Retain, arguments, arguments);
}

Result<api::Json> LuaInterpreter::reflect_status(const api::Json& object) const {
  const api::Json* arguments[] = {&object};
  return ask_for_object(object, Operation::InterpretStatus, arguments);
}

Result<api::Json> LuaInterpreter::aggregate_status(const api::Json& object, std::span<const api::Json> items,
                                                   WallTime) const {
  api::Json list = api::Json::array();
  for (const api::Json& item : items) list.push_back(item);
  const api::Json* arguments[] = {&object, &list};
  Result<api::Json> result = ask_for_object(object, Operation::AggregateStatus, arguments);
  if (!result) return std::move(result).error();
  const api::Json whole = std::move(*result);
  return api::Json(whole["status"]);
}

Result<bool> LuaInterpreter::interpret_health(const api::Json& object) const {
  constexpr Operation kOperation = Operation::InterpretHealth;
  const api::Json* arguments[] = {&object};
  Result<lua::Results> results = ask(object, kOperation, arguments);
  if (!results) return std::move(results).error();
  const lua::Value& value = (*results)[0];
  if (value.type != lua::Type::Bool) return wrong_type(object, kOperation, "boolean", value.type);
  return value.json.as_bool();
}

Result<api::Json> LuaInterpreter::dependencies(const api::Json& object) const {
  constexpr Operation kOperation = Operation::InterpretDependency;
  const api::Json* arguments[] = {&object};
  std::vector<api::Json> all;
  for (const Source& source : sources(object, kOperation)) {
    Result<lua::Results> results = run(source, kOperation, arguments, {});
    if (!results) return std::move(results).error();
    const lua::Value& value = (*results)[0];
    if (value.type != lua::Type::Table || !(value.json.is_null() || value.json.is_array())) {
      return invalid(place(*source.customization, kOperation) + ": GetDependencies has to return a list");
    }
    if (Status valid = validate_dependencies(value.json); !valid) {
      return std::move(valid).context(place(*source.customization, kOperation));
    }
    for (const api::Json& entry : value.json.elements()) {
      if (std::ranges::find(all, entry) == all.end()) all.push_back(entry);
    }
  }
  std::ranges::stable_sort(all, {}, key_of);
  api::Json list = api::Json::array();
  for (api::Json& entry : all) list.push_back(std::move(entry));
  return list;
}

std::shared_ptr<const LuaInterpreter> bundled_interpreter(const Clock& clock, LuaLimits limits,
                                                          lua::PoolObserver observer) {
  const Bundle& bundle = bundled_customizations();
  auto made =
      std::make_shared<LuaInterpreter>(clock, limits, bundle.customizations, bundle.modules, Trust::Own);
  made->watch_pool(std::move(observer));
  return made;
}

}  // namespace flotilla::interpreter
