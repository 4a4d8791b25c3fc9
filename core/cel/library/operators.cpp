// SPDX-License-Identifier: Apache-2.0
// What the operators take and yield; the evaluator runs them.
#include "core/cel/functions.hpp"

namespace flotilla::cel {
namespace {

constexpr FunctionRow kRows[] = {
    {"!_(bool): bool"},
    {"-_(int): int"},
    {"-_(double): double"},
    {"_&&_(bool, bool): bool"},
    {"_||_(bool, bool): bool"},
    {"_?_:_(bool, A, A): A"},
    {"_==_(A, A): bool"},
    {"_!=_(A, A): bool"},
    {"_+_(bytes, bytes): bytes"},
    {"_+_(double, double): double"},
    {"_+_(duration, duration): duration"},
    {"_+_(duration, timestamp): timestamp"},
    {"_+_(timestamp, duration): timestamp"},
    {"_+_(int, int): int"},
    {"_+_(list(A), list(A)): list(A)"},
    {"_+_(string, string): string"},
    {"_+_(uint, uint): uint"},
    {"_-_(double, double): double"},
    {"_-_(duration, duration): duration"},
    {"_-_(int, int): int"},
    {"_-_(timestamp, duration): timestamp"},
    {"_-_(timestamp, timestamp): duration"},
    {"_-_(uint, uint): uint"},
    {"_*_(double, double): double"},
    {"_*_(int, int): int"},
    {"_*_(uint, uint): uint"},
    {"_/_(double, double): double"},
    {"_/_(int, int): int"},
    {"_/_(uint, uint): uint"},
    {"_%_(int, int): int"},
    {"_%_(uint, uint): uint"},
    {"@in(A, list(A)): bool"},
    {"@in(A, map(A, B)): bool"},
    {"_[_](list(A), int): A"},
    {"_[_](map(A, B), A): B"},
    {"_[_](optional(list(A)), int): optional(A)"},
    {"_[_](optional(map(A, B)), A): optional(B)"},
    {"_[?_](list(A), int): optional(A)"},
    {"_[?_](map(A, B), A): optional(B)"},
    {"_[?_](optional(list(A)), int): optional(A)"},
    {"_[?_](optional(map(A, B)), A): optional(B)"},
#define FLOTILLA_CEL_ORDER(op)                                                                            \
  {"_" op "_(bool, bool): bool"}, {"_" op "_(int, int): bool"}, {"_" op "_(int, double): bool"},          \
      {"_" op "_(int, uint): bool"}, {"_" op "_(uint, uint): bool"}, {"_" op "_(uint, double): bool"},    \
      {"_" op "_(uint, int): bool"}, {"_" op "_(double, double): bool"}, {"_" op "_(double, int): bool"}, \
      {"_" op "_(double, uint): bool"}, {"_" op "_(string, string): bool"},                               \
      {"_" op "_(bytes, bytes): bool"}, {"_" op "_(timestamp, timestamp): bool"}, {                       \
    "_" op "_(duration, duration): bool"                                                                  \
  }
    FLOTILLA_CEL_ORDER("<"),
    FLOTILLA_CEL_ORDER("<="),
    FLOTILLA_CEL_ORDER(">"),
    FLOTILLA_CEL_ORDER(">="),
#undef FLOTILLA_CEL_ORDER
};

}  // namespace

std::span<const FunctionRow> operator_rows() {
  return kRows;
}

}  // namespace flotilla::cel
