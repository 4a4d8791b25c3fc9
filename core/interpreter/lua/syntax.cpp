// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/lua/syntax.hpp"

#include <memory>
#include <string>

#include <lua.hpp>

namespace flotilla::interpreter {

namespace {

struct CloseLua {
  void operator()(lua_State* state) const { lua_close(state); }
};

}  // namespace

Status check_lua_syntax(std::string_view script) {
  std::unique_ptr<lua_State, CloseLua> state(luaL_newstate());
  if (state == nullptr) return Error(Code::ResourceExhausted, "no memory for a Lua state");
  // Precompiled chunks are no source; Lua would run them unchecked.
  if (script.starts_with(LUA_SIGNATURE)) return invalid("a script has to be source text");
  if (luaL_loadbuffer(state.get(), script.data(), script.size(), "=script") == 0) return {};
  const char* complaint = lua_tostring(state.get(), -1);
  return invalid(complaint == nullptr ? "no memory to compile the script" : complaint);
}

}  // namespace flotilla::interpreter
