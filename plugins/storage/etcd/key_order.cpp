// SPDX-License-Identifier: Apache-2.0
#include "key_order.hpp"

#include <algorithm>

namespace flotilla::plugins::storage::etcd {

void KeyOrder::enter(Keys keys, std::function<void(TicketPtr)> start) {
  const auto ticket = std::make_shared<Ticket>();
  ticket->keys = std::move(keys);
  // A key that is both is written; one that is guarded twice is one.
  auto& reads = ticket->keys.reads;
  const auto& writes = ticket->keys.writes;
  std::erase_if(reads, [&](const std::string& key) {
    return std::find(writes.begin(), writes.end(), key) != writes.end();
  });
  if (reads.size() > 1) {
    std::sort(reads.begin(), reads.end());
    reads.erase(std::unique(reads.begin(), reads.end()), reads.end());
  }
  {
    std::lock_guard lock(mutex_);
    for (const std::string& key : reads) ticket->missing += join(lines_[key], ticket, false) ? 0u : 1u;
    for (const std::string& key : writes) ticket->missing += join(lines_[key], ticket, true) ? 0u : 1u;
    if (ticket->missing != 0) {
      ticket->start = std::move(start);
      return;
    }
  }
  start(ticket);
}

bool KeyOrder::join(Line& line, const TicketPtr& ticket, bool writes) {
  const bool free = line.waiting.empty() && !line.writer && (!writes || line.readers == 0);
  if (!free) {
    line.waiting.push_back({ticket, writes});
    return false;
  }
  if (writes) {
    line.writer = true;
  } else {
    ++line.readers;
  }
  return true;
}

// Not recursive, however long the line of those that end within their start().
void KeyOrder::leave(const TicketPtr& ticket) {
  std::unique_lock lock(mutex_);
  for (const std::string& key : ticket->keys.reads) step_out(key, false);
  for (const std::string& key : ticket->keys.writes) step_out(key, true);
  if (starting_) return;
  starting_ = true;
  while (!ready_.empty()) {
    const TicketPtr next = std::move(ready_.front());
    ready_.pop_front();
    const auto start = std::move(next->start);
    lock.unlock();
    start(next);
    lock.lock();
  }
  starting_ = false;
}

void KeyOrder::step_out(const std::string& key, bool wrote) {
  const auto it = lines_.find(key);
  Line& line = it->second;
  if (wrote) {
    line.writer = false;
  } else {
    --line.readers;
  }
  while (!line.waiting.empty() && !line.writer && (!line.waiting.front().writes || line.readers == 0)) {
    const Waiting next = std::move(line.waiting.front());
    line.waiting.pop_front();
    if (next.writes) {
      line.writer = true;
    } else {
      ++line.readers;
    }
    if (--next.ticket->missing == 0) ready_.push_back(next.ticket);
  }
  if (line.waiting.empty() && !line.writer && line.readers == 0) lines_.erase(it);
}

}  // namespace flotilla::plugins::storage::etcd
