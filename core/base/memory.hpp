// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace flotilla {

// After something large and rare was freed: what this thread's allocator holds goes back to the system.
void give_back_memory();

// After the start: the pages of the program and its libraries that nobody uses again are no longer counted as
// this process's; what is used comes back from the file at its next use.
void give_back_program();

}  // namespace flotilla
