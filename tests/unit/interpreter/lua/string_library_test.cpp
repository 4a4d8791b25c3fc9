// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/interpreter/lua/script.hpp"

namespace flotilla::interpreter::lua::test {
namespace {

TEST(Interpreter_LuaStrings, find) {
  EXPECT_EQ(evaluate("{('hello world'):find('o w')}"), json("[5, 7]"));
  EXPECT_EQ(evaluate("{('hello'):find('l+')}"), json("[3, 4]"));
  EXPECT_EQ(evaluate("{('hello'):find('(h)(e)')}"), json(R"([1, 2, "h", "e"])"));
  EXPECT_EQ(evaluate("{('a.b'):find('.', 1, true)}"), json("[2, 2]"));
  EXPECT_EQ(evaluate("{('aXb'):find('x')}"), json("null"));
  EXPECT_EQ(evaluate("{('abc'):find('', 10)}"), json("[4, 3]"));
  EXPECT_EQ(evaluate("{('abab'):find('ab', -2)}"), json("[3, 4]"));
  EXPECT_EQ(evaluate("('abc'):find('^b') == nil"), json("true"));
}

TEST(Interpreter_LuaStrings, match) {
  EXPECT_EQ(evaluate("{('key = value'):match('^(%w+)%s*=%s*(%w+)$')}"), json(R"(["key", "value"])"));
  EXPECT_EQ(evaluate("('2026-05-01'):match('%d+-(%d+)')"), json(R"("05")"));
  EXPECT_EQ(evaluate("{('abc'):match('()b()')}"), json("[2, 3]"));
  EXPECT_EQ(evaluate("('f(a(b)c)d'):match('%b()')"), json("\"(a(b)c)\""));
  EXPECT_EQ(evaluate("('THE (quick) fox'):find('%f[%a]%a+%f[%A]')"), json("1"));
  EXPECT_EQ(evaluate("('say \"hi\"'):match('([\"\\'])(.-)%1')"), json(R"("\"")"));
  EXPECT_EQ(evaluate("('x]y'):match('[]]')"), json(R"("]")"));
  EXPECT_EQ(evaluate("('a-z'):match('[a%-]+')"), json(R"("a-")"));
  EXPECT_EQ(evaluate("('xyz'):match('[^x]+')"), json(R"("yz")"));
  EXPECT_EQ(evaluate("('aaa'):match('a-')"), json(R"("")"));
  EXPECT_EQ(evaluate("('aaab'):match('a-b')"), json(R"("aaab")"));
  EXPECT_EQ(evaluate("('color colour'):match('colou?r$')"), json(R"("colour")"));
  EXPECT_EQ(evaluate("('a$b'):match('a$b')"), json(R"("a$b")"));
}

TEST(Interpreter_LuaStrings, gmatch) {
  EXPECT_EQ(
      must(run(
          "function run() local t = {} for w in ('one two'):gmatch('%a+') do t[#t + 1] = w end return t end"))
          [0]
              .json,
      json(R"(["one", "two"])"));
  EXPECT_EQ(must(run("function run() local t = {} for k, v in ('a=1,b=2'):gmatch('(%w)=(%w)') do t[k] = v "
                     "end return t end"))[0]
                .json,
            json(R"({"a": "1", "b": "2"})"));
  EXPECT_EQ(
      must(run("function run() local n = 0 for _ in ('abc'):gmatch('') do n = n + 1 end return n end"))[0]
          .json,
      json("4"));
}

TEST(Interpreter_LuaStrings, gsub) {
  EXPECT_EQ(evaluate("{('hello'):gsub('l', 'L')}"), json(R"(["heLLo", 2])"));
  EXPECT_EQ(evaluate("{('hello'):gsub('l', 'L', 1)}"), json(R"(["heLlo", 1])"));
  EXPECT_EQ(evaluate("{('ab'):gsub('(a)(b)', '%2%1%0%%')}"), json(R"(["baab%", 1])"));
  EXPECT_EQ(evaluate("{('abc'):gsub('', '-')}"), json(R"(["-a-b-c-", 4])"));
  EXPECT_EQ(evaluate("{('abc'):gsub('%w', {a = 1, b = true and 'x'})}"), json(R"(["1xc", 3])"));
  EXPECT_EQ(evaluate("{('abc'):gsub('%w', function(c) if c ~= 'b' then return c .. c end end)}"),
            json(R"(["aabcc", 3])"));
  EXPECT_EQ(evaluate("{('aaa'):gsub('^a', 'b')}"), json(R"(["baa", 1])"));
  EXPECT_NE(complaint("return ('a'):gsub('a', function() return {} end)"), "nothing wrong");
  EXPECT_NE(complaint("return ('a'):gsub('a', '%5')"), "nothing wrong");
}

TEST(Interpreter_LuaStrings, rep_is_bounded) {
  EXPECT_EQ(evaluate("('ab'):rep(3)"), json(R"("ababab")"));
  EXPECT_EQ(evaluate("('ab'):rep(0) .. ('ab'):rep(-1) .. (''):rep(1e9)"), json(R"("")"));
  EXPECT_EQ(complaint("return ('x'):rep(1e9)"), "line 1: string.rep would make more than 4194304 bytes");
}

TEST(Interpreter_LuaStrings, complain_about_malformed_patterns) {
  for (const char* pattern : {"[a", "%", "(a", ".)", "%b", "%fa", "%1", "[%"}) {
    EXPECT_NE(complaint("return ('aaa'):find('" + std::string(pattern) + "')"), "nothing wrong") << pattern;
  }
  EXPECT_NE(complaint("return ('a'):find(('a'):rep(300) .. '*')"), "nothing wrong");
  EXPECT_NE(complaint("return ('a'):rep(50):find(('(a'):rep(40))"), "nothing wrong");
}

// Each would take from minutes to ages without a bound.
TEST(Interpreter_LuaStrings, pattern_bombs_end) {
  for (const char* bomb :
       {"('a'):rep(3000):find(('.-'):rep(10) .. 'b')", "('a'):rep(3000):find(('a*'):rep(20) .. 'b')",
        "('a'):rep(3000):gsub(('.-'):rep(10) .. 'b', '')",
        "('a'):rep(30):find(('a?'):rep(30) .. ('a'):rep(31))", "('('):rep(100000):gsub('%b()', '')",
        "('x'):rep(3000):match('(.-)(.-)(.-)(.-)%1%2%3%4y')"}) {
    EXPECT_EQ(complaint(std::string("return ") + bomb, {.pattern_steps = 1'000'000}),
              "the limit of pattern matching steps is reached")
        << bomb;
  }
}

}  // namespace
}  // namespace flotilla::interpreter::lua::test
