// SPDX-License-Identifier: Apache-2.0
// What was asked how often, how it ended and how long it took. A request costs one look-up in a table of
// atomic pointers and three additions; nothing is locked. Thread: everything from any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"

namespace flotilla::apiserver {

// The labels of one series. `verb` is upper case: LIST, WATCH, APPLY, GET.
struct RequestLabels {
  std::string_view verb, group, version, resource, subresource, scope;
  bool dry_run = false;
};

class RequestMetrics {
 public:
  RequestMetrics();
  ~RequestMetrics();
  RequestMetrics(const RequestMetrics&) = delete;
  RequestMetrics& operator=(const RequestMetrics&) = delete;

  // `size` of the answer; nothing: it was streamed.
  void count(const RequestLabels& labels, int code, Duration took, std::optional<std::size_t> size);
  // apiserver_request_total, apiserver_request_duration_seconds and apiserver_response_sizes.
  void append_to(std::string& text) const;
  std::uint64_t total() const { return total_.load(std::memory_order_relaxed); }

 private:
  struct Series;
  static void append_durations(std::string& text, const std::vector<const Series*>& all);
  static void append_sizes(std::string& text, const std::vector<const Series*>& all);
  Series* series(const RequestLabels& labels);

  static constexpr std::size_t kSlots = 4096;  // what does not fit any more is counted as "other"
  std::array<std::atomic<Series*>, kSlots> slots_{};
  std::unique_ptr<Series> other_;
  std::atomic<std::uint64_t> total_{0};
};

// A label's value with its quotes.
std::string metric_label(std::string_view value);
// "# HELP ..." and "# TYPE ...".
void metric_head(std::string& text, std::string_view name, std::string_view type, std::string_view help);
void metric_line(std::string& text, std::string_view name, std::string_view labels, double value);

}  // namespace flotilla::apiserver
