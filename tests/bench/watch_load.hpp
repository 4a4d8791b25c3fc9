// SPDX-License-Identifier: Apache-2.0
// Many watches of one collection, and how long one event takes to reach all of them.
#pragma once

#include "core/async/executor.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/fleet.hpp"

namespace flotilla::bench {

// 1,000 watches, each on a connection of its own; 20 events, one after another. A time is that from sending
// the write to one watch having its event.
Result<Line> run_watches(const Executor& executor, const http::ClientOptions& options,
                         const DaemonProcess& daemon);

}  // namespace flotilla::bench
