// SPDX-License-Identifier: Apache-2.0
#include "core/base/base64.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace flotilla {
namespace {

struct Alphabet {
  std::string_view letters;
  bool padded;
  std::array<std::int8_t, 256> values{};

  constexpr Alphabet(std::string_view of_letters, bool is_padded) : letters(of_letters), padded(is_padded) {
    values.fill(-1);
    for (std::size_t i = 0; i < letters.size(); ++i)
      values[static_cast<unsigned char>(letters[i])] = static_cast<std::int8_t>(i);
  }
};

constexpr Alphabet kStandard("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
constexpr Alphabet kUrl("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);

std::string encode(const Alphabet& alphabet, std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k <= have; ++k) out += alphabet.letters[group >> (18 - 6 * k) & 63];
    if (alphabet.padded) out.append(3 - have, '=');
  }
  return out;
}

bool is_break(char c) {
  return c == '\n' || c == '\r';
}

std::size_t skip_breaks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_break(text[at])) ++at;
  return at;
}

// Padding at `at` behind `have` letters of a group. The first byte that is wrong, or nothing.
std::optional<std::size_t> wrong_padding(std::string_view text, std::size_t at, std::size_t have) {
  if (have < 2) return at;
  std::size_t next = skip_breaks(text, at + 1);
  if (have == 2) {
    if (next == text.size()) return next;
    if (text[next] != '=') return next - 1;
    next = skip_breaks(text, next + 1);
  }
  if (next < text.size()) return next;
  return std::nullopt;
}

// The leading bytes of a group of `have` letters.
void append_group(std::string& out, std::uint32_t group, std::size_t have) {
  group <<= 6 * (4 - have);
  for (std::size_t k = 0; k + 1 < have; ++k) out += static_cast<char>(group >> (16 - 8 * k) & 255);
}

std::optional<std::string> decode(const Alphabet& alphabet, std::string_view text, std::size_t* bad_at) {
  const auto refuse = [bad_at](std::size_t at) {
    if (bad_at) *bad_at = at;
    return std::nullopt;
  };
  std::string out;
  out.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t group = 0;
  std::size_t have = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_break(text[i])) continue;
    const std::int8_t value = alphabet.values[static_cast<unsigned char>(text[i])];
    if (value < 0) {
      if (text[i] != '=' || !alphabet.padded) return refuse(i);
      if (const auto wrong = wrong_padding(text, i, have)) return refuse(*wrong);
      append_group(out, group, have);
      return out;
    }
    group = group << 6 | static_cast<std::uint32_t>(value);
    if (++have < 4) continue;
    append_group(out, group, 4);
    group = 0;
    have = 0;
  }
  if (have == 0) return out;
  if (have == 1 || alphabet.padded) return refuse(text.size() - have);
  append_group(out, group, have);
  return out;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  return encode(kStandard, bytes);
}

std::string base64url_encode(std::string_view bytes) {
  return encode(kUrl, bytes);
}

std::optional<std::string> base64_decode(std::string_view text, std::size_t* bad_at) {
  return decode(kStandard, text, bad_at);
}

std::optional<std::string> base64url_decode(std::string_view text, std::size_t* bad_at) {
  return decode(kUrl, text, bad_at);
}

}  // namespace flotilla
