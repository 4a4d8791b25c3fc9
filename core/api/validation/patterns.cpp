// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/patterns.hpp"

#include <re2/re2.h>

#include <memory>
#include <mutex>
#include <unordered_map>

namespace flotilla::api {
namespace {

using Compiled = std::shared_ptr<const re2::RE2>;

Compiled compile(std::string_view pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
}

// The patterns in use; forgotten all at once when there are too many.
Compiled cached(std::string_view pattern) {
  constexpr std::size_t kMost = 1024;
  static std::mutex mutex;
  static std::unordered_map<std::string, Compiled>& known = *new std::unordered_map<std::string, Compiled>;
  const std::string key(pattern);
  const std::lock_guard lock(mutex);
  const auto found = known.find(key);
  if (found != known.end()) return found->second;
  if (known.size() >= kMost) known.clear();
  return known.emplace(key, compile(pattern)).first->second;
}

std::string quoted(std::string_view text) {
  return "`" + std::string(text) + "`";
}

std::string describe(const re2::RE2& pattern) {
  const std::string whole = quoted(pattern.pattern()), part = quoted(pattern.error_arg());
  switch (pattern.error_code()) {
    case re2::RE2::ErrorMissingParen:
      return "missing closing ): " + whole;
    case re2::RE2::ErrorUnexpectedParen:
      return "unexpected ): " + whole;
    case re2::RE2::ErrorMissingBracket:
      return "missing closing ]: " + part;
    case re2::RE2::ErrorBadEscape:
      return "invalid escape sequence: " + part;
    case re2::RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression: ``";
    case re2::RE2::ErrorBadCharClass:
      return "invalid character class: " + part;
    case re2::RE2::ErrorBadCharRange:
      return "invalid character class range: " + part;
    case re2::RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator: " + part;
    case re2::RE2::ErrorRepeatOp:
      return "invalid nested repetition operator: " + part;
    case re2::RE2::ErrorRepeatSize:
      return "invalid repeat count: " + part;
    case re2::RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax: " + part;
    case re2::RE2::ErrorBadNamedCapture:
      return "invalid named capture: " + part;
    case re2::RE2::ErrorBadUTF8:
      return "invalid UTF-8: " + part;
    case re2::RE2::ErrorPatternTooLarge:
      return "expression too large: ``";
    default:
      return "internal error: " + part;
  }
}

}  // namespace

bool pattern_matches(std::string_view pattern, std::string_view text) {
  const Compiled compiled = cached(pattern);
  if (!compiled->ok()) return true;
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled);
}

std::string pattern_error(std::string_view pattern) {
  const Compiled compiled = compile(pattern);
  return compiled->ok() ? std::string() : "error parsing regexp: " + describe(*compiled);
}

}  // namespace flotilla::api
