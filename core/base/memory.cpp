// SPDX-License-Identifier: Apache-2.0
#include "core/base/memory.hpp"

#include <malloc.h>

// Programs that link mimalloc have it, all others glibc's allocator.
extern "C" void mi_collect(bool force) __attribute__((weak));

namespace flotilla {

void give_back_memory() {
  if (mi_collect != nullptr) {
    mi_collect(true);
  } else {
    malloc_trim(0);
  }
}

}  // namespace flotilla
