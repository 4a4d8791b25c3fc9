// SPDX-License-Identifier: Apache-2.0
// matches() of the standard library; Kubernetes' find() and findAll().
#include "core/cel/functions.hpp"

namespace flotilla::cel {
namespace {

// The pattern: compiled with the expression when it is a literal, else now.
struct Pattern {
  std::shared_ptr<const Regex> made;
  const Regex* regex = nullptr;
};

Result<Pattern> pattern_of(const Arguments& in) {
  Pattern pattern;
  pattern.regex = in.regex;
  if (pattern.regex == nullptr) {
    auto compiled = Regex::compile(in[1].as_string());
    if (!compiled) return evaluation_error(compiled.error().message());
    pattern.made = *std::move(compiled);
    pattern.regex = pattern.made.get();
  }
  return pattern;
}

Result<Value> matches(const Arguments& in) {
  const auto pattern = pattern_of(in);
  if (!pattern) return pattern.error();
  return Value::boolean(pattern->regex->matches(in[0].as_string()));
}

Result<Value> find(const Arguments& in) {
  const auto pattern = pattern_of(in);
  if (!pattern) return evaluation_error("Illegal regex: " + pattern.error().message());
  return Value::string(pattern->regex->find(in[0].as_string()));
}

Result<Value> find_all(const Arguments& in) {
  const auto pattern = pattern_of(in);
  if (!pattern) return evaluation_error("Illegal regex: " + pattern.error().message());
  std::vector<Value> found;
  for (std::string& one : pattern->regex->find_all(in[0].as_string(), in.size() > 2 ? in[2].as_int() : -1))
    found.push_back(Value::string(std::move(one)));
  return Value::list(std::move(found));
}

constexpr FunctionRow kRows[] = {
    {"matches(string, string): bool", matches, cost_of_matching},
    {"string.matches(string): bool", matches, cost_of_matching},
    {"string.find(string): string", find, cost_of_matching},
    {"string.findAll(string): list(string)", find_all, cost_of_matching},
    {"string.findAll(string, int): list(string)", find_all, cost_of_matching},
};

}  // namespace

std::span<const FunctionRow> regex_rows() {
  return kRows;
}

}  // namespace flotilla::cel
