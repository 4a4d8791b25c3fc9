// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/clock.hpp"

namespace flotilla::interpreter {

// What one call of a script may cost. The first bound that is reached ends it.
struct LuaLimits {
  Duration time = std::chrono::seconds(1);
  std::uint64_t instructions = 100'000'000;
  std::size_t memory_bytes = 64u << 20;      // of the whole state
  std::uint64_t pattern_steps = 20'000'000;  // string.find and its siblings cannot be interrupted
  std::size_t text_bytes = 4u << 20;         // what string.rep may make at once
  // Of what a script gives back. Tables may share parts, so a small one can be a huge document.
  int result_depth = 100;
  std::size_t result_values = 500'000;
  std::size_t result_bytes = 8u << 20;
};

}  // namespace flotilla::interpreter
