// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/event_expiry.hpp"

#include <algorithm>

namespace flotilla::apiserver {
namespace {

constexpr Duration kEvery = std::chrono::minutes(1);

const store::Collection& events() {
  static const store::Collection kCollection = store::collection_of("", "events");
  return kCollection;
}

}  // namespace

void RevisionAges::note(SteadyTime now, Revision newest) {
  if (noted_.empty() || noted_.back().second < newest) noted_.emplace_back(now, newest);
}

Revision RevisionAges::old_at(SteadyTime now) {
  Revision out;
  // The newest of those that are old enough stays: nothing may have been written since.
  while (!noted_.empty() && noted_.front().first + longest_ <= now) {
    out = noted_.front().second;
    if (noted_.size() == 1 || noted_[1].first + longest_ > now) break;
    noted_.pop_front();
  }
  return out;
}

Task<void> run_event_expiry(ServerPtr server) {
  const Duration ttl = server->options.event_ttl;
  RevisionAges ages(ttl);
  for (;;) {
    const SteadyTime now = server->executor.clock().steady_now();
    const Revision old = ages.old_at(now);
    if (server->store.count(events()) > 0) ages.note(now, server->store.revision());
    if (old.get() > 0 && server->store.count(events()) > 0) {
      for (const ObjectPtr& event : server->store.list(events()).objects) {
        if (event->revision() > old) continue;
        auto removing =
            server->store.remove(events(), event->key(), event->revision(), store::Durability::Derived);
        (void)co_await std::move(removing);
      }
    }
    auto resting = sleep_for(std::min<Duration>(kEvery, std::max<Duration>(ttl / 4, Duration(1'000'000))));
    if (!co_await std::move(resting)) co_return;
  }
}

}  // namespace flotilla::apiserver
