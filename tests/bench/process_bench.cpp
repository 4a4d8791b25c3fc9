// SPDX-License-Identifier: Apache-2.0
// What the real flotillad costs: time until it serves, and memory.
#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/http/http.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/fleet.hpp"

namespace flotilla::bench {
namespace {

constexpr int kStarts = 10;
constexpr int kClients = 16;
constexpr int kStored[] = {2'000, 10'000, 40'000};  // ConfigMaps of 1 KB

struct Creation {
  std::atomic<int> next = 0;
  std::mutex mutex;
  Status failure;
};

Task<void> create_until(http::Client& client, Creation& creation, int count) {
  for (int i = creation.next++; i < count; i = creation.next++) {
    http::ClientRequest request;
    request.method = "POST";
    request.target = "/api/v1/namespaces/default/configmaps";
    request.headers.add("Content-Type", "application/json");
    request.body = config_map("stored-" + std::to_string(i), 900).dump();
    auto sending = client.send(std::move(request));
    const auto answer = co_await std::move(sending);
    if (answer && answer->status < 300) continue;
    std::lock_guard lock(creation.mutex);
    creation.failure =
        answer ? internal(std::to_string(answer->status) + ": " + answer->body) : answer.error();
    co_return;
  }
  --creation.next;  // what was taken and not made
}

Status create_up_to(const Executor& executor, http::Client& client, Creation& creation, int count) {
  FiberScope scope(executor.strand(), "creation");
  for (int i = 0; i < kClients; ++i) scope.spawn_on(executor.strand(), create_until(client, creation, count));
  scope.join_blocking();
  return creation.failure;
}

// "40,000 objects of 1 KB: 2.1 KB each"
std::string shown(int count, int before, double megabytes) {
  char text[64];
  std::snprintf(text, sizeof text, "%d objects of 1 KB: +%.1f KB each", count,
                megabytes * 1024 / (count - before));
  return text;
}

}  // namespace

Result<std::vector<Line>> run_startup() {
  std::vector<Line> lines;
  const ScratchDir kept;
  for (const bool fresh : {true, false}) {
    std::vector<Duration> times;
    Duration total{0};
    double resident = 0;
    for (int i = 0; i < kStarts; ++i) {
      const ScratchDir once;
      auto daemon = DaemonProcess::start(fresh ? once.path() : kept.path());
      if (!daemon) return daemon.error();
      times.push_back((*daemon)->until_ready());
      total += times.back();
      resident = (*daemon)->resident_mb();
    }
    Line line = summarize(fresh ? "first start (makes its CA)" : "start", std::move(times), total);
    line.rss_mb = resident;
    lines.push_back(line);
  }
  return lines;
}

// What only the start needed is given back by then.
constexpr auto kSettling = std::chrono::seconds(2);

Result<std::vector<Line>> run_memory() {
  const SystemClock clock;
  const ScratchDir dir;
  auto daemon = DaemonProcess::start(dir.path());
  if (!daemon) return daemon.error();
  std::vector<Line> lines;
  const auto note = [&](std::string work, int count) {
    Line line;
    line.work = std::move(work);
    line.count = count;
    line.rss_mb = (*daemon)->resident_mb();
    lines.push_back(line);
  };
  note("ready", 0);
  std::this_thread::sleep_for(kSettling);
  note("idle", 0);
  auto options = client_of((*daemon)->kubeconfig());
  if (!options) return options.error();
  const Executor executor(clock);
  http::Client client(executor, *std::move(options));
  Creation creation;
  int before = 0;
  for (const int count : kStored) {
    if (Status made = create_up_to(executor, client, creation, count); !made) return made.error();
    const double grown = (*daemon)->resident_mb() - lines.back().rss_mb;
    note(shown(count, before, grown), count);
    before = count;
  }
  client.close();
  return lines;
}

}  // namespace flotilla::bench
