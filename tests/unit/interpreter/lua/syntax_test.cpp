// SPDX-License-Identifier: Apache-2.0
#include "core/interpreter/lua/syntax.hpp"

#include <gtest/gtest.h>

namespace flotilla::interpreter::test {
namespace {

TEST(Interpreter_LuaSyntax, accepts_a_script_without_running_it) {
  EXPECT_TRUE(check_lua_syntax("function GetReplicas(obj) return obj.spec.replicas end").ok());
  EXPECT_TRUE(check_lua_syntax("error('never called')").ok());
}

TEST(Interpreter_LuaSyntax, tells_where_a_script_is_broken) {
  Status checked = check_lua_syntax("x = = 1");
  ASSERT_FALSE(checked.ok());
  EXPECT_TRUE(checked.error().message().starts_with("script:1:"));
}

TEST(Interpreter_LuaSyntax, refuses_precompiled_chunks) {
  EXPECT_FALSE(check_lua_syntax("\x1bLuaQ").ok());
}

}  // namespace
}  // namespace flotilla::interpreter::test
