// SPDX-License-Identifier: Apache-2.0
// The command line of flotillad.
#pragma once

#include <optional>

#include "core/config/settings.hpp"

namespace flotilla::daemon {

struct Options {
  config::Settings settings;
  bool check_config = false;
};

// What to run, or the exit code when there is nothing to run: help and version (0), bad usage (64), bad
// configuration (1). Prints what it has to say itself.
struct ParsedOptions {
  std::optional<Options> options;
  int exit_code = 0;
};
ParsedOptions parse_options(int argc, const char* const* argv);

}  // namespace flotilla::daemon
