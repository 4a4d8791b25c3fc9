// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace flotilla::ctl {
namespace {

constexpr std::string_view kGreen = "\033[32m";
constexpr std::string_view kRed = "\033[31m";
constexpr std::string_view kDim = "\033[2m";
constexpr std::string_view kReset = "\033[0m";
constexpr std::string_view kClearLine = "\r\033[K";

bool set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

// Code points, not bytes; wide ones are not told apart.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

bool use_colour(int file) {
  if (set("NO_COLOR")) return false;
  if (set("CLICOLOR_FORCE") || set("FORCE_COLOR")) return true;
  const char* terminal = std::getenv("TERM");
  return isatty(file) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

int print_error(const Error& error, std::string_view next) {
  const bool colour = use_colour(STDERR_FILENO);
  fmt::print(stderr, "{}error:{} {}\n", colour ? kRed : "", colour ? kReset : "", error.message());
  if (!next.empty()) fmt::print(stderr, "  try: {}\n", next);
  switch (error.code()) {
    case Code::Unavailable:
    case Code::Timeout:
      return exit_code::kUnreachable;
    case Code::Unauthorized:
    case Code::Forbidden:
      return exit_code::kNotAllowed;
    default:
      return exit_code::kFailed;
  }
}

void print_hint(std::string_view text) {
  if (isatty(STDERR_FILENO) == 1) fmt::print(stderr, "{}\n", text);
}

void print_warning(std::string_view text) {
  fmt::print(stderr, "warning: {}\n", text);
}

Stage::Stage(std::string what, bool quiet)
    : what_(std::move(what)),
      quiet_(quiet),
      live_(!quiet && isatty(STDERR_FILENO) == 1),
      started_(clock_.steady_now()) {
  if (live_) fmt::print(stderr, " … {}", what_);
}

void Stage::note(std::string_view text) {
  if (live_) fmt::print(stderr, "{} … {} {}", kClearLine, what_, text);
}

void Stage::done(std::string_view detail) {
  finish("✓", kGreen, detail);
}

void Stage::failed() {
  finish("✗", kRed, "failed");
}

Stage::~Stage() {
  if (!finished_) failed();
}

void Stage::finish(std::string_view mark, std::string_view colour, std::string_view detail) {
  finished_ = true;
  if (quiet_) return;
  const bool coloured = use_colour(STDERR_FILENO);
  const std::string took =
      fmt::format("{:.1f} s", std::chrono::duration<double>(clock_.steady_now() - started_).count());
  const std::string text = detail.empty() ? what_ : fmt::format("{} {}", what_, detail);
  fmt::print(stderr, "{} {}{}{} {:<52} {}{}{}\n", live_ ? kClearLine : "", coloured ? colour : "", mark,
             coloured ? kReset : "", text, coloured ? kDim : "", took, coloured ? kReset : "");
}

void print_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows,
                 bool with_header) {
  std::vector<std::size_t> widths;
  for (const std::string& cell : header) widths.push_back(with_header ? width_of(cell) : 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  const auto print = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] + 3 - width_of(row[i]), ' ');
    }
    out += '\n';
  };
  if (with_header) print(header);
  for (const auto& row : rows) print(row);
  std::fwrite(out.data(), 1, out.size(), stdout);
}

}  // namespace flotilla::ctl
