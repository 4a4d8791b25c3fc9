// SPDX-License-Identifier: Apache-2.0
// Tokens of an expression. Internal to core/cel.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/cel/faults.hpp"

namespace flotilla::cel {

enum class TokenKind : std::uint8_t { End, Identifier, Int, Uint, Float, String, Bytes, Symbol };

struct Token {
  TokenKind kind = TokenKind::End;
  std::uint32_t position = 0;
  std::string_view text;  // as it is written
  std::string content;    // of strings and bytes, escapes resolved

  bool is(std::string_view symbol) const { return kind == TokenKind::Symbol && text == symbol; }
  bool is_word(std::string_view word) const { return kind == TokenKind::Identifier && text == word; }
};

// Ends with an End token. Views into `expression`.
std::vector<Token> read_tokens(std::string_view expression, Faults& faults);

}  // namespace flotilla::cel
