// SPDX-License-Identifier: Apache-2.0
// The cases of cases/*.txt. A line is `expression => value`, `expression !! error of evaluation` or
// `expression ## first fault of compilation`; `cost N: expression => value` also states what it costs. `self
// = JSON` and `schema = JSON` (an openAPIV3Schema; nothing: dyn) hold for the lines below.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/cel/cel.hpp"
#include "core/cel/text.hpp"
#include "core/cel/time.hpp"

namespace flotilla::cel {
namespace {

using api::Json;

std::string shown(const Value& value) {
  using Kind = Value::Kind;
  std::string out;
  switch (value.kind()) {
    case Kind::Null:
      return "null";
    case Kind::Bool:
      return value.as_bool() ? "true" : "false";
    case Kind::Int:
      return std::to_string(value.as_int());
    case Kind::Uint:
      return std::to_string(value.as_uint()) + "u";
    case Kind::Double: {
      const std::string text = double_text(value.as_double());
      return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
    }
    case Kind::String:
      return Json(value.as_string()).dump();
    case Kind::Bytes:
      return "b" + Json(value.as_string()).dump();
    case Kind::Timestamp:
      return timestamp_text(value.as_timestamp());
    case Kind::Duration:
      return duration_text(value.as_duration());
    case Kind::List:
      value.each(
          [&](const Value& element) { return out += (out.empty() ? "" : ", ") + shown(element), true; });
      return "[" + out + "]";
    case Kind::Map:
      value.each_entry([&](const Value& key, const Value& content) {
        return out += (out.empty() ? "" : ", ") + shown(key) + ": " + shown(content), true;
      });
      return "{" + out + "}";
    case Kind::Optional:
      return value.content() ? "optional(" + shown(*value.content()) + ")" : "none";
    case Kind::Type:
      return std::string(type_name_of(*value.as_type()));
    case Kind::Opaque:
      return "<" + value.as_opaque()->text() + ">";
    default:
      return "?";
  }
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return std::string(text);
}

struct Outcome {
  std::string mark;  // "=>", "!!", "##"
  std::string text;
  std::uint64_t cost = 0;
};

Outcome run(const std::string& expression, const Json& self, const TypePtr& type) {
  const auto program = compile(expression, {{{"self", type}, {"oldSelf", type}}});
  if (!program) {
    const std::string& message = program.error().message();
    const std::size_t start = message.find(": ", message.find("<input>")) + 2;
    return {"##", message.substr(start, message.find('\n') - start)};
  }
  Budget budget;
  const Binding bindings[] = {{"self", Value::view(self, *type)}, {"oldSelf", Value::view(self, *type)}};
  const auto value = (*program)->evaluate(bindings, budget);
  if (!value) return {"!!", value.error().message(), budget.spent()};
  return {"=>", shown(*value), budget.spent()};
}

void check_line(const std::string& where, std::string line, const Json& self, const TypePtr& type) {
  std::uint64_t cost = 0;
  const bool costs = line.starts_with("cost ");
  if (costs) {
    const std::size_t colon = line.find(':');
    cost = std::stoull(line.substr(5, colon - 5));
    line.erase(0, colon + 1);
  }
  for (const std::string mark : {"=>", "!!", "##"}) {
    const std::size_t at = line.rfind(" " + mark + " ");
    if (at == std::string::npos) continue;
    const Outcome outcome = run(trimmed(line.substr(0, at)), self, type);
    EXPECT_EQ(outcome.mark + " " + outcome.text, mark + " " + trimmed(line.substr(at + 4)))
        << where << ": " << line;
    if (costs) {
      EXPECT_EQ(outcome.cost, cost) << where << ": " << line;
    }
    return;
  }
  ADD_FAILURE() << where << ": no mark in " << line;
}

TEST(Cel, answers_every_case) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FLOTILLA_CEL_CASES)) {
    std::ifstream file(entry.path());
    Json self;
    TypePtr type = Type::dyn();
    int number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      const std::string where = entry.path().filename().string() + ":" + std::to_string(number);
      if (line.empty() || line.starts_with("//")) continue;
      if (line.starts_with("self = ") || line.starts_with("schema = ")) {
        auto json = Json::parse(line.substr(line.find('=') + 1));
        ASSERT_TRUE(json.ok()) << where;
        if (line.starts_with("self")) {
          self = *std::move(json);
        } else {
          type = json->is_null() ? Type::dyn() : type_of_schema(*json, false);
          ASSERT_NE(type, nullptr) << where;
        }
        continue;
      }
      check_line(where, line, self, type);
      ++count;
    }
  }
  EXPECT_GT(count, 300);
}

}  // namespace
}  // namespace flotilla::cel
