// SPDX-License-Identifier: Apache-2.0
#include "core/api/base64.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace flotilla::api {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_values() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}
constexpr auto kValues = make_values();

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += k <= have ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::optional<std::string> base64_decode(std::string_view text, std::size_t* bad_at) {
  std::string out;
  std::uint32_t group = 0;
  int have = 0;
  int padding = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' || text[i] == '\r') continue;
    const std::int8_t value = kValues[static_cast<unsigned char>(text[i])];
    const bool pad = text[i] == '=' && have + padding >= 2;
    if ((value < 0 && !pad) || (padding > 0 && !pad)) {
      if (bad_at) *bad_at = i;
      return std::nullopt;
    }
    if (pad) {
      ++padding;
    } else {
      group = group << 6 | static_cast<std::uint32_t>(value);
      ++have;
    }
    if (have + padding != 4) continue;
    group <<= 6 * padding;
    for (int k = 0; k < 3 - padding; ++k) out += static_cast<char>(group >> (16 - 8 * k) & 255);
    group = 0;
    if (padding == 0) have = 0;
  }
  if (have != 0 && have + padding != 4) {
    if (bad_at) *bad_at = text.size();
    return std::nullopt;
  }
  return out;
}

}  // namespace flotilla::api
