// SPDX-License-Identifier: Apache-2.0
// ASSERT is for our own bugs: on in every build, prints the condition and aborts. Input is never asserted.
#pragma once

namespace flotilla {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}

#define ASSERT(condition) \
  (static_cast<bool>(condition) ? void(0) : ::flotilla::assertion_failed(#condition, __FILE__, __LINE__))
