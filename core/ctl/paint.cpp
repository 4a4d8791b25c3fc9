// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/paint.hpp"

#include <unistd.h>

#include "core/ctl/terminal.hpp"

namespace flotilla::ctl {
namespace {

constexpr std::size_t kLongest = 100;

std::string_view code_of(Colour colour) {
  switch (colour) {
    case Colour::Green:
      return "\033[32m";
    case Colour::Red:
      return "\033[31m";
    case Colour::Yellow:
      return "\033[33m";
    case Colour::Dim:
      return "\033[2m";
    case Colour::Bold:
      return "\033[1m";
    case Colour::Plain:
      break;
  }
  return "";
}

}  // namespace

std::string paint(Colour colour, std::string_view text) {
  static const bool kOn = use_colour(STDOUT_FILENO);
  if (!kOn || colour == Colour::Plain) return std::string(text);
  return std::string(code_of(colour)) + std::string(text) + "\033[0m";
}

std::string on_one_line(const api::Json& value) {
  std::string text = value.is_string() ? std::string(value.as_string()) : value.dump();
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  if (out.size() <= kLongest) return out;
  std::size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;
  return out.substr(0, end) + "…";
}

}  // namespace flotilla::ctl
