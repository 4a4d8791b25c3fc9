// SPDX-License-Identifier: Apache-2.0
#include "core/async/metrics.hpp"

#include <gtest/gtest.h>

namespace flotilla {
namespace {

using namespace std::chrono_literals;

TEST(Async_Metrics, are_written_as_prometheus_reads_them) {
  Metrics metrics;
  metrics.counter("b_total", "How many.", {{"kind", "say \"hi\""}})->add(3);
  metrics.gauge("a", "How much.")->set(1.5);
  const auto histogram = metrics.histogram("c_seconds", "How long.", {0.1, 1}, {{"result", "success"}});
  histogram->observe(50ms);
  histogram->observe(100ms);
  histogram->observe(2s);
  EXPECT_EQ(metrics.text(),
            "# HELP a How much.\n# TYPE a gauge\na 1.5\n"
            "# HELP b_total How many.\n# TYPE b_total counter\nb_total{kind=\"say \\\"hi\\\"\"} 3\n"
            "# HELP c_seconds How long.\n# TYPE c_seconds histogram\n"
            "c_seconds_bucket{result=\"success\",le=\"0.1\"} 2\n"
            "c_seconds_bucket{result=\"success\",le=\"1\"} 2\n"
            "c_seconds_bucket{result=\"success\",le=\"+Inf\"} 3\n"
            "c_seconds_sum{result=\"success\"} 2.15\nc_seconds_count{result=\"success\"} 3\n");
}

TEST(Async_Metrics, the_same_labels_are_the_same_series) {
  Metrics metrics;
  metrics.counter("n", "", {{"a", "1"}})->add();
  metrics.counter("n", "", {{"a", "1"}})->add();
  EXPECT_EQ(metrics.counter("n", "", {{"a", "1"}})->value(), 2u);
  EXPECT_EQ(metrics.counter("n", "", {{"a", "2"}})->value(), 0u);
}

TEST(Async_Metrics, computed_ones_live_as_long_as_their_owner) {
  Metrics metrics;
  double depth = 4;
  auto held = metrics.computed("depth", "Now.", {}, [&depth] { return depth; });
  EXPECT_NE(metrics.text().find("depth 4\n"), std::string::npos);
  depth = 5;
  EXPECT_NE(metrics.text().find("depth 5\n"), std::string::npos);
  held.reset();
  EXPECT_EQ(metrics.text(), "");
}

TEST(Async_Metrics, a_label_can_be_forgotten) {
  Metrics metrics;
  metrics.gauge("ready", "", {{"member_cluster", "m1"}})->set(1);
  metrics.gauge("ready", "", {{"member_cluster", "m2"}})->set(1);
  metrics.forget("member_cluster", "m1");
  EXPECT_EQ(metrics.text().find("m1"), std::string::npos);
  EXPECT_NE(metrics.text().find("m2"), std::string::npos);
}

TEST(Async_Metrics, nobody_need_read_them) {
  counter_in(nullptr, "n", "")->add();
  gauge_in(nullptr, "n", "")->set(1);
  histogram_in(nullptr, "n", "", exponential_buckets(0.001, 2, 12))->observe(1s);
  EXPECT_EQ(exponential_buckets(0.001, 2, 3), (Buckets{0.001, 0.002, 0.004}));
}

}  // namespace
}  // namespace flotilla
