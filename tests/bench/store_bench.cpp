// SPDX-License-Identifier: Apache-2.0
// The store over its backends: durable creates by number of clients, against one plain fsync on the same
// disk; reads; what an object costs; how long a start takes.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include "tests/bench/store_stage.hpp"

namespace flotilla::bench {
namespace {

constexpr int kListed = 6500;
constexpr int kLoaded = 100'000;

Task<void> create_many(Stage* stage, std::string ns, int count, Durability durability,
                       std::vector<Duration>* times) {
  for (int i = 0; i < count; ++i) {
    Json object = config_map(ns, "object-" + std::to_string(i));
    const SteadyTime before = stage->clock().steady_now();
    auto creating = stage->store().create(kConfigMaps, std::move(object), durability);
    const auto made = co_await std::move(creating);
    if (made) times->push_back(stage->clock().steady_now() - before);
  }
}

Line creates(Stage& stage, const std::string& work, int clients, int each, Durability durability) {
  std::vector<std::vector<Duration>> times(static_cast<std::size_t>(clients));
  const SteadyTime start = stage.clock().steady_now();
  for (int c = 0; c < clients; ++c)
    stage.spawn(create_many(&stage, work + "-" + std::to_string(c), each, durability,
                            &times[static_cast<std::size_t>(c)]));
  stage.join();
  const Duration total = stage.clock().steady_now() - start;
  std::vector<Duration> all;
  for (const auto& some : times) all.insert(all.end(), some.begin(), some.end());
  return summarize(work, std::move(all), total);
}

Line one_fsync(const std::string& folder) {
  const std::string path = folder + "/fsync";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const std::string block(4096, 'x');
  Line line = measure("fdatasync of 4 KB appended", std::chrono::seconds(1), 500, 5, [&](std::int64_t) {
    if (::write(fd, block.data(), block.size()) < 0 || ::fdatasync(fd) < 0) return;
  });
  ::close(fd);
  return line;
}

void reads(Stage& stage, std::vector<Line>& lines) {
  store::Store& store = stage.store();
  lines.push_back(measure("list of 6,500", std::chrono::seconds(1), 5000, 20,
                          [&](std::int64_t) { static_cast<void>(store.list(kConfigMaps)); }));
  lines.push_back(measure("get", std::chrono::seconds(1), 1'000'000, 1000, [&](std::int64_t i) {
    static_cast<void>(store.get(kConfigMaps, "listed-" + std::to_string(i % 13),
                                "object-" + std::to_string(i % (kListed / 13))));
  }));
}

Result<Line> start_with_many(const std::string& folder) {
  const SystemClock clock;
  {
    Stage stage(flt_plugin_storage_sqlite, folder);
    if (Status opened = stage.open(); !opened) return std::move(opened).error();
    creates(stage, "fill", 100, kLoaded / 100, Durability::Derived);
  }
  const double before = resident_mb();
  const SteadyTime start = clock.steady_now();
  Stage stage(flt_plugin_storage_sqlite, folder);
  if (Status opened = stage.open(); !opened) return std::move(opened).error();
  const Duration took = clock.steady_now() - start;
  Line line = summarize("start with 100,000 objects", {took}, took);
  line.rss_mb -= before;
  return line;
}

}  // namespace

Result<std::vector<Line>> run_store() {
  std::string folder = (std::filesystem::temp_directory_path() / "flotilla-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return internal("cannot make a temporary folder");
  std::vector<Line> lines;
  lines.push_back(one_fsync(folder));
  {
    std::filesystem::create_directory(folder + "/a");
    Stage stage(flt_plugin_storage_sqlite, folder + "/a");
    if (Status opened = stage.open(); !opened) return std::move(opened).error();
    lines.push_back(creates(stage, "sqlite durable create, 1 client", 1, 300, Durability::Wait));
    lines.push_back(creates(stage, "sqlite durable create, 32 clients", 32, 1000, Durability::Wait));
    lines.push_back(creates(stage, "sqlite durable create, 64 clients", 64, 1000, Durability::Wait));
    lines.push_back(creates(stage, "sqlite derived create, 1 client", 1, 50'000, Durability::Derived));
  }
  {
    Stage stage(flt_plugin_storage_memory, "");
    if (Status opened = stage.open(); !opened) return std::move(opened).error();
    lines.push_back(creates(stage, "listed", 13, kListed / 13, Durability::Wait));
    lines.back().work = "memory create, 13 clients";
    reads(stage, lines);
  }
  std::filesystem::create_directory(folder + "/b");
  Result<Line> started = start_with_many(folder + "/b");
  if (!started) return std::move(started).error();
  lines.push_back(*std::move(started));
  std::filesystem::remove_all(folder);
  return lines;
}

}  // namespace flotilla::bench
