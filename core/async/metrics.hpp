// SPDX-License-Identifier: Apache-2.0
// Numbers for Prometheus. A series is found or made once and then costs an addition; those that are computed
// are computed when somebody reads them.
//
//   auto syncs = metrics.histogram("sync_seconds", "How long a sync takes.", buckets, {{"result",
//   "success"}}); syncs->observe(took);
//
// Thread: everything from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.hpp"

namespace flotilla {

class Counter {
 public:
  void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double change) { value_.fetch_add(change, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// Upper edges in seconds, ascending.
using Buckets = std::vector<double>;
Buckets exponential_buckets(double first, double factor, int count);

class Histogram {
 public:
  explicit Histogram(Buckets edges);
  void observe(Duration took);
  const Buckets& edges() const { return edges_; }
  // Of the bucket below edge `index` alone; the last is above all edges.
  std::uint64_t in_bucket(std::size_t index) const { return counts_[index].load(std::memory_order_relaxed); }
  double sum() const { return static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9; }

 private:
  const Buckets edges_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<std::uint64_t> nanoseconds_{0};
};

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

class Metrics {
 public:
  Metrics();
  ~Metrics();

  // The same name and labels answer the same series; a name has one type, one help and one set of buckets.
  std::shared_ptr<Counter> counter(std::string_view name, std::string_view help,
                                   const MetricLabels& labels = {});
  std::shared_ptr<Gauge> gauge(std::string_view name, std::string_view help, const MetricLabels& labels = {});
  std::shared_ptr<Histogram> histogram(std::string_view name, std::string_view help, const Buckets& edges,
                                       const MetricLabels& labels = {});
  // Asked at every reading until the answer is destroyed, which waits for a reading under way.
  [[nodiscard]] std::shared_ptr<void> computed(std::string_view name, std::string_view help,
                                               const MetricLabels& labels, std::function<double()> value);
  // Series with this label vanish: of a cluster that left.
  void forget(std::string_view label, std::string_view value);
  // In Prometheus' text format, by name.
  std::string text() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// For parts that also run without a daemon around them: null metrics answer series that nobody reads.
std::shared_ptr<Counter> counter_in(Metrics* metrics, std::string_view name, std::string_view help,
                                    const MetricLabels& labels = {});
std::shared_ptr<Gauge> gauge_in(Metrics* metrics, std::string_view name, std::string_view help,
                                const MetricLabels& labels = {});
std::shared_ptr<Histogram> histogram_in(Metrics* metrics, std::string_view name, std::string_view help,
                                        const Buckets& edges, const MetricLabels& labels = {});

}  // namespace flotilla
