// SPDX-License-Identifier: Apache-2.0
// Keeps commits that have a key in common in the order of their calls while all others are on their way at
// the same time. A commit reads the keys it guards and writes those of its operations; it starts when every
// earlier one that writes what it reads or writes, or reads what it writes, has been answered.
//
//   order.enter({reads, writes}, start)    start() runs at once, inside enter, or inside the leave() of
//   another order.leave(ticket)                    exactly once per start(), possibly within it
//
// Thread: any; start() runs without the lock.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace flotilla::plugins::storage::etcd {

class KeyOrder {
 public:
  struct Ticket;
  using TicketPtr = std::shared_ptr<Ticket>;
  struct Keys {
    std::vector<std::string> reads;
    std::vector<std::string> writes;
  };

  void enter(Keys keys, std::function<void(TicketPtr)> start);
  void leave(const TicketPtr& ticket);

 private:
  struct Waiting {
    TicketPtr ticket;
    bool writes;
  };
  struct Line {
    std::uint32_t readers = 0;  // under way
    bool writer = false;
    std::deque<Waiting> waiting;
  };
  // With the mutex held. True: the ticket may pass this key.
  static bool join(Line& line, const TicketPtr& ticket, bool writes);
  void step_out(const std::string& key, bool wrote);

  std::mutex mutex_;
  std::unordered_map<std::string, Line> lines_;
  std::deque<TicketPtr> ready_;  // to be started by the leave() that is at it
  bool starting_ = false;
};

struct KeyOrder::Ticket {
  Keys keys;
  std::function<void(TicketPtr)> start;
  std::size_t missing = 0;  // keys that others have
};

}  // namespace flotilla::plugins::storage::etcd
