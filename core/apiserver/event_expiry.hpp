// SPDX-License-Identifier: Apache-2.0
// Events are forgotten when nobody has written them for an hour (k8s-api 13.1). Whoever watches sees them go.
#pragma once

#include <deque>
#include <utility>

#include "core/apiserver/server.hpp"

namespace flotilla::apiserver {

// Which revision was the newest when: says of an object how long it has not been written, without reading it.
class RevisionAges {
 public:
  explicit RevisionAges(Duration longest) : longest_(longest) {}
  void note(SteadyTime now, Revision newest);
  // Everything up to this revision is at least so old; 0: nothing is known to be.
  Revision old_at(SteadyTime now);

 private:
  const Duration longest_;
  std::deque<std::pair<SteadyTime, Revision>> noted_;  // ascending
};

// For as long as the fiber runs. What is there when the server starts has its time from then on.
Task<void> run_event_expiry(ServerPtr server);

}  // namespace flotilla::apiserver
