// SPDX-License-Identifier: Apache-2.0
// What storage is like when there is much of it, and after a while: latency of durable writes among 10,000
// and among a million objects, and what the file takes after FLOTILLA_BENCH_MINUTES (10) of creates, updates
// and deletes. FLOTILLA_BENCH_DIR: where the files lie.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "core/store/storage_extras.hpp"
#include "tests/bench/store_stage.hpp"

namespace flotilla::bench {
namespace {

constexpr int kFew = 10'000;
constexpr int kMany = 1'000'000;
constexpr int kClients = 16;
constexpr int kUpdatesEach = 1'000;
constexpr int kFillers = 50;
constexpr int kChurned = 100'000;

std::string ns_of(int number) {
  return "ns-" + std::to_string(number % kFillers);
}
std::string name_of(int number) {
  return "object-" + std::to_string(number);
}

Task<void> fill(Stage* stage, int filler, int from, int to) {
  for (int i = from; i < to; ++i) {
    if (i % kFillers != filler) continue;
    Json object = config_map(ns_of(i), name_of(i));
    auto creating = stage->store().create(kConfigMaps, std::move(object), Durability::Derived);
    static_cast<void>(co_await std::move(creating));
  }
}

void fill_all(Stage& stage, int from, int to) {
  for (int filler = 0; filler < kFillers; ++filler) stage.spawn(fill(&stage, filler, from, to));
  stage.join();
}

Task<void> update_some(Stage* stage, int client, int among, std::vector<Duration>* times) {
  std::mt19937 dice(static_cast<unsigned>(client));
  for (int i = 0; i < kUpdatesEach; ++i) {
    const int number = static_cast<int>(dice() % static_cast<unsigned>(among));
    Json object = config_map(ns_of(number), name_of(number));
    object.set("immutable", i % 2 == 0);
    const SteadyTime before = stage->clock().steady_now();
    auto updating = stage->store().update(kConfigMaps, std::move(object), Revision(), Durability::Wait);
    const auto updated = co_await std::move(updating);
    if (updated) times->push_back(stage->clock().steady_now() - before);
  }
}

Line updates(Stage& stage, const std::string& work, int among) {
  std::vector<std::vector<Duration>> times(kClients);
  const SteadyTime start = stage.clock().steady_now();
  for (int c = 0; c < kClients; ++c)
    stage.spawn(update_some(&stage, c, among, &times[static_cast<std::size_t>(c)]));
  stage.join();
  const Duration total = stage.clock().steady_now() - start;
  std::vector<Duration> all;
  for (const auto& some : times) all.insert(all.end(), some.begin(), some.end());
  return summarize(work, std::move(all), total);
}

// Of its own keys: as many deletes as creates, and updates with other sizes.
Task<void> churn(Stage* stage, int client, SteadyTime until, std::atomic<std::int64_t>* done) {
  std::mt19937 dice(static_cast<unsigned>(client + 100));
  const int own = kChurned / kFillers;
  while (stage->clock().steady_now() < until) {
    const int number = client + kFillers * static_cast<int>(dice() % static_cast<unsigned>(own));
    const api::ObjectKey key{ns_of(number), name_of(number)};
    const bool there = stage->store().get(kConfigMaps, key.ns, key.name) != nullptr;
    if (there && dice() % 10 == 0) {
      auto removing = stage->store().remove(kConfigMaps, key, Revision(), Durability::Wait);
      static_cast<void>(co_await std::move(removing));
      ++*done;
      continue;
    }
    Json object = config_map(key.ns, key.name, 6 + static_cast<int>(dice() % 11));
    auto writing = there ? stage->store().update(kConfigMaps, std::move(object), Revision(), Durability::Wait)
                         : stage->store().create(kConfigMaps, std::move(object), Durability::Wait);
    static_cast<void>(co_await std::move(writing));
    ++*done;
  }
}

struct Sizes {
  double live = 0, database = 0, log = 0;
};

Task<void> read_sizes(Stage* stage, Sizes* sizes) {
  const auto snapshot = store::save_snapshot(*stage->backend());
  for (;;) {
    auto reading = snapshot->next();
    const auto part = co_await std::move(reading);
    if (!part || !*part) break;
    for (const store::KeyValue& kv : (*part)->values)
      sizes->live += static_cast<double>(kv.key.size() + kv.value.size());
  }
  auto asking = store::figures_of(stage->backend());
  const auto figures = co_await std::move(asking);
  if (!figures) co_return;
  for (const store::StorageFigure& figure : *figures) {
    if (figure.name == "database_bytes") sizes->database = figure.value;
    if (figure.name == "log_bytes") sizes->log = figure.value;
  }
}

Line size_line(Stage& stage, const std::string& what, std::int64_t writes) {
  Sizes sizes;
  stage.spawn(read_sizes(&stage, &sizes));
  stage.join();
  Line line;
  char text[160];
  std::snprintf(text, sizeof text, "%s: file %.0f MB, log %.0f MB, live %.0f MB, file/live %.2f",
                what.c_str(), sizes.database / 1e6, sizes.log / 1e6, sizes.live / 1e6,
                sizes.database / sizes.live);
  line.work = text;
  line.count = writes;
  line.rss_mb = resident_mb();
  return line;
}

std::int64_t minutes() {
  const char* text = std::getenv("FLOTILLA_BENCH_MINUTES");
  return text == nullptr ? 10 : std::strtoll(text, nullptr, 10);
}

}  // namespace

Result<std::vector<Line>> run_storage() {
  const char* where = std::getenv("FLOTILLA_BENCH_DIR");
  const std::filesystem::path parent =
      where == nullptr ? std::filesystem::temp_directory_path() : std::filesystem::path(where);
  std::string folder = (parent / "flotilla-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return internal("cannot make a temporary folder");
  std::vector<Line> lines;
  if (minutes() > 0) {
    std::filesystem::create_directory(folder + "/churn");
    Stage stage(flt_plugin_storage_sqlite, folder + "/churn");
    if (Status opened = stage.open(); !opened) return std::move(opened).error();
    fill_all(stage, 0, kChurned);
    lines.push_back(size_line(stage, "filled", kChurned));
    std::atomic<std::int64_t> done = 0;
    const SteadyTime start = stage.clock().steady_now();
    for (int c = 0; c < kFillers; ++c)
      stage.spawn(churn(&stage, c, start + std::chrono::minutes(minutes()), &done));
    stage.join();
    lines.push_back(size_line(stage, "after " + std::to_string(minutes()) + " min of churn", done));
    lines.back().rate_per_s = static_cast<double>(done) / (static_cast<double>(minutes()) * 60);
  }
  {
    std::filesystem::create_directory(folder + "/grown");
    Stage stage(flt_plugin_storage_sqlite, folder + "/grown");
    if (Status opened = stage.open(); !opened) return std::move(opened).error();
    fill_all(stage, 0, kFew);
    lines.push_back(updates(stage, "durable update among 10,000 objects, 16 clients", kFew));
    fill_all(stage, kFew, kMany);
    lines.push_back(updates(stage, "durable update among 1,000,000 objects, 16 clients", kMany));
    lines.push_back(size_line(stage, "1,000,000 objects", kMany));
  }
  const SystemClock clock;
  const SteadyTime start = clock.steady_now();
  {
    Stage stage(flt_plugin_storage_sqlite, folder + "/grown");
    if (Status opened = stage.open(); !opened) return std::move(opened).error();
    const Duration took = clock.steady_now() - start;
    lines.push_back(summarize("start with 1,000,000 objects", {took}, took));
  }
  std::filesystem::remove_all(folder);
  return lines;
}

}  // namespace flotilla::bench
