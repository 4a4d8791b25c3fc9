// SPDX-License-Identifier: Apache-2.0
// How many requests are let in at the same time (k8s-api 12.4). Long-running ones and those of administrators
// are counted, never refused. Thread: everything from any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/apiserver/request_info.hpp"

namespace flotilla::apiserver {

// watch, proxy, exec and what else lasts as long as its client wants.
bool is_long_running(const RequestInfo& info);
// Whether it can change anything.
bool is_mutating(const RequestInfo& info);

class Overload {
 public:
  // 0: no bound.
  void set_bounds(std::int64_t reading, std::int64_t mutating) {
    reading_.bound = reading;
    mutating_.bound = mutating;
  }

  // A request's place; given back when it is destroyed.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept : count_(other.count_), refused_(other.refused_) { other.count_ = nullptr; }
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (count_ != nullptr) count_->fetch_sub(1, std::memory_order_relaxed);
    }
    bool refused() const { return refused_; }

   private:
    friend class Overload;
    std::atomic<std::int64_t>* count_ = nullptr;
    bool refused_ = false;
  };
  Place enter(const RequestInfo& info, bool exempt);

  std::int64_t reading() const { return reading_.count.load(std::memory_order_relaxed); }
  std::int64_t mutating() const { return mutating_.count.load(std::memory_order_relaxed); }
  std::int64_t long_running() const { return long_running_.load(std::memory_order_relaxed); }
  std::uint64_t refused_reading() const { return reading_.refused.load(std::memory_order_relaxed); }
  std::uint64_t refused_mutating() const { return mutating_.refused.load(std::memory_order_relaxed); }

 private:
  struct Lane {
    std::atomic<std::int64_t> count{0};
    std::atomic<std::uint64_t> refused{0};
    std::int64_t bound = 0;
  };
  Lane reading_, mutating_;
  std::atomic<std::int64_t> long_running_{0};
};

}  // namespace flotilla::apiserver
