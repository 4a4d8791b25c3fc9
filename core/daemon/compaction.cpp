// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/compaction.hpp"

#include "core/base/log.hpp"

namespace flotilla::daemon {
namespace {
const Logger kLog("daemon");
}

Compaction::Compaction(const Executor& executor, store::Store& store, Duration interval)
    : store_(store), interval_(interval), scope_(executor.strand(), "compaction") {}

Compaction::~Compaction() {
  stop();
}

void Compaction::start() {
  if (interval_ > Duration::zero()) scope_.spawn(run());
}

void Compaction::stop() {
  scope_.cancel();
  scope_.join_blocking();
}

Task<void> Compaction::run() {
  Revision old = store_.durable_revision();
  for (;;) {
    auto sleeping = sleep_for(interval_);
    if (!co_await std::move(sleeping)) co_return;
    const Revision now = store_.durable_revision();
    auto compacting = store_.compact(old);
    const Result<Revision> done = co_await std::move(compacting);
    if (!done) kLog.warn("storage is not compacted", {{"error", done.error().message()}});
    old = now;
  }
}

}  // namespace flotilla::daemon
