// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "tests/unit/interpreter/lua/script.hpp"

namespace flotilla::interpreter::lua::test {
namespace {

// Through Lua and back, with the object itself to tell empty lists from empty objects.
api::Json round_trip(const api::Json& object) {
  Sandbox sandbox(system_clock(), {}, {});
  Script script("function run(a) return a end");
  const api::Json* arguments[] = {&object};
  return must(sandbox.run({script, "run", arguments, arguments}))[0].json;
}

TEST(Interpreter_LuaJson, keeps_what_lua_can_hold) {
  for (const char* text :
       {R"({"a": 1, "b": -2.5, "c": "x", "d": true, "e": [1, "2", [3]], "f": {"g": {}}, "h": []})",
        R"({"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "items": []}]})",
        R"({"u": "\u00fc\u4e2d\ud83d\ude00", "": 1})", "[]", "[1]", "\"\"", "1e300"}) {
    EXPECT_EQ(round_trip(json(text)), json(text)) << text;
  }
}

TEST(Interpreter_LuaJson, has_integers_wherever_there_is_no_fraction) {
  EXPECT_TRUE(round_trip(json("1.0")).is_int());
  EXPECT_EQ(evaluate("10 / 4"), json("2.5"));
  EXPECT_EQ(evaluate("10 / 5"), json("2"));
  EXPECT_TRUE(evaluate("10 / 5").is_int());
  EXPECT_EQ(evaluate("-0.0").dump(), "0");
  EXPECT_TRUE(evaluate("1e20").is_number());
}

TEST(Interpreter_LuaJson, keeps_large_integers_that_are_passed_through) {
  EXPECT_EQ(round_trip(json("9223372036854775807")), json("9223372036854775807"));
  EXPECT_EQ(round_trip(json(R"({"a": [9007199254740993]})")), json(R"({"a": [9007199254740993]})"));
}

TEST(Interpreter_LuaJson, drops_null_and_what_is_empty_without_a_precedent) {
  EXPECT_EQ(round_trip(json(R"({"a": null, "b": 1})")), json(R"({"b": 1})"));
  EXPECT_EQ(evaluate("{a = {}, b = {c = {}}, d = {{}, 1}}"), json(R"({"b": {}, "d": [1]})"));
  EXPECT_EQ(evaluate("{}"), json("null"));
}

TEST(Interpreter_LuaJson, looks_at_the_same_place_of_every_reference) {
  Sandbox sandbox(system_clock(), {}, {});
  Script script("function run(a, b) a.y = b.y a.l[1].z = {} return a end");
  api::Json desired = json(R"({"x": {}, "l": [{"z": 1}]})");
  api::Json observed = json(R"({"y": [], "l": [{"z": []}]})");
  const api::Json* arguments[] = {&desired, &observed};
  EXPECT_EQ(must(sandbox.run({script, "run", arguments, arguments}))[0].json,
            json(R"({"x": {}, "y": [], "l": [{"z": []}]})"));
}

TEST(Interpreter_LuaJson, refuses_what_json_has_no_place_for) {
  EXPECT_EQ(complaint("return {1, nil, 3}"), "a list of the result has gaps");
  EXPECT_EQ(complaint("return {1, x = 2}"), "a table of the result has both names and numbers as keys");
  EXPECT_NE(complaint("return {x = 2, [true] = 1}"), "nothing wrong");
  EXPECT_NE(complaint("return {[1.5] = 1}"), "nothing wrong");
  EXPECT_EQ(complaint("return {f = print}"), "a function has no place in the result");
  EXPECT_EQ(complaint("return {n = 0/0}"), "a number of the result is not finite");
  EXPECT_EQ(complaint("return {n = 1/0}"), "a number of the result is not finite");
  EXPECT_EQ(complaint("return {s = '\\255'}"), "a text of the result is not UTF-8");
  EXPECT_EQ(complaint("return {['\\255'] = 1}"), "a text of the result is not UTF-8");
  EXPECT_EQ(complaint("return {s = '\\237\\160\\128'}"), "a text of the result is not UTF-8");
}

TEST(Interpreter_LuaJson, bounds_the_result) {
  EXPECT_EQ(complaint("local t = {} t.t = t return t"),
            "the result is nested too deeply, or contains itself");
  EXPECT_EQ(complaint("local t = {1} for i = 1, 60 do t = {t, t} end return t"),
            "the result has too many values");
  EXPECT_EQ(complaint("local s = ('x'):rep(1e6) local t = {} for i = 1, 20 do t[i] = s end return t"),
            "the result is too large");
}

TEST(Interpreter_LuaJson, takes_deep_objects_or_says_no) {
  std::string deep = std::string(500, '[') + std::string(500, ']');
  api::Json object = *api::Json::parse(deep);
  Result<Results> results = run("function run(a) return a end", {object});
  EXPECT_FALSE(results.ok());
  EXPECT_EQ(must(run("function run(a) return #a end", {object}))[0].json, json("1"));
}

class RandomJson {
 public:
  explicit RandomJson(unsigned seed) : random_(seed) {}

  api::Json value(int depth) {
    switch (pick(depth > 0 ? 7 : 5)) {
      case 0:
        return api::Json(static_cast<std::int64_t>(random_()) - (1 << 30));
      case 1:
        return api::Json(static_cast<double>(random_()) / 1024 + 0.5);
      case 2:
        return api::Json(text());
      case 3:
        return api::Json(pick(2) == 0);
      case 4:
        return pick(2) == 0 ? api::Json::object() : api::Json::array();
      case 5: {
        api::Json list = api::Json::array();
        for (int i = pick(5); i >= 0; --i) list.push_back(value(depth - 1));
        return list;
      }
      default: {
        api::Json object = api::Json::object();
        for (int i = pick(5); i >= 0; --i) object.set(text(), value(depth - 1));
        return object;
      }
    }
  }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  std::string text() {
    static const char* const kParts[] = {"a", "B", "-", "\xc3\xbc", "1", "\n", "\"", "", "/", "key"};
    std::string made;
    for (int i = pick(6); i >= 0; --i) made += kParts[pick(10)];
    return made;
  }

  std::mt19937 random_;
};

TEST(Interpreter_LuaJson, passes_random_objects_through_unchanged) {
  Sandbox sandbox(system_clock(), {}, {});
  Script script("function run(a) return a end");
  for (unsigned seed = 0; seed < 2000; ++seed) {
    api::Json object = RandomJson(seed).value(5);
    const api::Json* arguments[] = {&object};
    Result<Results> results = sandbox.run({script, "run", arguments, arguments});
    ASSERT_TRUE(results.ok()) << "seed " << seed << ": " << object.dump();
    ASSERT_EQ((*results)[0].json, object) << "seed " << seed << ": " << object.dump();
  }
}

// What comes back from tables that are taken apart at random is an answer or an error, never a crash.
TEST(Interpreter_LuaJson, survives_tables_that_are_spoiled_at_random) {
  Sandbox sandbox(system_clock(), {}, {});
  Script script(R"(
    function run(object, seed)
      local function random(n) seed = (seed * 1103515245 + 12345) % 2147483648 return math.floor(seed / 65536) % n end
      local function spoil(t)
        local keys = {}
        for k in pairs(t) do keys[#keys + 1] = k end
        for _, k in ipairs(keys) do
          local what = random(12)
          if what == 0 then t[k] = nil
          elseif what == 1 then t[k] = t
          elseif what == 2 then t[k] = print
          elseif what == 3 then t[random(4) + 1] = 0 / 0
          elseif what == 4 then t[k] = '\200'
          elseif what == 5 then t.name = {}
          elseif type(t[k]) == 'table' and t[k] ~= t then spoil(t[k]) end
        end
        return t
      end
      return type(object) == 'table' and spoil(object) or object
    end)");
  for (unsigned seed = 0; seed < 1000; ++seed) {
    api::Json object = RandomJson(seed).value(5);
    api::Json number(seed);
    const api::Json* arguments[] = {&object, &number};
    Result<Results> results = sandbox.run({script, "run", arguments, arguments});
    if (!results) EXPECT_FALSE(results.error().message().empty());
  }
}

}  // namespace
}  // namespace flotilla::interpreter::lua::test
