// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/api/table/cells.hpp"

namespace flotilla::api::table {

Json pod_ready(const Cell& cell);     // 1/2
Json pod_status(const Cell& cell);    // Running, Init:0/1, CrashLoopBackOff, Terminating
Json pod_restarts(const Cell& cell);  // 3 (5m ago)
Json pod_ip(const Cell& cell);
Json pod_gates(const Cell& cell);

Json event_first_seen_of(const Cell& cell);

}  // namespace flotilla::api::table
