// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace flotilla {

// After something large and rare was freed: what this thread's allocator holds goes back to the system.
void give_back_memory();

}  // namespace flotilla
