// SPDX-License-Identifier: Apache-2.0
// One watch of a member: sends what its credit allows, keeps the rest up to a bound, then gives up with
// Expired, as an API server drops a watcher that does not read.
#pragma once

#include <deque>
#include <mutex>
#include <utility>

#include "member.hpp"

namespace flotilla::simulated {

class Member::Watch : public std::enable_shared_from_this<Member::Watch> {
 public:
  struct Offer {
    std::int32_t type;
    StoredPtr object;
  };

  Watch(Scope the_scope, sdk::EventStream stream) : scope(std::move(the_scope)), stream_(std::move(stream)) {}

  // Credit comes back, or the host closes the stream.
  void listen() {
    stream_.on_credit([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->send(true);
    });
  }
  void offer(Offer offer) {
    {
      std::lock_guard lock(mutex_);
      if (ended_) return;
      waiting_.push_back(std::move(offer));
      if (waiting_.size() > kLimit) {
        ended_ = true;
        waiting_.clear();
        stream_.fail(FLT_OUT_OF_RANGE, "the watcher is too slow", "Expired", 410);
        return;
      }
    }
    send(false);
  }
  void end() {
    std::lock_guard lock(mutex_);
    ended_ = true;
    waiting_.clear();
    stream_.end();
  }
  bool ended() const {
    std::lock_guard lock(mutex_);
    return ended_;
  }

  const Scope scope;

 private:
  static constexpr std::size_t kLimit = 100'000;

  void send(bool credit_came) {
    std::lock_guard lock(mutex_);
    if (credit_came) has_credit_ = true;
    if (!ended_ && stream_.closed()) {
      ended_ = true;
      waiting_.clear();
      stream_.end();
    }
    while (!ended_ && has_credit_ && !waiting_.empty()) {
      const Offer next = std::move(waiting_.front());
      waiting_.pop_front();
      const sdk::WatchEventView event{next.type, next.object->view()};
      has_credit_ = stream_.push({&event, 1}) > 0;
    }
  }

  mutable std::mutex mutex_;
  sdk::EventStream stream_;
  std::deque<Offer> waiting_;
  bool has_credit_ = true;
  bool ended_ = false;
};

}  // namespace flotilla::simulated
