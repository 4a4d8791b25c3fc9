// SPDX-License-Identifier: Apache-2.0
#include "core/cel/regex.hpp"

#include <re2/re2.h>

namespace flotilla::cel {
namespace {

constexpr std::int64_t kMemory = 8 << 20;  // of one pattern

re2::RE2::Options options() {
  re2::RE2::Options made;
  made.set_log_errors(false);
  made.set_max_mem(kMemory);
  return made;
}

std::string go_text(const re2::RE2& regex) {
  switch (regex.error_code()) {
    case re2::RE2::ErrorBadEscape:
    case re2::RE2::ErrorTrailingBackslash:
      return regex.error_code() == re2::RE2::ErrorTrailingBackslash
                 ? "trailing backslash at end of expression"
                 : "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass:
      return "invalid character class";
    case re2::RE2::ErrorBadCharRange:
      return "invalid character class range";
    case re2::RE2::ErrorMissingBracket:
      return "missing closing ]";
    case re2::RE2::ErrorMissingParen:
      return "missing closing )";
    case re2::RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case re2::RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case re2::RE2::ErrorPatternTooLarge:
      return "expression too large";
    default:
      return "internal regexp error";
  }
}

}  // namespace

struct Regex::State {
  explicit State(std::string_view pattern)
      : regex(re2::StringPiece(pattern.data(), pattern.size()), options()) {}
  re2::RE2 regex;
};

Regex::Regex(std::unique_ptr<State> state) : state_(std::move(state)) {}
Regex::~Regex() = default;

Result<std::shared_ptr<const Regex>> Regex::compile(std::string_view pattern) {
  auto state = std::make_unique<State>(pattern);
  if (!state->regex.ok()) {
    std::string at = state->regex.error_arg().empty() ? std::string(pattern) : state->regex.error_arg();
    return invalid("error parsing regexp: " + go_text(state->regex) + ": `" + at + "`");
  }
  return std::shared_ptr<const Regex>(new Regex(std::move(state)));
}

bool Regex::matches(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), state_->regex);
}

std::string Regex::find(std::string_view text) const {
  re2::StringPiece found;
  const re2::StringPiece whole(text.data(), text.size());
  if (!state_->regex.Match(whole, 0, whole.size(), re2::RE2::UNANCHORED, &found, 1)) return {};
  return std::string(found.data(), found.size());
}

std::vector<std::string> Regex::find_all(std::string_view text, std::int64_t limit) const {
  std::vector<std::string> all;
  const re2::StringPiece whole(text.data(), text.size());
  std::size_t from = 0;
  std::size_t last_end = std::string_view::npos;
  while (from <= whole.size() && (limit < 0 || static_cast<std::int64_t>(all.size()) < limit)) {
    re2::StringPiece found;
    if (!state_->regex.Match(whole, from, whole.size(), re2::RE2::UNANCHORED, &found, 1)) break;
    const auto begin = static_cast<std::size_t>(found.data() - whole.data());
    const std::size_t end = begin + found.size();
    // An empty match right after another one does not count, as in Go.
    if (!found.empty() || begin != last_end) all.emplace_back(found.data(), found.size());
    last_end = end;
    from = end;
    if (found.empty()) {
      do ++from;
      while (from < whole.size() && (static_cast<unsigned char>(whole[from]) & 0xC0) == 0x80);
    }
  }
  return all;
}

}  // namespace flotilla::cel
