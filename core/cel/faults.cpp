// SPDX-License-Identifier: Apache-2.0
#include "core/cel/faults.hpp"

#include <algorithm>

#include "core/cel/text.hpp"

namespace flotilla::cel {
namespace {

constexpr std::size_t kMostFaults = 100;

std::string fault_text(std::string_view expression, const Fault& fault) {
  const std::size_t at = std::min<std::size_t>(fault.position, expression.size());
  const std::size_t line_start = at == 0 ? 0 : expression.rfind('\n', at - 1) + 1;
  const auto line_number =
      std::count(expression.begin(), expression.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
  std::string line(expression.substr(line_start, expression.find('\n', line_start) - line_start));
  std::replace(line.begin(), line.end(), '\t', ' ');
  const auto before = split_characters(expression.substr(line_start, at - line_start));
  std::string out = "ERROR: <input>:" + std::to_string(line_number) + ":" +
                    std::to_string(before.size() + 1) + ": " + fault.message + "\n | " + line + "\n | ";
  // Wide characters get a wide dot below them.
  for (const std::string_view character : before) out += character.size() > 1 ? "．" : ".";
  const bool wide = at < expression.size() && character_length(expression, at) > 1;
  return out + (wide ? "＾" : "^");
}

}  // namespace

std::string Faults::text(std::string_view expression) const {
  std::vector<Fault> sorted = all_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Fault& a, const Fault& b) { return a.position < b.position; });
  std::string out;
  for (std::size_t i = 0; i < sorted.size() && i < kMostFaults; ++i)
    out += (i == 0 ? "" : "\n") + fault_text(expression, sorted[i]);
  if (sorted.size() > kMostFaults)
    out += "\n" + std::to_string(sorted.size() - kMostFaults) + " more errors were truncated";
  return out;
}

}  // namespace flotilla::cel
