// SPDX-License-Identifier: Apache-2.0
#include "core/cel/lexer.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/cel/text.hpp"

namespace flotilla::cel {
namespace {

constexpr std::array<std::string_view, 6> kTwoSigns = {"==", "!=", "<=", ">=", "&&", "||"};
constexpr std::string_view kOneSign = "<>+-*/%!?:.,()[]{}";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

class Lexer {
 public:
  Lexer(std::string_view text, Faults& faults) : text_(text), faults_(faults) {}

  std::vector<Token> run() {
    for (skip(); at_ < text_.size(); skip()) read_one();
    begin();
    push(TokenKind::End);
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  void begin() { start_ = at_; }
  void push(TokenKind kind, std::string content = {}) {
    tokens_.push_back(
        {kind, static_cast<std::uint32_t>(start_), text_.substr(start_, at_ - start_), std::move(content)});
  }
  void fail(std::string message) { faults_.add(static_cast<std::uint32_t>(start_), std::move(message)); }

  void skip() {
    for (;;) {
      while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r' || peek() == '\f') ++at_;
      if (peek() != '/' || peek(1) != '/') return;
      while (at_ < text_.size() && peek() != '\n') ++at_;
    }
  }

  void read_one() {
    begin();
    if (const std::size_t prefix = quote_prefix(); prefix != std::string_view::npos)
      return read_string(prefix);
    if (is_letter(peek())) {
      while (is_letter(peek()) || is_digit(peek())) ++at_;
      return push(TokenKind::Identifier);
    }
    if (is_digit(peek()) || (peek() == '.' && is_digit(peek(1)))) return read_number();
    for (const std::string_view sign : kTwoSigns) {
      if (!text_.substr(at_).starts_with(sign)) continue;
      at_ += 2;
      return push(TokenKind::Symbol);
    }
    if (kOneSign.find(peek()) != std::string_view::npos) {
      ++at_;
      return push(TokenKind::Symbol);
    }
    at_ += character_length(text_, at_);
    fail("Syntax error: token recognition error at: '" + std::string(text_.substr(start_, at_ - start_)) +
         "'");
  }

  // How many letters of r, R, b, B stand before a quote; npos: no string begins here.
  std::size_t quote_prefix() const {
    std::size_t count = 0;
    bool raw = false, bytes = false;
    for (; count < 2; ++count) {
      const char c = peek(count);
      bool& seen = c == 'r' || c == 'R' ? raw : bytes;
      if ((c != 'r' && c != 'R' && c != 'b' && c != 'B') || seen) break;
      seen = true;
    }
    const char quote = peek(count);
    return quote == '"' || quote == '\'' ? count : std::string_view::npos;
  }

  void read_string(std::size_t prefix) {
    bool raw = false, bytes = false;
    for (std::size_t i = 0; i < prefix; ++i) (peek(i) == 'r' || peek(i) == 'R' ? raw : bytes) = true;
    at_ += prefix;
    const char quote = peek();
    const bool triple = peek(1) == quote && peek(2) == quote;
    const std::string ending(triple ? 3 : 1, quote);
    at_ += ending.size();
    const std::size_t body = at_;
    while (at_ < text_.size() && !text_.substr(at_).starts_with(ending)) {
      if (!triple && (peek() == '\n' || peek() == '\r')) break;
      at_ += !raw && peek() == '\\' && at_ + 1 < text_.size() ? 2 : 1;
    }
    if (!text_.substr(at_).starts_with(ending)) {
      fail("Syntax error: token recognition error at: '" + std::string(text_.substr(start_, at_ - start_)) +
           "'");
      return;
    }
    const std::string_view inner = text_.substr(body, at_ - body);
    at_ += ending.size();
    std::string content;
    if (raw) {
      content = inner;
    } else if (auto resolved = unescape(inner, bytes)) {
      content = *std::move(resolved);
    } else {
      fail("invalid string literal: unable to unescape string");
    }
    push(bytes ? TokenKind::Bytes : TokenKind::String, std::move(content));
  }

  static void append(std::string& out, std::uint32_t code, bool as_byte) {
    if (as_byte) {
      out += static_cast<char>(code);
    } else {
      append_character(out, code);
    }
  }

  std::optional<std::string> unescape(std::string_view text, bool bytes) const {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\') {
        if (text[i] == '\r') {  // line breaks are one sign
          out += '\n';
          if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
        } else {
          out += text[i];
        }
        continue;
      }
      if (++i >= text.size()) return std::nullopt;
      constexpr std::string_view kNames = "abfnrtv\\'\"`?";
      constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\'\"`?";
      if (const std::size_t known = kNames.find(text[i]); known != std::string_view::npos) {
        out += kMeanings[known];
        continue;
      }
      const auto code = read_code(text, i, bytes);
      if (!code) return std::nullopt;
      append(out, *code, bytes && text[i] != 'u');
    }
    return out;
  }

  // A numeric escape; `i` moves to its last sign.
  static std::optional<std::uint32_t> read_code(std::string_view text, std::size_t& i, bool bytes) {
    const char kind = text[i];
    std::size_t digits = 3, first = i;
    std::uint32_t base = 8;
    if (kind == 'x' || kind == 'X' || kind == 'u' || kind == 'U') {
      if (bytes && (kind == 'u' || kind == 'U')) return std::nullopt;
      digits = kind == 'u' ? 4 : kind == 'U' ? 8 : 2;
      base = 16;
      ++first;
    } else if (kind < '0' || kind > '3') {
      return std::nullopt;
    }
    if (first + digits > text.size()) return std::nullopt;
    std::uint32_t code = 0;
    for (std::size_t k = first; k < first + digits; ++k) {
      const int digit = hex_value(text[k]);
      if (digit < 0 || static_cast<std::uint32_t>(digit) >= base) return std::nullopt;
      code = code * base + static_cast<std::uint32_t>(digit);
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return std::nullopt;
    i = first + digits - 1;
    return code;
  }

  void read_number() {
    TokenKind kind = TokenKind::Int;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X') && hex_value(peek(2)) >= 0) {
      at_ += 2;
      while (hex_value(peek()) >= 0) ++at_;
    } else {
      while (is_digit(peek())) ++at_;
      if (peek() == '.' && is_digit(peek(1))) {
        kind = TokenKind::Float;
        ++at_;
        while (is_digit(peek())) ++at_;
      }
      const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
      if ((peek() == 'e' || peek() == 'E') && is_digit(peek(sign))) {
        kind = TokenKind::Float;
        at_ += sign;
        while (is_digit(peek())) ++at_;
      }
    }
    if (kind == TokenKind::Int && (peek() == 'u' || peek() == 'U')) {
      kind = TokenKind::Uint;
      ++at_;
    }
    push(kind);
  }

  std::string_view text_;
  Faults& faults_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
};

}  // namespace

std::vector<Token> read_tokens(std::string_view expression, Faults& faults) {
  return Lexer(expression, faults).run();
}

}  // namespace flotilla::cel
