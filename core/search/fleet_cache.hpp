// SPDX-License-Identifier: Apache-2.0
// What is cached of all members right now, for those who read: a table that is replaced as a whole, never
// changed. Thread: any.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "core/search/registries.hpp"
#include "core/search/resource_cache.hpp"

namespace flotilla::search {

// A resource that a registry names, in the members where it is cached.
struct Topic {
  struct Source {
    ResourceCachePtr cache;
    Namespaces shown;  // through the proxy; the cache may know more
    bool operator==(const Source&) const = default;
  };
  ResourcePtr resource;
  std::map<std::string, Source> sources;     // by member
  std::shared_ptr<flotilla::Event> changed;  // of its caches, and when another topic takes this one's place
};
using TopicPtr = std::shared_ptr<const Topic>;

struct FleetTable {
  std::map<Gvr, TopicPtr> topics;
  std::uint64_t arrivals = 0;  // members that came to be cached
};

class FleetCache {
 public:
  FleetCache() : table_(std::make_shared<const FleetTable>()) {}

  std::shared_ptr<const FleetTable> table() const { return table_.load(std::memory_order_acquire); }
  // Null: no registry names it.
  TopicPtr topic(const Gvr& resource) const;
  // Wakes those who wait for a topic that is another now.
  void publish(std::shared_ptr<const FleetTable> table);

  // Whether what registries asked for when the daemon started is there, or has been waited for long enough.
  bool ready() const { return ready_.load(std::memory_order_acquire); }
  void set_ready() { ready_.store(true, std::memory_order_release); }

 private:
  std::atomic<std::shared_ptr<const FleetTable>> table_;
  std::atomic<bool> ready_ = false;
};

}  // namespace flotilla::search
