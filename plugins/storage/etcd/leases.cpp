// SPDX-License-Identifier: Apache-2.0
#include "leases.hpp"

#include <algorithm>

#include "messages.hpp"

namespace flotilla::plugins::storage::etcd {
namespace {

std::int64_t slack(std::int64_t ttl_ms) {
  return std::clamp<std::int64_t>(ttl_ms / 20, 1000, 60'000);
}

}  // namespace

void Leases::with_lease(std::int64_t ttl_ms, Then then) {
  const std::int64_t now = cluster_.loop().now_ms();
  const std::int64_t least = now + ttl_ms;
  std::int64_t seconds = 0;
  std::int64_t slot = 0;
  std::int64_t id = 0;
  {
    std::lock_guard lock(mutex_);
    std::erase_if(by_end_,
                  [&](const auto& entry) { return entry.second.id != 0 && entry.second.ends < now; });
    const auto it = by_end_.lower_bound(least);
    if (it != by_end_.end() && it->first <= least + slack(ttl_ms)) {
      if (it->second.id == 0) {
        it->second.waiting.push_back(std::move(then));
        return;
      }
      id = it->second.id;
    } else {
      seconds = (ttl_ms + slack(ttl_ms) + 999) / 1000;
      slot = now + seconds * 1000;
      Lease& lease = by_end_[slot];
      lease.waiting.push_back(std::move(then));
    }
  }
  if (id != 0) return then(id, nullptr);
  cluster_.call(kLeaseGrant, write_lease_grant(seconds), Cluster::Repeat::Yes,
                [this, slot, now](ClusterAnswer answer) { granted(slot, now, std::move(answer)); });
}

void Leases::granted(std::int64_t slot, std::int64_t asked_at, ClusterAnswer answer) {
  LeaseAnswer lease;
  if (answer.ok() && !read_lease_grant(answer.body, lease)) {
    answer.code = FLT_INTERNAL;
    answer.message = "etcd granted no lease";
  }
  std::vector<Then> waiting;
  {
    std::lock_guard lock(mutex_);
    const auto it = by_end_.find(slot);
    waiting.swap(it->second.waiting);
    if (answer.ok()) {
      it->second.id = lease.id;
      it->second.ends = asked_at + lease.seconds * 1000;
    } else {
      by_end_.erase(it);
    }
  }
  for (const Then& then : waiting) then(lease.id, answer.ok() ? nullptr : &answer);
}

void Leases::forget(std::int64_t id) {
  std::lock_guard lock(mutex_);
  std::erase_if(by_end_, [&](const auto& entry) { return entry.second.id == id; });
}

}  // namespace flotilla::plugins::storage::etcd
