// SPDX-License-Identifier: Apache-2.0
// Many short pieces of work side by side: asking every member the same question.
#pragma once

#include <cstddef>
#include <vector>

#include "core/async/task.hpp"

namespace flotilla {

// Runs all of `work`, at most `width` at a time, on the caller's strand, and comes back when the last has
// ended. What a piece finds out it writes where its caller looks afterwards. When the caller is cancelled the
// pieces are, and those that have not begun never do.
Task<void> run_together(std::vector<Task<void>> work, std::size_t width);

}  // namespace flotilla
