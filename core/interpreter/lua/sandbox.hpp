// SPDX-License-Identifier: Apache-2.0
// Runs scripts in Lua 5.1 with nothing of the machine in reach: no files, no processes, no network, no code
// from texts, no other modules than those the host has, and an end to time, instructions, memory, nesting and
// the work of pattern matching (LuaLimits). Each call has globals of its own, so scripts can neither leave
// anything behind nor find anything.
//
// Script      a text, compiled once per state
// Sandbox     one Lua state; one caller at a time
// SandboxPool states for whoever calls; any thread
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/interpreter/lua/limits.hpp"

struct lua_State;

namespace flotilla::interpreter::lua {

struct Vm;

// A script that others may require by name.
struct Module {
  std::string name;
  std::string text;
};

struct Script {
  explicit Script(std::string the_text);

  const int id;  // unique in the process
  const std::string text;
  mutable std::atomic<Duration::rep> last_took = 0;  // nanoseconds of the last call
};

enum class Type : std::uint8_t { Nil, Bool, Number, Text, Table, Other };

struct Value {
  Type type = Type::Nil;
  api::Json json;  // null for a table that is empty and stands for nothing
};

struct Call {
  const Script& script;
  const char* function;
  std::span<const api::Json* const> arguments;
  // Where an empty table is looked up to know whether it is a list or an object (the first result alone).
  std::span<const api::Json* const> references = {};
  std::string* printed = nullptr;
};

using Results = std::array<Value, 2>;

class Sandbox {
 public:
  Sandbox(const Clock& clock, const LuaLimits& limits, std::span<const Module> modules);
  ~Sandbox();

  // Errors: Invalid with the line and what is wrong there; Timeout and ResourceExhausted when a bound was
  // reached.
  Result<Results> run(const Call& call);
  // Compiles alone.
  Status compile(const Script& script);
  // False after a bound was reached, or with much memory in use: not to be used again.
  bool reusable() const;

 private:
  struct CloseState {
    void operator()(lua_State* state) const;
  };

  std::unique_ptr<Vm> vm_;  // outlives the state
  std::unique_ptr<lua_State, CloseState> state_;
};

// Told of every coming and going. Thread: any.
struct PoolObserver {
  std::function<void(bool fresh)> took;  // a new state, or one that was kept
  std::function<void(bool kept)> put;    // for the next caller, or thrown away
};

class SandboxPool {
 public:
  SandboxPool(const Clock& clock, LuaLimits limits, std::vector<Module> modules = {});
  ~SandboxPool();

  Result<Results> run(const Call& call) const;
  // Not to be set while others call.
  void watch(PoolObserver observer) { observer_ = std::move(observer); }

 private:
  static constexpr std::size_t kKept = 4;

  std::unique_ptr<Sandbox> take() const;
  bool give_back(std::unique_ptr<Sandbox> sandbox) const;

  const Clock& clock_;
  const LuaLimits limits_;
  const std::vector<Module> modules_;
  PoolObserver observer_;
  mutable std::array<std::atomic<Sandbox*>, kKept> idle_{};
};

}  // namespace flotilla::interpreter::lua
