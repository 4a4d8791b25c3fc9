// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/interpreter/interpreter.hpp"

namespace flotilla::interpreter::test {

inline api::Json json(std::string_view text) {
  auto parsed = api::Json::parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed ? *parsed : api::Json();
}

inline api::Json object(std::string_view api_version, std::string_view kind, std::string_view rest) {
  api::Json value = json(rest);
  value.set("apiVersion", api_version);
  value.set("kind", kind);
  return value;
}

// Items of an aggregated status, one per status text; "null" is a member that has none.
inline api::Json items(std::initializer_list<std::string_view> statuses) {
  api::Json list = api::Json::array();
  int number = 0;
  for (std::string_view status : statuses) {
    list.push_back(
        api::Json::object({{"clusterName", "member" + std::to_string(++number)}, {"status", json(status)}}));
  }
  return list;
}

inline WallTime noon() {
  return *parse_time("2026-05-01T12:00:00Z");
}

}  // namespace flotilla::interpreter::test
