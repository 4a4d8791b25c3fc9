// SPDX-License-Identifier: Apache-2.0
#include "core/search/fleet_cache.hpp"

namespace flotilla::search {

TopicPtr FleetCache::topic(const Gvr& resource) const {
  const auto now = table();
  const auto found = now->topics.find(resource);
  return found == now->topics.end() ? nullptr : found->second;
}

void FleetCache::publish(std::shared_ptr<const FleetTable> table) {
  const auto before = table_.exchange(table, std::memory_order_acq_rel);
  const bool arrived = before->arrivals != table->arrivals;
  for (const auto& [gvr, topic] : before->topics) {
    const auto now = table->topics.find(gvr);
    if (arrived || now == table->topics.end() || now->second != topic) topic->changed->notify();
  }
}

}  // namespace flotilla::search
