// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/interpreter/lua/sandbox.hpp"
#include "tests/unit/interpreter/objects.hpp"

namespace flotilla::interpreter::lua::test {

using interpreter::test::json;

inline const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

inline Results must(Result<Results> results) {
  EXPECT_TRUE(results.ok()) << (results ? "" : results.error().message());
  return results ? std::move(*results) : Results{};
}

// What `function run(...)` of the script gives back.
inline Result<Results> run(const std::string& script, std::vector<api::Json> arguments = {},
                           LuaLimits limits = {}) {
  Sandbox sandbox(system_clock(), limits, {});
  std::vector<const api::Json*> pointers;
  for (const api::Json& argument : arguments) pointers.push_back(&argument);
  Script compiled(script);
  return sandbox.run({compiled, "run", pointers});
}

// What one expression is.
inline api::Json evaluate(const std::string& expression) {
  return must(run("function run() return " + expression + " end"))[0].json;
}

inline std::string complaint(const std::string& body, LuaLimits limits = {}) {
  Result<Results> results = run("function run(a, b) " + body + " end", {}, limits);
  return results ? "nothing wrong" : results.error().message();
}

}  // namespace flotilla::interpreter::lua::test
