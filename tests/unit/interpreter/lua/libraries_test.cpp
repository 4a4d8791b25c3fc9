// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/interpreter/lua/script.hpp"

namespace flotilla::interpreter::lua::test {
namespace {

TEST(Interpreter_LuaLibraries, forbid_what_reaches_out) {
  for (const char* name :
       {"collectgarbage", "dofile", "getfenv", "getmetatable", "load", "loadfile", "loadstring", "rawequal",
        "rawget", "rawset", "setfenv", "setmetatable", "module", "newproxy"}) {
    EXPECT_EQ(complaint("return " + std::string(name) + "('x', {})"),
              "line 1: calling " + std::string(name) + " is not allowed in an interpreter script");
  }
}

TEST(Interpreter_LuaLibraries, have_nothing_of_the_machine) {
  EXPECT_EQ(evaluate("io == nil and debug == nil and coroutine == nil and gcinfo == nil"), json("true"));
  EXPECT_EQ(evaluate("os.execute == nil and os.exit == nil and os.getenv == nil and os.remove == nil"),
            json("true"));
  EXPECT_EQ(evaluate("string.dump == nil and package.loadlib == nil and package.path == nil"), json("true"));
  EXPECT_EQ(evaluate("type(package.loaded._G) == 'table' and package.loaded.io == nil"), json("true"));
}

TEST(Interpreter_LuaLibraries, have_the_safe_basics) {
  EXPECT_EQ(evaluate("{pcall(error, 'x')}"), json(R"([false, "x"])"));
  EXPECT_EQ(evaluate("select('#', unpack({1, 2, 3}))"), json("3"));
  EXPECT_EQ(evaluate("tonumber('0x10') + tonumber('11', 2)"), json("19"));
  EXPECT_EQ(evaluate("table.concat({'a', 'b'}, '-') .. math.floor(2.7)"), json(R"("a-b2")"));
  EXPECT_EQ(evaluate("_VERSION"), json(R"("Lua 5.1")"));
}

TEST(Interpreter_LuaLibraries, handle_errors) {
  EXPECT_EQ(evaluate("{xpcall(function() return 1, 2 end, print)}"), json("[true, 1, 2]"));
  EXPECT_EQ(evaluate("{xpcall(function() error('x', 0) end, function(e) return e .. '!' end)}"),
            json(R"([false, "x!"])"));
}

TEST(Interpreter_LuaLibraries, tell_the_time_of_the_given_clock) {
  ManualClock clock(*parse_time("2026-05-01T12:00:00Z"));
  Sandbox sandbox(clock, {}, {});
  Script script(
      "function run() return {os.time(), os.date('!%Y-%m-%dT%H:%M:%SZ'), os.date('*t', 0).year, "
      "os.time({year = 2026, month = 5, day = 1}), os.difftime(5, 3), os.clock()} end");
  EXPECT_EQ(must(sandbox.run({script, "run", {}}))[0].json,
            json(R"([1777636800, "2026-05-01T12:00:00Z", 1970, 1777636800, 2, 0])"));
}

TEST(Interpreter_KubeLibrary, adds_resources) {
  EXPECT_EQ(evaluate("require('kube').resourceAdd('100m', '1.2', nil)"), json(R"("1300m")"));
  EXPECT_EQ(evaluate("require('kube').resourceAdd()"), json(R"("0")"));
  EXPECT_EQ(evaluate("require('kube').resourceAdd(nil, '1Gi')"), json(R"("1Gi")"));
  EXPECT_NE(complaint("return require('kube').resourceAdd('much')"), "nothing wrong");
  EXPECT_NE(complaint("return require('kube').resourceAdd({})"), "nothing wrong");
}

TEST(Interpreter_KubeLibrary, reads_amounts) {
  EXPECT_EQ(evaluate("require('kube').getResourceQuantity('500m')"), json("0.5"));
  EXPECT_EQ(evaluate("require('kube').getResourceQuantity(2)"), json("2"));
  EXPECT_NE(complaint("return require('kube').getResourceQuantity('-1')"), "nothing wrong");
}

TEST(Interpreter_KubeLibrary, knows_what_pods_need) {
  api::Json pod = json(R"({"spec": {"nodeSelector": {"a": "b"}, "containers": [
      {"resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}}},
      {"env": [{"valueFrom": {"secretKeyRef": {"name": "s"}}}]}]}})");
  Results results =
      must(run("local kube = require('kube') function run(pod) return "
               "kube.accuratePodRequirements(pod), kube.getPodDependencies(pod, 'ns') end",
               {pod}));
  EXPECT_EQ(results[0].json, json(R"({"nodeClaim": {"nodeSelector": {"a": "b"}},
                                      "resourceRequest": {"cpu": "100m", "memory": "1Gi"}})"));
  EXPECT_EQ(results[1].json,
            json(R"([{"apiVersion": "v1", "kind": "Secret", "namespace": "ns", "name": "s"}])"));
  EXPECT_EQ(
      must(run("function run(p) return require('kube').getPodDependencies(p)[1].namespace end", {pod}))[0]
          .json,
      json(R"("default")"));
  EXPECT_EQ(evaluate("require('kube').accuratePodRequirements({})"), json("null"));
  EXPECT_NE(complaint("return require('kube').accuratePodRequirements('pod')"), "nothing wrong");
  EXPECT_NE(complaint("local t = {} t.spec = t return require('kube').accuratePodRequirements(t)"),
            "nothing wrong");
}

}  // namespace
}  // namespace flotilla::interpreter::lua::test
