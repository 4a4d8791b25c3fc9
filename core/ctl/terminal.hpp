// SPDX-License-Identifier: Apache-2.0
// What people see: data on stdout, everything else on stderr; colour only on a terminal (NO_COLOR is
// honoured); progress as one line per stage.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/error.hpp"

namespace flotilla::ctl {

namespace exit_code {
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kNo = 2;  // the question was answered "no"
inline constexpr int kUnreachable = 4;
inline constexpr int kNotAllowed = 5;
inline constexpr int kUsage = 64;
}  // namespace exit_code

// "error: ..." with what to try next, on stderr. The answer is the exit code.
int print_error(const Error& error, std::string_view next = {});
void print_hint(std::string_view text);     // stderr, only on a terminal
void print_warning(std::string_view text);  // stderr

bool use_colour(int file);

// One stage of something that takes a while:  " ✓ control plane started   0.4 s".
//   Stage stage("control plane", quiet);
//   ...
//   stage.done("started");
class Stage {
 public:
  Stage(std::string what, bool quiet);
  void note(std::string_view text);  // shown while it runs, on a terminal alone
  void done(std::string_view detail = {});
  void failed();
  ~Stage();

 private:
  void finish(std::string_view mark, std::string_view colour, std::string_view detail);

  std::string what_;
  bool quiet_;
  bool live_;
  bool finished_ = false;
  SystemClock clock_;
  SteadyTime started_;
};

// kubectl's tables: columns as wide as their widest cell, three spaces between.
void print_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows,
                 bool with_header = true);

}  // namespace flotilla::ctl
