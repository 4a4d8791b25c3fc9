// SPDX-License-Identifier: Apache-2.0
#include "core/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace flotilla {

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "flotilla: assertion failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace flotilla
