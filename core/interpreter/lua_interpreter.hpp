// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/interpreter/customization.hpp"
#include "core/interpreter/interpreter.hpp"

namespace flotilla::interpreter {

// Whether the scripts come from users, who may write what they like, or with the program.
enum class Trust : std::uint8_t { Foreign, Own };

// Answers by Lua scripts. Several customizations of one kind act as one: by name, the first that has a script
// for the operation; of dependencies all, and their union counts.
//
// Errors name the customization, the operation and the line: what a script raised, what it gave back that
// cannot be understood (Invalid), and the bounds it reached (Timeout, ResourceExhausted).
class LuaInterpreter final : public Interpreter {
 public:
  LuaInterpreter(const Clock& clock, LuaLimits limits, std::vector<Customization> customizations,
                 std::vector<lua::Module> modules = {}, Trust trust = Trust::Foreign);

  using Interpreter::supports;
  bool supports(std::string_view api_version, std::string_view kind, Operation operation) const override;
  bool may_block(std::string_view api_version, std::string_view kind, Operation operation) const override;
  Result<Replicas> interpret_replicas(const api::Json& object) const override;
  Result<api::Json> interpret_components(const api::Json& object) const override;
  Result<api::Json> revise_replica(const api::Json& object, std::int64_t replicas) const override;
  Result<api::Json> retain(const api::Json& desired, const api::Json& observed) const override;
  Result<api::Json> reflect_status(const api::Json& object) const override;
  Result<api::Json> aggregate_status(const api::Json& object, std::span<const api::Json> items,
                                     WallTime now) const override;
  Result<bool> interpret_health(const api::Json& object) const override;
  Result<api::Json> dependencies(const api::Json& object) const override;

  bool empty() const { return kinds_.empty(); }
  // Not to be set while others call.
  void watch_pool(lua::PoolObserver observer) { pool_.watch(std::move(observer)); }
  // A script that this question needs took long when it was run last.
  bool is_slow(const api::Json& object, Operation operation) const;
  // Where what scripts print goes, if anywhere. Not to be set while others call.
  void print_to(std::function<void(std::string_view)> sink) { print_ = std::move(sink); }

 private:
  using Arguments = std::span<const api::Json* const>;
  struct Source {
    const Customization* customization;
    const lua::Script* script;
  };
  // By apiVersion and kind; those of one kind by name.
  using Kinds = std::map<std::pair<std::string, std::string>, std::vector<const Customization*>, std::less<>>;

  static Kinds kinds_of(const std::vector<Customization>& customizations);
  const std::vector<const Customization*>* find(std::string_view api_version, std::string_view kind) const;
  std::vector<Source> sources(const api::Json& object, Operation operation) const;
  Result<lua::Results> ask(const api::Json& object, Operation operation, Arguments arguments,
                           Arguments references = {}) const;
  Result<lua::Results> run(const Source& source, Operation operation, Arguments arguments,
                           Arguments references) const;
  Result<api::Json> ask_for_object(const api::Json& object, Operation operation, Arguments arguments,
                                   Arguments references = {}) const;
  Error wrong_type(const api::Json& object, Operation operation, std::string_view expected,
                   lua::Type got) const;

  std::vector<Customization> customizations_;
  Kinds kinds_;
  lua::SandboxPool pool_;
  Trust trust_;
  std::function<void(std::string_view)> print_;
};

// The bundled scripts.
std::shared_ptr<const LuaInterpreter> bundled_interpreter(const Clock& clock, LuaLimits limits = {},
                                                          lua::PoolObserver observer = {});

}  // namespace flotilla::interpreter
