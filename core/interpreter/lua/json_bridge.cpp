// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>

#include "core/interpreter/lua/vm.hpp"

namespace flotilla::interpreter::lua {

namespace {

using api::Json;
// Where the value being read stands in the reference objects; null where it is not there.
using Places = std::array<const Json*, 2>;

constexpr double kExact = 9007199254740992.0;  // 2^53: whole numbers beyond may stand for a neighbour

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    unsigned char c = static_cast<unsigned char>(text[i]);
    std::size_t more = c < 0x80 ? 0 : c >= 0xC2 && c < 0xE0 ? 1 : (c & 0xF0) == 0xE0 ? 2 : 3;
    if (more == 3 && (c < 0xF0 || c > 0xF4)) return false;
    if (text.size() - i <= more) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      if (!is_continuation(text[i + k])) return false;
    }
    unsigned char second = more > 0 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((c == 0xE0 && second < 0xA0) || (c == 0xED && second > 0x9F) || (c == 0xF0 && second < 0x90) ||
        (c == 0xF4 && second > 0x8F)) {
      return false;
    }
    i += more + 1;
  }
  return true;
}

class Reader {
 public:
  Reader(lua_State* state, Vm& vm)
      : state_(state), vm_(vm), values_left_(vm.limits.result_values), bytes_left_(vm.limits.result_bytes) {}

  // False on failure. `present` tells whether there is a value at all.
  bool read(int index, const Places& places, int depth, Json& result, bool& present);

 private:
  bool fail(std::string why) {
    vm_.message = std::move(why);
    return false;
  }
  bool read_number(double number, const Places& places, Json& result);
  bool read_text(int index, Json& result);
  bool read_table(int index, const Places& places, int depth, Json& result, bool& present);
  bool read_list(int index, const Places& places, int depth, Json& result);
  bool read_object(int index, const Places& places, int depth, Json& result);

  lua_State* state_;
  Vm& vm_;
  std::size_t values_left_;
  std::size_t bytes_left_;
};

bool Reader::read(int index, const Places& places, int depth, Json& result, bool& present) {
  present = true;
  if (values_left_-- == 0) return fail("the result has too many values");
  switch (lua_type(state_, index)) {
    case LUA_TNIL:
    case LUA_TNONE:
      result = Json();
      return true;
    case LUA_TBOOLEAN:
      result = Json(lua_toboolean(state_, index) != 0);
      return true;
    case LUA_TNUMBER:
      return read_number(lua_tonumber(state_, index), places, result);
    case LUA_TSTRING:
      return read_text(index, result);
    case LUA_TTABLE:
      return read_table(index, places, depth, result, present);
    default:
      return fail(std::string("a ") + lua_typename(state_, lua_type(state_, index)) +
                  " has no place in the result");
  }
}

// Lua knows one kind of number. Those without fraction are integers.
bool Reader::read_number(double number, const Places& places, Json& result) {
  if (!std::isfinite(number)) return fail("a number of the result is not finite");
  if (number != std::floor(number) || std::fabs(number) >= 9223372036854775808.0) {
    result = Json(number);
    return true;
  }
  std::int64_t whole = static_cast<std::int64_t>(number);
  if (std::fabs(number) >= kExact) {
    for (const Json* place : places) {
      if (place != nullptr && place->is_int() && static_cast<double>(place->as_int()) == number) {
        whole = place->as_int();
      }
    }
  }
  result = Json(whole);
  return true;
}

bool Reader::read_text(int index, Json& result) {
  std::size_t size = 0;
  const char* text = lua_tolstring(state_, index, &size);
  if (size > bytes_left_) return fail("the result is too large");
  bytes_left_ -= size;
  if (!is_utf8({text, size})) return fail("a text of the result is not UTF-8");
  result = Json(std::string_view(text, size));
  return true;
}

bool Reader::read_table(int index, const Places& places, int depth, Json& result, bool& present) {
  if (depth == 0) return fail("the result is nested too deeply, or contains itself");
  lua_pushnil(state_);
  if (lua_next(state_, index) == 0) {
    for (auto type : {Json::Type::Array, Json::Type::Object}) {
      for (const Json* place : places) {
        if (place == nullptr || place->type() != type || !place->empty()) continue;
        result = *place;
        return true;
      }
    }
    present = false;
    result = Json();
    return true;
  }
  int first = lua_type(state_, -2);
  lua_pop(state_, 2);
  return first == LUA_TNUMBER ? read_list(index, places, depth - 1, result)
                              : read_object(index, places, depth - 1, result);
}

bool Reader::read_list(int index, const Places& places, int depth, Json& result) {
  std::size_t size = lua_objlen(state_, index);
  std::size_t keys = 0;
  for (lua_pushnil(state_); lua_next(state_, index) != 0; lua_pop(state_, 1)) {
    if (lua_type(state_, -2) != LUA_TNUMBER) {
      lua_pop(state_, 2);
      return fail("a table of the result has both names and numbers as keys");
    }
    ++keys;
  }
  if (keys != size) return fail("a list of the result has gaps");
  result = Json::array();
  for (std::size_t i = 0; i < size; ++i) {
    Places below{};
    for (std::size_t k = 0; k < places.size(); ++k) {
      if (places[k] != nullptr && i < places[k]->elements().size()) below[k] = &places[k]->elements()[i];
    }
    lua_rawgeti(state_, index, static_cast<int>(i) + 1);
    Json element;
    bool present = false;
    bool done = read(lua_gettop(state_), below, depth, element, present);
    lua_pop(state_, 1);
    if (!done) return false;
    if (present) result.push_back(std::move(element));
  }
  return true;
}

bool Reader::read_object(int index, const Places& places, int depth, Json& result) {
  result = Json::object();
  for (lua_pushnil(state_); lua_next(state_, index) != 0; lua_pop(state_, 1)) {
    bool done = lua_type(state_, -2) == LUA_TSTRING;
    if (!done) vm_.message = "a table of the result has keys that are no names";
    Json key;
    Json member;
    bool present = false;
    if (done) done = read_text(lua_gettop(state_) - 1, key);
    if (done) {
      Places below{};
      for (std::size_t k = 0; k < places.size(); ++k) {
        if (places[k] != nullptr) below[k] = places[k]->find(key.as_string());
      }
      done = read(lua_gettop(state_), below, depth, member, present);
    }
    if (!done) {
      lua_pop(state_, 2);
      return false;
    }
    if (present) result.set(key.as_string(), std::move(member));
  }
  return true;
}

}  // namespace

void push_json(lua_State* state, const Json& value) {
  luaL_checkstack(state, 4, "an object is nested too deeply");
  switch (value.type()) {
    case Json::Type::Null:
      lua_pushnil(state);
      return;
    case Json::Type::Bool:
      lua_pushboolean(state, value.as_bool() ? 1 : 0);
      return;
    case Json::Type::Int:
    case Json::Type::Float:
      lua_pushnumber(state, value.as_double());
      return;
    case Json::Type::String: {
      std::string_view text = value.as_string();
      lua_pushlstring(state, text.data(), text.size());
      return;
    }
    case Json::Type::Array: {
      lua_createtable(state, static_cast<int>(value.size()), 0);
      int index = 0;
      for (const Json& element : value.elements()) {
        push_json(state, element);
        lua_rawseti(state, -2, ++index);
      }
      return;
    }
    case Json::Type::Object: {
      lua_createtable(state, 0, static_cast<int>(value.size()));
      for (Json::Member member : value.members()) {
        lua_pushlstring(state, member.key.data(), member.key.size());
        push_json(state, member.value);
        lua_rawset(state, -3);
      }
      return;
    }
  }
}

bool read_json(lua_State* state, int index, std::span<const Json* const> references, Json& result) {
  Places places{};
  for (std::size_t i = 0; i < references.size() && i < places.size(); ++i) places[i] = references[i];
  bool present = false;
  return Reader(state, vm_of(state)).read(index, places, vm_of(state).limits.result_depth, result, present);
}

}  // namespace flotilla::interpreter::lua
