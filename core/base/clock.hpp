// SPDX-License-Identifier: Apache-2.0
// The only source of time. Everything that reads or waits for time takes a Clock, so tests own it.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace flotilla {

using WallTime = std::chrono::system_clock::time_point;
using SteadyTime = std::chrono::steady_clock::time_point;
using Duration = std::chrono::nanoseconds;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;           // for people and for metadata timestamps
  virtual SteadyTime steady_now() const = 0;  // for deadlines and measurements
};

class SystemClock final : public Clock {
 public:
  WallTime now() const override;
  SteadyTime steady_now() const override;
};

// Moves only when told to. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start) : start_(start) {}
  WallTime now() const override;
  SteadyTime steady_now() const override;
  void advance(Duration by);

 private:
  mutable std::mutex mutex_;
  WallTime start_;
  Duration elapsed_{0};
};

// metav1.Time: RFC 3339 in UTC with whole seconds, "2026-01-02T03:04:05Z".
std::string format_time(WallTime time);
// metav1.MicroTime: always six digits of fraction.
std::string format_micro_time(WallTime time);
// RFC 3339 with any fraction and offset.
Result<WallTime> parse_time(std::string_view text);
// Go's time.Duration text: "1h30m", "10s", "500ms", "1.5s".
Result<Duration> parse_duration(std::string_view text);
std::string format_duration(Duration duration);

}  // namespace flotilla
