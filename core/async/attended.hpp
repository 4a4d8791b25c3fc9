// SPDX-License-Identifier: Apache-2.0
// Work that may take long, or for ever.
#pragma once

#include <functional>

#include "core/async/task.hpp"
#include "core/base/clock.hpp"

namespace flotilla {

// Runs `work` on the caller's strand. Whenever `patience` has passed without its end, `go_on` is asked
// whether to wait on; a no cancels the work, and so does the caller's own cancellation. True: it came to its
// end. Either way nothing of it runs any more.
Task<bool> run_attended(Task<void> work, Duration patience, std::function<Task<bool>()> go_on);

// The same with a limit.
Task<bool> run_within(Task<void> work, Duration limit);

}  // namespace flotilla
