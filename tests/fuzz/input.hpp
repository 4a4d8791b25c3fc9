// SPDX-License-Identifier: Apache-2.0
// What the targets share: the input as text, and its parts where a target takes several.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace flotilla::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Up to a line that is "---" (or the end); `rest` goes on behind it.
inline std::string_view take_part(std::string_view& rest) {
  constexpr std::string_view kCut = "\n---\n";
  const auto at = rest.find(kCut);
  const std::string_view part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + kCut.size());
  return part;
}

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace flotilla::fuzz
