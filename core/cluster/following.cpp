// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/following.hpp"

#include <algorithm>

#include "core/async/executor.hpp"
#include "core/base/log.hpp"

namespace flotilla::cluster {
namespace {

const Logger kLog("member");
constexpr Duration kFirstRetry = std::chrono::milliseconds(200);
constexpr Duration kLastRetry = std::chrono::seconds(30);

}  // namespace

Following::Following(std::string cluster, Gvr resource, std::shared_ptr<ClusterConnection> connection,
                     std::string label_selector)
    : cluster_(std::move(cluster)),
      resource_(std::move(resource)),
      connection_(std::move(connection)),
      label_selector_(std::move(label_selector)) {}

Task<void> Following::run() {
  Duration delay = kFirstRetry;
  for (;;) {
    bool progress = false;
    auto following = list_and_watch(progress);
    const Status ended = co_await std::move(following);
    if (ended.error().is(Code::Cancelled)) co_return;
    if (progress) delay = kFirstRetry;
    // The member has forgotten the version: what we know stays true enough until the next list is here.
    if (ended.error().is(Code::Gone) && progress) continue;
    if (!ended.error().is(Code::Gone)) synced_.store(false, std::memory_order_release);
    kLog.debug("member watch failed", {{"cluster", cluster_},
                                       {"resource", resource_.resource},
                                       {"error", ended.error().message()},
                                       {"in", format_duration(delay)}});
    auto sleeping = sleep_for(delay);
    if (!co_await std::move(sleeping)) co_return;
    delay = std::min(delay * 2, kLastRetry);
  }
}

// Never ends in order. `progress`: the watch brought something, so there is no reason to wait.
Task<Status> Following::list_and_watch(bool& progress) {
  ListSelector selector;
  selector.label_selector = label_selector_;
  auto listing = connection_->list(resource_, selector);
  Result<MemberList> listed = co_await std::move(listing);
  if (!listed) co_return listed.error();
  std::string version = listed->resource_version;
  replace(std::move(listed->objects));
  synced_.store(true, std::memory_order_release);
  changed_.notify();

  for (;;) {
    auto opening = connection_->watch(resource_, selector, version);
    Result<std::unique_ptr<MemberWatch>> watch = co_await std::move(opening);
    if (!watch) co_return watch.error();
    (*watch)->leave_out([this](const MemberHead& head) { return is_known(head); });
    bool silent = true;
    for (;;) {
      auto waiting = (*watch)->next();
      Result<std::vector<MemberEvent>> events = co_await std::move(waiting);
      if (!events) co_return events.error();
      if (events->empty()) break;  // ended in order: go on from the last version
      silent = false;
      progress = true;
      for (MemberEvent& event : *events) {
        const Json& known = event.object;
        version = known["metadata"]["resourceVersion"].as_string(version);
        if (event.type == MemberEvent::Type::Bookmark) continue;
        if (event.type == MemberEvent::Type::Deleted) {
          forget(std::move(event.object));
        } else {
          put(std::move(event.object));
        }
      }
    }
    if (!silent) continue;
    // A server or proxy that ends every watch at once is not asked in a tight loop.
    auto sleeping = sleep_for(kFirstRetry);
    if (!co_await std::move(sleeping)) co_return Error(Code::Cancelled, "cancelled");
  }
}

Task<bool> Following::wait_synced(Duration timeout) {
  const std::uint64_t seen = changed_.version();
  if (synced()) co_return true;
  auto waiting = changed_.wait_past_for(seen, timeout);
  co_await std::move(waiting);
  co_return synced();
}

}  // namespace flotilla::cluster
