// SPDX-License-Identifier: Apache-2.0
// The API over HTTPS against the real flotillad on sqlite with fsync; the load generator shares its machine.
#include <atomic>
#include <mutex>

#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/daemon/wait.hpp"
#include "core/http/http.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/fleet.hpp"
#include "tests/bench/watch_load.hpp"

namespace flotilla::bench {
namespace {

constexpr const char* kConfigMaps = "/api/v1/namespaces/default/configmaps";
constexpr int kListed = 6500;

struct Load {
  std::string work;
  int clients = 1;
  int requests = 1;
};

// One request after another, on a connection of its own.
using Make = std::function<http::ClientRequest(int index)>;

struct Tally {
  std::mutex mutex;
  std::vector<Duration> times;
  std::string failure;
};

Task<void> run_client(const Executor& executor, http::ClientOptions options, Make make,
                      std::atomic<int>& next, int last, Tally& tally) {
  options.max_connections = 1;
  http::Client client(executor, std::move(options));
  std::vector<Duration> times;
  std::string failure;
  for (int index = next++; index < last && failure.empty(); index = next++) {
    const SteadyTime sent = executor.clock().steady_now();
    auto sending = client.send(make(index));
    const auto answer = co_await std::move(sending);
    times.push_back(executor.clock().steady_now() - sent);
    if (!answer) failure = answer.error().message();
    if (answer && answer->status >= 300) failure = std::to_string(answer->status) + ": " + answer->body;
  }
  client.close();
  std::lock_guard lock(tally.mutex);
  tally.times.insert(tally.times.end(), times.begin(), times.end());
  if (!failure.empty()) tally.failure = failure;
}

Result<Line> run_load(const Executor& executor, const http::ClientOptions& options, const Load& load,
                      const Make& make) {
  Tally tally;
  std::atomic<int> next = 0;
  const SteadyTime began = executor.clock().steady_now();
  FiberScope scope(executor.strand(), "load");
  for (int i = 0; i < load.clients; ++i) {
    scope.spawn_on(executor.strand(), run_client(executor, options, make, next, load.requests, tally));
  }
  scope.join_blocking();
  if (!tally.failure.empty()) return internal(load.work + ": " + tally.failure);
  return summarize(load.work, std::move(tally.times), executor.clock().steady_now() - began);
}

http::ClientRequest create(const std::string& name, std::size_t bytes) {
  http::ClientRequest request;
  request.method = "POST";
  request.target = kConfigMaps;
  request.headers.add("Content-Type", "application/json");
  request.body = config_map(name, bytes).dump();
  return request;
}

http::ClientRequest get(std::string target) {
  http::ClientRequest request;
  request.target = std::move(target);
  return request;
}

}  // namespace

Result<std::vector<Line>> run_api() {
  const SystemClock clock;
  const ScratchDir dir;
  auto daemon = DaemonProcess::start(dir.path());
  if (!daemon) return daemon.error();
  auto options = client_of((*daemon)->kubeconfig());
  if (!options) return options.error();
  const Executor executor(clock);

  const std::pair<Load, Make> loads[] = {
      {{"create, 1 client", 1, 500}, [](int i) { return create("one-" + std::to_string(i), 64); }},
      {{"create 1 KB, 32 clients", 32, kListed},
       [](int i) { return create("many-" + std::to_string(i), 900); }},
      {{"get, 1 client", 1, 5000}, [](int) { return get(std::string(kConfigMaps) + "/many-1"); }},
      {{"get, 32 clients", 32, 40'000},
       [](int i) { return get(std::string(kConfigMaps) + "/many-" + std::to_string(i % kListed)); }},
      {{"list " + std::to_string(kListed + 500) + ", 1 client", 1, 40}, [](int) { return get(kConfigMaps); }},
      {{"list " + std::to_string(kListed + 500) + ", 4 clients", 4, 160},
       [](int) { return get(kConfigMaps); }},
  };
  std::vector<Line> lines;
  for (const auto& [load, make] : loads) {
    const Duration before = (*daemon)->cpu_time();
    auto line = run_load(executor, *options, load, make);
    if (!line) return line.error();
    line->rss_mb = (*daemon)->resident_mb();
    line->cpu_us = std::chrono::duration<double, std::micro>((*daemon)->cpu_time() - before).count() /
                   static_cast<double>(load.requests);
    lines.push_back(*std::move(line));
  }
  auto watches = run_watches(executor, *options, **daemon);
  if (!watches) return watches.error();
  lines.push_back(*std::move(watches));
  return lines;
}

}  // namespace flotilla::bench
