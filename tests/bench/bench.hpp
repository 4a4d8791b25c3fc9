// SPDX-License-Identifier: Apache-2.0
// A benchmark is a function that measures and returns lines of one table. To add one: a file NAME_bench.cpp
// with its run function, and one line in main.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::bench {

struct Line {
  std::string work;
  std::int64_t count = 0;
  double p50_us = 0;
  double p99_us = 0;
  double rate_per_s = 0;
  double rss_mb = 0;
  double cpu_us = 0;  // of the daemon, per piece of work; 0: not measured
};

using Run = Result<std::vector<Line>> (*)();

struct Bench {
  std::string_view name;
  std::string_view summary;
  Run run;
};

// One per file.
Result<std::vector<Line>> run_http();
Result<std::vector<Line>> run_schedule();
Result<std::vector<Line>> run_propagation();
Result<std::vector<Line>> run_api();
Result<std::vector<Line>> run_memory();
Result<std::vector<Line>> run_startup();
Result<std::vector<Line>> run_store();
Result<std::vector<Line>> run_store_etcd();
Result<std::vector<Line>> run_storage();
Result<std::vector<Line>> run_render();
Result<std::vector<Line>> run_scale();
Result<std::vector<Line>> run_plan();
Result<std::vector<Line>> run_interpret();

// From the time each piece of work took, and the time all of it took (work may overlap).
Line summarize(std::string work, std::vector<Duration> times, Duration total);
// Repeats `work(i)` for at least `least` and at most `most_times`, after `warm` repetitions that do not
// count.
Line measure(std::string work, Duration least, std::int64_t most_times, std::int64_t warm,
             const std::function<void(std::int64_t)>& work_once);
double resident_mb();

std::string as_table(const std::vector<Line>& lines);
std::string as_json(const std::vector<Line>& lines);

}  // namespace flotilla::bench
