// SPDX-License-Identifier: Apache-2.0
// Every function and operator: what it takes, what it yields, what runs and what it costs. Internal to
// core/cel; a library is a table of rows.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/cel/regex.hpp"
#include "core/cel/text.hpp"
#include "core/cel/type.hpp"
#include "core/cel/value.hpp"

namespace flotilla::cel {

struct Arguments {
  std::span<const Value> values;  // the receiver first
  const Regex* regex = nullptr;   // of a pattern that is a literal

  const Value& operator[](std::size_t index) const { return values[index]; }
  std::size_t size() const { return values.size(); }
};

using Implementation = Result<Value> (*)(const Arguments& arguments);
using CostRule = std::uint64_t (*)(std::span<const Value> arguments, const Value& result);

// "string.indexOf(string, int): int", "sets.contains(list(A), list(A)): bool". Capital letters are any type,
// the same one wherever the letter stands.
struct FunctionRow {
  std::string_view signature;
  Implementation run = nullptr;  // null: the evaluator knows the operator
  CostRule cost = nullptr;       // null: 1
};

struct Overload {
  std::string name;
  bool member = false;
  std::vector<TypePtr> parameters;
  TypePtr result;
  Implementation run = nullptr;
  CostRule cost = nullptr;
};

// Null when there is no function of the name.
const std::vector<Overload>* find_function(std::string_view name);
// "int", "google.protobuf.Duration", "net.IP": the type that an identifier names; null when it names none.
TypePtr find_type(std::string_view name);
// Whether a value can be what the parameter wants, contents aside.
bool accepts(const Type& parameter, const Value& value);

std::span<const FunctionRow> operator_rows();
std::span<const FunctionRow> conversion_rows();
std::span<const FunctionRow> time_rows();
std::span<const FunctionRow> optional_rows();
std::span<const FunctionRow> string_rows();
std::span<const FunctionRow> format_rows();
std::span<const FunctionRow> regex_rows();
std::span<const FunctionRow> list_rows();
std::span<const FunctionRow> set_rows();
std::span<const FunctionRow> url_rows();
std::span<const FunctionRow> quantity_rows();
std::span<const FunctionRow> address_rows();
std::span<const FunctionRow> named_format_rows();
std::span<const FunctionRow> authorization_rows();

// Cost of walking `size` characters or bytes.
inline std::uint64_t traversal(double size) {
  return static_cast<std::uint64_t>(std::ceil(size * 0.1));
}
// Cost of matching a pattern of some length.
inline std::uint64_t matching(std::uint64_t text_size, std::uint64_t pattern_size) {
  return traversal(1.0 + static_cast<double>(text_size)) *
         static_cast<std::uint64_t>(std::ceil(static_cast<double>(pattern_size) * 0.25));
}
std::uint64_t cost_of_first(std::span<const Value> arguments, const Value& result);        // walks it once
std::uint64_t cost_of_first_twice(std::span<const Value> arguments, const Value& result);  // and copies it
std::uint64_t cost_of_elements(std::span<const Value> arguments, const Value& result);
std::uint64_t cost_of_matching(std::span<const Value> arguments, const Value& result);
// A string or list that no cost accounts for may not grow without end.
inline constexpr std::size_t kLargestText = 16u << 20;
inline constexpr std::size_t kLargestList = 2'000'000;

}  // namespace flotilla::cel
