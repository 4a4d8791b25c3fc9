// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bench.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "core/api/json.hpp"

namespace flotilla::bench {
namespace {

double microseconds(Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

double rounded(double value) {
  return static_cast<double>(static_cast<std::int64_t>(value * 10 + 0.5)) / 10;
}

}  // namespace

Line summarize(std::string work, std::vector<Duration> times, Duration total) {
  Line line;
  line.work = std::move(work);
  line.count = static_cast<std::int64_t>(times.size());
  line.rss_mb = resident_mb();
  if (times.empty()) return line;
  std::sort(times.begin(), times.end());
  line.p50_us = microseconds(times[times.size() / 2]);
  line.p99_us = microseconds(times[std::min(times.size() - 1, times.size() * 99 / 100)]);
  double seconds = std::chrono::duration<double>(total).count();
  line.rate_per_s = seconds > 0 ? static_cast<double>(times.size()) / seconds : 0;
  return line;
}

Line measure(std::string work, Duration least, std::int64_t most_times, std::int64_t warm,
             const std::function<void(std::int64_t)>& work_once) {
  const SystemClock clock;
  for (std::int64_t i = 0; i < warm; ++i) work_once(i);
  std::vector<Duration> times;
  const SteadyTime start = clock.steady_now();
  SteadyTime now = start;
  for (std::int64_t i = 0; i < most_times && now - start < least; ++i) {
    const SteadyTime before = now;
    work_once(i);
    now = clock.steady_now();
    times.push_back(now - before);
  }
  return summarize(std::move(work), std::move(times), now - start);
}

double resident_mb() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size = 0;
  std::int64_t resident = 0;
  statm >> size >> resident;
  constexpr double kPage = 4096;
  return static_cast<double>(resident) * kPage / (1 << 20);
}

std::string as_table(const std::vector<Line>& lines) {
  std::string table;
  char text[256];
  std::snprintf(text, sizeof text, "%-36s %10s %12s %12s %12s %8s %8s\n", "work", "count", "p50_us", "p99_us",
                "rate_per_s", "rss_mb", "cpu_us");
  table += text;
  for (const Line& line : lines) {
    std::snprintf(text, sizeof text, "%-36s %10lld %12.1f %12.1f %12.1f %8.1f %8.1f\n", line.work.c_str(),
                  static_cast<long long>(line.count), line.p50_us, line.p99_us, line.rate_per_s, line.rss_mb,
                  line.cpu_us);
    table += text;
  }
  return table;
}

std::string as_json(const std::vector<Line>& lines) {
  api::Json list = api::Json::array();
  for (const Line& line : lines) {
    list.push_back(api::Json::object({{"work", line.work},
                                      {"count", line.count},
                                      {"p50_us", rounded(line.p50_us)},
                                      {"p99_us", rounded(line.p99_us)},
                                      {"rate_per_s", rounded(line.rate_per_s)},
                                      {"rss_mb", rounded(line.rss_mb)},
                                      {"cpu_us", rounded(line.cpu_us)}}));
  }
  return list.dump() + "\n";
}

}  // namespace flotilla::bench
