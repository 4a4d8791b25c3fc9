// SPDX-License-Identifier: Apache-2.0
// A large fleet as benchmarks of the scheduler know it.
#pragma once

#include <vector>

#include "core/api/json.hpp"
#include "tests/bench/bench.hpp"

namespace flotilla::bench {

// status.apiEnablements with Deployments and 120 other kinds.
api::Json usual_apis();
// "cluster-00042": labels env, tier and site (one of 50), a region (one of 8), one in twenty tainted. `round`
// moves what is allocated.
api::Json usual_cluster(int number, const api::Json& apis, int round = 0);

// fleet/...: decisions while clusters change.
Status measure_changing_fleet(std::vector<Line>& lines);
// end to end/...: bindings that the scheduler itself finds, decides and writes to sqlite.
Status measure_durable_scheduling(std::vector<Line>& lines);

}  // namespace flotilla::bench
