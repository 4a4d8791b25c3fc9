// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <ctime>

#include "core/interpreter/lua/vm.hpp"

namespace flotilla::interpreter::lua {

namespace {

// They raise an error that names them.
constexpr const char* kForbidden[] = {
    "collectgarbage", "dofile", "getfenv", "getmetatable", "load",   "loadfile",     "loadstring",
    "rawequal",       "rawget", "rawset",  "setfenv",      "module", "setmetatable", "newproxy"};
constexpr std::size_t kPrintedBytes = 64u << 10;

int forbidden(lua_State* state) {
  return luaL_error(state, "calling %s is not allowed in an interpreter script",
                    lua_tostring(state, lua_upvalueindex(1)));
}

// Kept for who tries a script by hand; nobody reads it in the daemon.
int print(lua_State* state) {
  int count = lua_gettop(state);
  lua_getfield(state, LUA_GLOBALSINDEX, "tostring");
  for (int i = 1; i <= count; ++i) {
    lua_pushvalue(state, count + 1);
    lua_pushvalue(state, i);
    lua_call(state, 1, 1);
    std::size_t size = 0;
    const char* text = lua_tolstring(state, -1, &size);
    std::string& printed = vm_of(state).printed;
    if (text != nullptr && printed.size() + size < kPrintedBytes) {
      printed.append(text, size).push_back(i < count ? '\t' : '\n');
    }
    lua_pop(state, 1);
  }
  return 0;
}

// Lua's own runs the handler where the error is raised, and so with hooks off when a bound was reached: a
// handler could run for ever there.
int xpcall(lua_State* state) {
  luaL_checkany(state, 2);
  lua_settop(state, 2);
  lua_insert(state, 1);
  bool done = lua_pcall(state, 0, LUA_MULTRET, 0) == 0;
  if (!done) {
    lua_pushvalue(state, 1);
    lua_insert(state, -2);
    lua_call(state, 1, 1);
  }
  lua_pushboolean(state, done ? 1 : 0);
  lua_replace(state, 1);
  return lua_gettop(state);
}

int time_field(lua_State* state, const char* field, int otherwise) {
  lua_getfield(state, 1, field);
  if (otherwise < 0 && lua_isnumber(state, -1) == 0) {
    return luaL_error(state, "field '%s' missing in date table", field);
  }
  int value = lua_isnumber(state, -1) != 0 ? static_cast<int>(lua_tointeger(state, -1)) : otherwise;
  lua_pop(state, 1);
  return value;
}

std::time_t seconds_now(lua_State* state) {
  return std::chrono::system_clock::to_time_t(vm_of(state).clock.now());
}

// The zone is UTC for all of os.
int os_time(lua_State* state) {
  if (lua_isnoneornil(state, 1)) {
    lua_pushnumber(state, static_cast<lua_Number>(seconds_now(state)));
    return 1;
  }
  luaL_checktype(state, 1, LUA_TTABLE);
  std::tm fields{};
  fields.tm_sec = time_field(state, "sec", 0);
  fields.tm_min = time_field(state, "min", 0);
  fields.tm_hour = time_field(state, "hour", 12);
  fields.tm_mday = time_field(state, "day", -1);
  fields.tm_mon = time_field(state, "month", -1) - 1;
  fields.tm_year = time_field(state, "year", -1) - 1900;
  lua_pushnumber(state, static_cast<lua_Number>(timegm(&fields)));
  return 1;
}

void set_field(lua_State* state, const char* name, int value) {
  lua_pushinteger(state, value);
  lua_setfield(state, -2, name);
}

int push_date_table(lua_State* state, const std::tm& fields) {
  lua_createtable(state, 0, 9);
  set_field(state, "sec", fields.tm_sec);
  set_field(state, "min", fields.tm_min);
  set_field(state, "hour", fields.tm_hour);
  set_field(state, "day", fields.tm_mday);
  set_field(state, "month", fields.tm_mon + 1);
  set_field(state, "year", fields.tm_year + 1900);
  set_field(state, "wday", fields.tm_wday + 1);
  set_field(state, "yday", fields.tm_yday + 1);
  lua_pushboolean(state, 0);
  lua_setfield(state, -2, "isdst");
  return 1;
}

int os_date(lua_State* state) {
  const char* format = luaL_optstring(state, 1, "%c");
  auto seconds = static_cast<std::time_t>(luaL_optnumber(state, 2, static_cast<double>(seconds_now(state))));
  if (*format == '!') ++format;
  std::tm fields{};
  if (gmtime_r(&seconds, &fields) == nullptr) return luaL_error(state, "time out of range");
  if (std::string_view(format).starts_with("*t")) return push_date_table(state, fields);
  char text[256];
  std::size_t size = std::strftime(text, sizeof text, format, &fields);
  if (size == 0 && *format != 0) return luaL_error(state, "the date is too long");
  lua_pushlstring(state, text, size);
  return 1;
}

int os_clock(lua_State* state) {
  const Vm& vm = vm_of(state);
  lua_pushnumber(state, std::chrono::duration<double>(vm.clock.steady_now() - vm.started).count());
  return 1;
}

int os_difftime(lua_State* state) {
  lua_pushnumber(state, luaL_checknumber(state, 1) - luaL_optnumber(state, 2, 0));
  return 1;
}

// Leaves the module's compiled chunk on the stack, or nil where there is no such module.
void push_module_chunk(lua_State* state, std::string_view name) {
  const Vm& vm = vm_of(state);
  lua_rawgeti(state, LUA_REGISTRYINDEX, kModules);
  for (std::size_t i = 0; i < vm.modules.size(); ++i) {
    const Module& module = vm.modules[i];
    if (module.name != name) continue;
    lua_rawgeti(state, -1, static_cast<int>(i) + 1);
    if (lua_isnil(state, -1)) {
      lua_pop(state, 1);
      if (luaL_loadbuffer(state, module.text.data(), module.text.size(), module.name.c_str()) != 0) {
        lua_error(state);
      }
      lua_pushvalue(state, -1);
      lua_rawseti(state, -3, static_cast<int>(i) + 1);
    }
    lua_remove(state, -2);
    return;
  }
  lua_pop(state, 1);
  lua_pushnil(state);
}

// What is there already: the libraries, kube, and the modules the host has. Nothing is looked for elsewhere.
int require(lua_State* state) {
  const char* name = luaL_checkstring(state, 1);
  lua_rawgeti(state, LUA_REGISTRYINDEX, kLoaded);
  lua_getfield(state, -1, name);
  if (!lua_isnil(state, -1)) return 1;
  lua_pop(state, 1);
  if (std::string_view(name) == "kube") {
    push_kube_library(state);
  } else {
    push_module_chunk(state, name);
    if (lua_isnil(state, -1)) return luaL_error(state, "there is no module '%s'", name);
    lua_pushvalue(state, LUA_GLOBALSINDEX);
    lua_setfenv(state, -2);
    lua_call(state, 0, 1);
  }
  lua_pushvalue(state, -1);
  lua_setfield(state, -3, name);
  return 1;
}

void open(lua_State* state, const char* name, lua_CFunction opener) {
  lua_pushcfunction(state, opener);
  lua_pushstring(state, name);
  lua_call(state, 1, 0);
}

void set_globals(lua_State* state) {
  for (const char* name : kForbidden) {
    lua_pushstring(state, name);
    lua_pushcclosure(state, forbidden, 1);
    lua_setfield(state, LUA_GLOBALSINDEX, name);
  }
  for (const char* name : {"coroutine", "gcinfo"}) {
    lua_pushnil(state);
    lua_setfield(state, LUA_GLOBALSINDEX, name);
  }
  lua_register(state, "print", print);
  lua_register(state, "require", require);
  lua_register(state, "xpcall", xpcall);
  constexpr luaL_Reg kOs[] = {{"time", os_time},
                              {"date", os_date},
                              {"clock", os_clock},
                              {"difftime", os_difftime},
                              {nullptr, nullptr}};
  lua_createtable(state, 0, 4);
  luaL_register(state, nullptr, kOs);
  lua_setfield(state, LUA_GLOBALSINDEX, "os");
}

// A copy of the table on top of the stack, in its place.
void copy_table(lua_State* state) {
  lua_createtable(state, 0, 32);
  for (lua_pushnil(state); lua_next(state, -3) != 0; lua_pop(state, 1)) {
    lua_pushvalue(state, -2);
    lua_pushvalue(state, -2);
    lua_rawset(state, -5);
  }
  lua_remove(state, -2);
}

}  // namespace

void open_libraries(lua_State* state) {
  open(state, "", luaopen_base);
  open(state, LUA_TABLIBNAME, luaopen_table);
  open(state, LUA_MATHLIBNAME, luaopen_math);
  open(state, LUA_STRLIBNAME, luaopen_string);
  lua_getfield(state, LUA_GLOBALSINDEX, LUA_STRLIBNAME);
  bound_string_library(state);
  // Texts find their methods in a copy that no script can reach.
  lua_pushliteral(state, "");
  lua_getmetatable(state, -1);
  lua_pushvalue(state, -3);
  copy_table(state);
  lua_setfield(state, -2, "__index");
  lua_pop(state, 3);
  set_globals(state);
  lua_pushvalue(state, LUA_GLOBALSINDEX);
  lua_rawseti(state, LUA_REGISTRYINDEX, kLibraries);
  lua_newtable(state);
  lua_rawseti(state, LUA_REGISTRYINDEX, kModules);
}

void push_environment(lua_State* state) {
  lua_rawgeti(state, LUA_REGISTRYINDEX, kLibraries);
  copy_table(state);
  lua_createtable(state, 0, 8);  // package.loaded
  for (const char* name : {LUA_STRLIBNAME, LUA_TABLIBNAME, LUA_MATHLIBNAME, "os"}) {
    lua_getfield(state, -2, name);
    copy_table(state);
    lua_pushvalue(state, -1);
    lua_setfield(state, -3, name);
    lua_setfield(state, -3, name);
  }
  lua_pushvalue(state, -2);
  lua_setfield(state, -2, "_G");
  lua_pushvalue(state, -1);
  lua_rawseti(state, LUA_REGISTRYINDEX, kLoaded);
  lua_createtable(state, 0, 1);
  lua_insert(state, -2);
  lua_setfield(state, -2, "loaded");
  lua_setfield(state, -2, "package");
  lua_pushvalue(state, -1);
  lua_setfield(state, -2, "_G");
  lua_pushvalue(state, -1);
  lua_replace(state, LUA_GLOBALSINDEX);
}

}  // namespace flotilla::interpreter::lua
