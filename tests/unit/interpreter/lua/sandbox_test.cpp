// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/lua/sandbox.hpp"

#include <thread>

#include "tests/unit/interpreter/lua/script.hpp"

namespace flotilla::interpreter::lua::test {
namespace {

using testing::Test;

TEST(Interpreter_Sandbox, runs_a_function_with_objects) {
  Results results = must(run("function run(a, b) return a.spec.n + b, {x = a.spec.list[2]} end",
                             {json(R"({"spec": {"n": 2, "list": ["p", "q"]}})"), json("40")}));
  EXPECT_EQ(results[0].type, Type::Number);
  EXPECT_EQ(results[0].json, json("42"));
  EXPECT_EQ(results[1].json, json(R"({"x": "q"})"));
}

TEST(Interpreter_Sandbox, says_which_line_is_wrong) {
  Result<Results> results = run("function run()\n  local x = nil\n  return x.y\nend");
  ASSERT_FALSE(results.ok());
  EXPECT_TRUE(results.error().is(Code::Invalid));
  EXPECT_EQ(results.error().message(), "line 3: attempt to index local 'x' (a nil value)");
  EXPECT_EQ(run("function run() return 1 +").error().message(), "line 1: unexpected symbol near '<eof>'");
  EXPECT_EQ(run("x = 1").error().message(), "the script defines no function run");
  EXPECT_EQ(complaint("error({})"), "the script raised an error that is no text");
}

TEST(Interpreter_Sandbox, ends_what_loops) {
  LuaLimits few{.instructions = 100'000};
  Result<Results> results = run("function run() while true do end end", {}, few);
  ASSERT_FALSE(results.ok());
  EXPECT_TRUE(results.error().is(Code::Timeout));
  EXPECT_EQ(results.error().message(), "the instruction limit is reached");
}

TEST(Interpreter_Sandbox, ends_what_takes_too_long) {
  EXPECT_EQ(complaint("while true do end", {.time = std::chrono::milliseconds(20)}),
            "the time limit is reached");
  EXPECT_EQ(complaint("local x = 0 while true do x = x + #string.rep('a', 100000) end",
                      {.time = std::chrono::milliseconds(20)}),
            "the time limit is reached");
}

TEST(Interpreter_Sandbox, ends_loops_in_the_chunk_too) {
  Result<Results> results = run("while true do end function run() end", {}, {.instructions = 100'000});
  ASSERT_FALSE(results.ok());
  EXPECT_TRUE(results.error().is(Code::Timeout));
}

TEST(Interpreter_Sandbox, lets_no_script_catch_its_end) {
  LuaLimits few{.instructions = 100'000};
  EXPECT_EQ(complaint("while true do pcall(function() while true do end end) end", few),
            "the instruction limit is reached");
  EXPECT_EQ(complaint("return pcall(function() while true do end end)", few),
            "the instruction limit is reached");
  EXPECT_EQ(
      complaint("return xpcall(function() while true do end end, function() while true do end end)", few),
      "the instruction limit is reached");
  EXPECT_EQ(complaint("return pcall(string.find, string.rep('a', 5000), '.-.-.-.-.-.-b')",
                      {.pattern_steps = 1'000'000}),
            "the limit of pattern matching steps is reached");
}

TEST(Interpreter_Sandbox, bounds_memory) {
  LuaLimits little{.memory_bytes = 4u << 20};
  for (const char* bomb :
       {"local t = {} while true do t[#t + 1] = {} end", "local s = 'x' while true do s = s .. s end",
        "local s = string.rep('x', 100000) local t = {} for i = 1, 1000 do t[i] = s .. i end",
        "local t = {} for i = 1, 1e9 do t[i] = i end"}) {
    Result<Results> results = run(std::string("function run() ") + bomb + " end", {}, little);
    ASSERT_FALSE(results.ok()) << bomb;
    EXPECT_TRUE(results.error().is(Code::ResourceExhausted)) << results.error().message();
  }
}

TEST(Interpreter_Sandbox, survives_a_memory_limit_at_every_size) {
  for (std::size_t bytes = 0; bytes < 120'000; bytes += 997) {
    Result<Results> results =
        run("function run() local t = {} for i = 1, 50 do t[i] = {a = tostring(i)} end return t end", {},
            {.memory_bytes = bytes});
    if (!results) EXPECT_TRUE(results.error().is(Code::ResourceExhausted)) << results.error().message();
  }
}

TEST(Interpreter_Sandbox, bounds_recursion) {
  EXPECT_NE(complaint("local function f() return 1 + f() end return f()").find("stack overflow"),
            std::string::npos);
  EXPECT_NE(
      complaint("local function f(x) return (string.gsub(x, '.', f)) end return f('a')").find("overflow"),
      std::string::npos);
  EXPECT_NE(
      complaint(
          "local t = {} table.sort({3, 2, 1}, function() local function f() return 1 + f() end f() end)")
          .find("overflow"),
      std::string::npos);
  std::string deep = "return " + std::string(5000, '(') + "1" + std::string(5000, ')');
  EXPECT_NE(complaint(deep), "nothing wrong");
}

TEST(Interpreter_Sandbox, gives_each_call_its_own_globals) {
  Sandbox sandbox(system_clock(), {}, {});
  Script spoiler(
      "type = 'gone' x = 1 string.format = nil table.insert = 3 _G.pairs = nil package.loaded.kube = 7 "
      "function run() return type end");
  Script checker(
      "function run() return {x == nil, type(1), string.format('%d', 2), #table, ('a'):upper(), "
      "type(pairs), type(require('kube')), ('%d'):format(5), type(table.insert)} end");
  EXPECT_EQ(must(sandbox.run({spoiler, "run", {}}))[0].json, json(R"("gone")"));
  EXPECT_EQ(must(sandbox.run({checker, "run", {}}))[0].json,
            json(R"([true, "number", "2", 0, "A", "function", "table", "5", "function"])"));
  EXPECT_EQ(must(sandbox.run({spoiler, "run", {}}))[0].json, json(R"("gone")"));
}

TEST(Interpreter_Sandbox, is_done_for_after_a_bound) {
  Sandbox sandbox(system_clock(), {.instructions = 10'000}, {});
  Script fine("function run() return 1 end");
  Script loops("function run() while true do end end");
  Script fails("function run() error('no') end");
  EXPECT_TRUE(sandbox.run({fine, "run", {}}).ok());
  EXPECT_FALSE(sandbox.run({fails, "run", {}}).ok());
  EXPECT_TRUE(sandbox.reusable());
  EXPECT_FALSE(sandbox.run({loops, "run", {}}).ok());
  EXPECT_FALSE(sandbox.reusable());
}

TEST(Interpreter_Sandbox, keeps_what_scripts_print) {
  Sandbox sandbox(system_clock(), {}, {});
  Script script("function run() print('a', 1, nil) print(true) end");
  std::string printed;
  EXPECT_TRUE(sandbox.run({script, "run", {}, {}, &printed}).ok());
  EXPECT_EQ(printed, "a\t1\tnil\ntrue\n");
}

TEST(Interpreter_Sandbox, compiles_without_running) {
  Sandbox sandbox(system_clock(), {}, {});
  EXPECT_TRUE(sandbox.compile(Script("error('never')")).ok());
  EXPECT_EQ(sandbox.compile(Script("x = = 1")).error().message(), "line 1: unexpected symbol near '='");
  EXPECT_FALSE(sandbox.compile(Script("\x1bLuaQ")).ok());
}

TEST(Interpreter_Sandbox, has_modules_of_the_host_alone) {
  std::vector<Module> modules = {{"sums", "local m = {} function m.add(a, b) return a + b end return m"}};
  Sandbox sandbox(system_clock(), {}, modules);
  Script uses("local sums = require('sums') function run() return sums.add(1, 2) end");
  Script strays("function run() return require('socket') end");
  EXPECT_EQ(must(sandbox.run({uses, "run", {}}))[0].json, json("3"));
  EXPECT_EQ(must(sandbox.run({uses, "run", {}}))[0].json, json("3"));
  EXPECT_EQ(sandbox.run({strays, "run", {}}).error().message(), "line 1: there is no module 'socket'");
}

TEST(Interpreter_SandboxPool, serves_many_threads) {
  SandboxPool pool(system_clock(), {});
  Script script("n = 0 function run(a) n = n + 1 return a + n end");
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, &script, &wrong, t] {
      for (int i = 0; i < 200; ++i) {
        api::Json argument(t * 1000 + i);
        const api::Json* arguments[] = {&argument};
        auto results = pool.run({script, "run", arguments});
        if (!results || (*results)[0].json.as_int() != t * 1000 + i + 1) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace flotilla::interpreter::lua::test
