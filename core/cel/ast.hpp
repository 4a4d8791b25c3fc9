// SPDX-License-Identifier: Apache-2.0
// The expression as a tree: made by the parser, annotated by the checker, walked by the evaluator.
// Internal to core/cel.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/cel/regex.hpp"
#include "core/cel/type.hpp"
#include "core/cel/value.hpp"

namespace flotilla::cel {

struct Overload;

enum class NodeKind : std::uint8_t {
  Literal,        // literal
  Ident,          // name
  Select,         // arguments[0] . name; a presence test when `tests`
  Call,           // op, name; arguments, the receiver first when `member`
  List,           // arguments, `optional` for each
  Map,            // key, value, key, value...; `optional` for each entry
  Comprehension,  // macro; arguments: range, then the bodies
  Struct,         // name: never type checks, Kubernetes has no such types
};

enum class Op : std::uint8_t {
  Function,  // by name
  Not,
  Negate,
  Add,
  Subtract,
  Multiply,
  Divide,
  Modulo,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  In,
  And,  // of any number of terms
  Or,
  Conditional,
  Index,
  OptionalIndex,
  OptionalSelect,  // arguments[0] ?. name
};

enum class Macro : std::uint8_t { All, Exists, ExistsOne, Map, MapIf, Filter, OptionalMap, OptionalFlatMap };

struct Node;
using NodePtr = std::unique_ptr<Node>;

struct Node {
  NodeKind kind = NodeKind::Literal;
  Op op = Op::Function;
  Macro macro = Macro::All;
  bool member = false;
  bool tests = false;
  std::uint32_t position = 0;  // bytes from the start of the expression
  std::uint32_t depth = 1;
  std::string name;  // of a comprehension: its variable
  Value literal;
  std::vector<NodePtr> arguments;
  std::vector<std::uint32_t> positions;  // And, Or: where each operator but the first term's stands
  std::vector<bool> optional;

  // From the checker.
  TypePtr type;
  int variable = -1;  // Ident, Select: which of the environment
  int local = -1;     // Ident: which enclosing comprehension's, from the outside; Comprehension: its own
  std::vector<const Overload*> overloads;
  std::shared_ptr<const Regex> regex;  // of a pattern that is a literal
};

// The name by which functions and errors know an operator: "_+_".
std::string_view operator_name(Op op);

}  // namespace flotilla::cel
