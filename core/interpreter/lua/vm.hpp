// SPDX-License-Identifier: Apache-2.0
// What stands behind one lua_State. For core/interpreter/lua alone.
//
// Lua raises errors with longjmp. Two rules follow for everything that Lua calls: no object with a destructor
// is alive where a Lua function may raise, and what has to survive such a call is a member of Vm.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <lua.hpp>

#include "core/api/json.hpp"
#include "core/interpreter/lua/limits.hpp"
#include "core/interpreter/lua/sandbox.hpp"

namespace flotilla::interpreter::lua {

struct Vm {
  Vm(const Clock& the_clock, const LuaLimits& the_limits, std::span<const Module> the_modules)
      : clock(the_clock), limits(the_limits), modules(the_modules) {}

  const Clock& clock;
  const LuaLimits limits;
  const std::span<const Module> modules;
  std::size_t memory = 0;

  // Of the call that runs now.
  SteadyTime started;
  std::uint64_t instructions = 0;
  std::uint64_t pattern_steps = 0;
  const char* stopped = nullptr;  // the bound that was reached
  std::string printed;
  std::string message;  // why a function fails, kept while Lua unwinds
  api::Json scratch;    // what a function gives back, kept while it is pushed
};

inline Vm& vm_of(lua_State* state) {
  void* vm = nullptr;
  lua_getallocf(state, &vm);
  return *static_cast<Vm*>(vm);
}

// Integer keys of the registry.
enum Slot : int { kLibraries = 1, kLoaded = 2, kModules = 3, kScripts = 16 };

// json_bridge.cpp

// Raises when memory is short or the value is nested too deeply.
void push_json(lua_State* state, const api::Json& value);

// Stack slots that read_json needs at most; ensure them with luaL_checkstack before.
inline constexpr int kReadSlots = 512;

// The value at `index`. Never raises. An empty table is what stands at the same place in one of `references`,
// a list or an object; where none has anything empty there, it is left out (the whole value: null). On
// failure vm.message says why.
bool read_json(lua_State* state, int index, std::span<const api::Json* const> references, api::Json& result);

// libraries.cpp, string_library.cpp, kube_library.cpp

// Into the registry, once per state: the functions that every environment gets. Raises.
void open_libraries(lua_State* state);
// Makes a new table of globals, copies of the libraries in it, and makes it the global environment; leaves it
// on the stack. Raises.
void push_environment(lua_State* state);
// Replaces what can run away in the string library, which is on top of the stack. Raises.
void bound_string_library(lua_State* state);
// Leaves the table of functions on the stack. Raises.
void push_kube_library(lua_State* state);

}  // namespace flotilla::interpreter::lua
