// SPDX-License-Identifier: Apache-2.0
// find, match, gmatch, gsub over our own matcher, and rep with a bound. All else of the library is linear in
// what the memory bound allows.
#include <cstring>

#include "core/interpreter/lua/pattern.hpp"
#include "core/interpreter/lua/vm.hpp"

namespace flotilla::interpreter::lua {

namespace {

std::string_view text_argument(lua_State* state, int index) {
  std::size_t size = 0;
  const char* text = luaL_checklstring(state, index, &size);
  return {text, size};
}

// Strips a leading ^.
bool take_anchor(std::string_view& pattern) {
  bool anchored = pattern.starts_with('^');
  if (anchored) pattern.remove_prefix(1);
  return anchored;
}

// The offset that argument `index` names, 1 by default, from the end where negative.
std::size_t start_argument(lua_State* state, int index, std::size_t size) {
  lua_Integer start = luaL_optinteger(state, index, 1);
  if (start < 0) start += static_cast<lua_Integer>(size) + 1;
  if (start < 1) start = 1;
  return static_cast<std::size_t>(start - 1) < size ? static_cast<std::size_t>(start - 1) : size;
}

// The step bound ends the whole call, whatever the script catches.
int raise_fault(lua_State* state, const PatternMatcher& matcher) {
  Vm& vm = vm_of(state);
  if (vm.pattern_steps == 0) vm.stopped = "the limit of pattern matching steps is reached";
  return luaL_error(state, "%s", matcher.fault());
}

void push_capture(lua_State* state, std::string_view subject, const PatternMatcher& matcher, int index,
                  const char* begin, const char* end) {
  if (index >= matcher.captures()) {
    if (index != 0) luaL_error(state, "invalid capture index");
    lua_pushlstring(state, begin, static_cast<std::size_t>(end - begin));
    return;
  }
  const PatternMatcher::Capture& capture = matcher.capture(index);
  if (capture.end == nullptr) luaL_error(state, "unfinished capture");
  if (capture.position) {
    lua_pushinteger(state, capture.begin - subject.data() + 1);
  } else {
    lua_pushlstring(state, capture.begin, static_cast<std::size_t>(capture.end - capture.begin));
  }
}

// All captures, or the whole match where there is none.
int push_captures(lua_State* state, std::string_view subject, const PatternMatcher& matcher,
                  const char* begin, const char* end) {
  int count = matcher.captures() == 0 ? 1 : matcher.captures();
  luaL_checkstack(state, count + 2, "too many captures");
  for (int i = 0; i < count; ++i) push_capture(state, subject, matcher, i, begin, end);
  return count;
}

struct Found {
  const char* begin;
  const char* end;
};

// The first match at or after `from`; begin is null when there is none.
Found search(lua_State* state, PatternMatcher& matcher, std::string_view subject, const char* from,
             bool anchored) {
  const char* limit = subject.data() + subject.size();
  for (const char* at = from; at <= limit; ++at) {
    const char* end = matcher.match(at);
    if (matcher.fault() != nullptr) raise_fault(state, matcher);
    if (end != nullptr) return {at, end};
    if (anchored) break;
  }
  return {nullptr, nullptr};
}

int find_plain(lua_State* state, std::string_view subject, std::string_view text, std::size_t start) {
  const void* found = memmem(subject.data() + start, subject.size() - start, text.data(), text.size());
  if (found == nullptr) {
    lua_pushnil(state);
    return 1;
  }
  auto offset = static_cast<const char*>(found) - subject.data();
  lua_pushinteger(state, offset + 1);
  lua_pushinteger(state, offset + static_cast<lua_Integer>(text.size()));
  return 2;
}

int find(lua_State* state) {
  std::string_view subject = text_argument(state, 1);
  std::string_view pattern = text_argument(state, 2);
  std::size_t start = start_argument(state, 3, subject.size());
  if (lua_toboolean(state, 4) != 0 || pattern.find_first_of("^$*+?.([%-") == std::string_view::npos) {
    return find_plain(state, subject, pattern, start);
  }
  bool anchored = take_anchor(pattern);
  PatternMatcher matcher(subject, pattern, vm_of(state).pattern_steps);
  Found found = search(state, matcher, subject, subject.data() + start, anchored);
  if (found.begin == nullptr) {
    lua_pushnil(state);
    return 1;
  }
  lua_pushinteger(state, found.begin - subject.data() + 1);
  lua_pushinteger(state, found.end - subject.data());
  if (matcher.captures() == 0) return 2;
  return 2 + push_captures(state, subject, matcher, found.begin, found.end);
}

int match(lua_State* state) {
  std::string_view subject = text_argument(state, 1);
  std::string_view pattern = text_argument(state, 2);
  std::size_t start = start_argument(state, 3, subject.size());
  bool anchored = take_anchor(pattern);
  PatternMatcher matcher(subject, pattern, vm_of(state).pattern_steps);
  Found found = search(state, matcher, subject, subject.data() + start, anchored);
  if (found.begin != nullptr) return push_captures(state, subject, matcher, found.begin, found.end);
  lua_pushnil(state);
  return 1;
}

// Upvalues: subject, pattern, offset of the next search.
int gmatch_step(lua_State* state) {
  std::string_view subject = text_argument(state, lua_upvalueindex(1));
  std::string_view pattern = text_argument(state, lua_upvalueindex(2));
  std::size_t offset = static_cast<std::size_t>(lua_tointeger(state, lua_upvalueindex(3)));
  if (offset > subject.size()) return 0;
  PatternMatcher matcher(subject, pattern, vm_of(state).pattern_steps);
  Found found = search(state, matcher, subject, subject.data() + offset, false);
  if (found.begin == nullptr) return 0;
  lua_Integer next = found.end - subject.data() + (found.end == found.begin ? 1 : 0);
  lua_pushinteger(state, next);
  lua_replace(state, lua_upvalueindex(3));
  return push_captures(state, subject, matcher, found.begin, found.end);
}

int gmatch(lua_State* state) {
  text_argument(state, 1);
  text_argument(state, 2);
  lua_settop(state, 2);
  lua_pushinteger(state, 0);
  lua_pushcclosure(state, gmatch_step, 3);
  return 1;
}

// The replacement text with its %0 to %9.
void add_text(lua_State* state, luaL_Buffer& out, std::string_view subject, const PatternMatcher& matcher,
              Found found) {
  std::string_view text = text_argument(state, 3);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || i + 1 == text.size()) {
      luaL_addchar(&out, text[i]);
      continue;
    }
    char c = text[++i];
    if (c == '0') {
      luaL_addlstring(&out, found.begin, static_cast<std::size_t>(found.end - found.begin));
    } else if (c >= '1' && c <= '9') {
      push_capture(state, subject, matcher, c - '1', found.begin, found.end);
      luaL_addvalue(&out);
    } else {
      luaL_addchar(&out, c);
    }
  }
}

void add_replacement(lua_State* state, luaL_Buffer& out, std::string_view subject,
                     const PatternMatcher& matcher, Found found) {
  int type = lua_type(state, 3);
  if (type == LUA_TSTRING || type == LUA_TNUMBER) return add_text(state, out, subject, matcher, found);
  if (type == LUA_TFUNCTION) {
    lua_pushvalue(state, 3);
    int count = push_captures(state, subject, matcher, found.begin, found.end);
    lua_call(state, count, 1);
  } else {
    push_capture(state, subject, matcher, 0, found.begin, found.end);
    lua_gettable(state, 3);
  }
  if (lua_toboolean(state, -1) == 0) {
    lua_pop(state, 1);
    lua_pushlstring(state, found.begin, static_cast<std::size_t>(found.end - found.begin));
  } else if (lua_isstring(state, -1) == 0) {
    luaL_error(state, "invalid replacement value (a %s)", luaL_typename(state, -1));
  }
  luaL_addvalue(&out);
}

int gsub(lua_State* state) {
  std::string_view subject = text_argument(state, 1);
  std::string_view pattern = text_argument(state, 2);
  int type = lua_type(state, 3);
  luaL_argcheck(state,
                type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TTABLE || type == LUA_TFUNCTION, 3,
                "string/function/table expected");
  lua_Integer most = luaL_optinteger(state, 4, static_cast<lua_Integer>(subject.size()) + 1);
  bool anchored = take_anchor(pattern);
  PatternMatcher matcher(subject, pattern, vm_of(state).pattern_steps);
  const char* at = subject.data();
  const char* limit = at + subject.size();
  lua_Integer count = 0;
  luaL_Buffer out;
  luaL_buffinit(state, &out);
  while (count < most) {
    const char* end = matcher.match(at);
    if (matcher.fault() != nullptr) return raise_fault(state, matcher);
    if (end != nullptr) {
      ++count;
      add_replacement(state, out, subject, matcher, {at, end});
    }
    if (end != nullptr && end > at) {
      at = end;
    } else if (at < limit) {
      luaL_addchar(&out, *at++);
    } else {
      break;
    }
    if (anchored) break;
  }
  luaL_addlstring(&out, at, static_cast<std::size_t>(limit - at));
  luaL_pushresult(&out);
  lua_pushinteger(state, count);
  return 2;
}

int rep(lua_State* state) {
  std::string_view text = text_argument(state, 1);
  lua_Integer count = luaL_checkinteger(state, 2);
  if (count < 0 || text.empty()) count = 0;
  std::size_t most = vm_of(state).limits.text_bytes;
  if (static_cast<std::size_t>(count) > most / (text.empty() ? 1 : text.size())) {
    return luaL_error(state, "string.rep would make more than %d bytes", static_cast<int>(most));
  }
  luaL_Buffer out;
  luaL_buffinit(state, &out);
  for (lua_Integer i = 0; i < count; ++i) luaL_addlstring(&out, text.data(), text.size());
  luaL_pushresult(&out);
  return 1;
}

}  // namespace

void bound_string_library(lua_State* state) {
  constexpr luaL_Reg kFunctions[] = {{"find", find}, {"match", match}, {"gmatch", gmatch}, {"gfind", gmatch},
                                     {"gsub", gsub}, {"rep", rep},     {nullptr, nullptr}};
  luaL_register(state, nullptr, kFunctions);
  lua_pushnil(state);
  lua_setfield(state, -2, "dump");
}

}  // namespace flotilla::interpreter::lua
