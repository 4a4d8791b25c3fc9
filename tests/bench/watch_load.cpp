// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/watch_load.hpp"

#include <sys/resource.h>

#include <algorithm>

#include <atomic>
#include <mutex>

#include "core/async/event.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/daemon/wait.hpp"

namespace flotilla::bench {
namespace {

constexpr int kWatches = 1000;
constexpr int kEvents = 20;
constexpr const char* kLeases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";

struct Round {
  std::atomic<int> opened{0};
  std::atomic<int> received{0};
  std::atomic<SteadyTime::rep> sent{0};
  std::mutex mutex;
  std::vector<Duration> times;
  std::string failure;
  Event changed;
};

void fail(Round& round, const std::string& why) {
  std::lock_guard lock(round.mutex);
  round.failure = why;
  round.changed.notify();
}

// Until `what` has reached `count`, or a failure.
Task<void> until(std::atomic<int>& what, int count, Round& round) {
  for (;;) {
    const auto seen = round.changed.version();
    {
      std::lock_guard lock(round.mutex);
      if (what >= count || !round.failure.empty()) co_return;
    }
    auto waiting = round.changed.wait_past_for(seen, std::chrono::seconds(1));
    co_await std::move(waiting);
  }
}

Task<void> watch_all(const Executor& executor, http::Client& client, Round& round) {
  http::ClientRequest request;
  request.target = std::string(kLeases) + "?watch=true&timeoutSeconds=300";
  auto opening = client.open(std::move(request));
  auto stream = co_await std::move(opening);
  if (!stream || (*stream)->status() != 200) {
    fail(round, stream ? "status " + std::to_string((*stream)->status()) : stream.error().message());
    co_return;
  }
  if (++round.opened == kWatches) round.changed.notify();
  for (int seen = 0; seen < kEvents;) {
    auto reading = (*stream)->read(std::chrono::seconds(60));
    const auto text = co_await std::move(reading);
    if (!text || text->empty()) {
      fail(round, text ? "a watch ended" : text.error().message());
      co_return;
    }
    const SteadyTime now = executor.clock().steady_now();
    const Duration took = now.time_since_epoch() - SteadyTime::duration(round.sent.load());
    seen += static_cast<int>(std::count(text->begin(), text->end(), '\n'));
    {
      std::lock_guard lock(round.mutex);
      round.times.push_back(took);
    }
    if (++round.received % kWatches == 0) round.changed.notify();
  }
  // Nobody hangs up while others still wait for the last event.
  auto ending = until(round.received, kEvents * kWatches, round);
  co_await std::move(ending);
}

Task<void> write_events(const Executor& executor, http::Client& client, Round& round) {
  auto opening = until(round.opened, kWatches, round);
  co_await std::move(opening);
  for (int i = 0; i < kEvents && round.failure.empty(); ++i) {
    http::ClientRequest request;
    request.method = "POST";
    request.target = kLeases;
    request.headers.add("Content-Type", "application/json");
    request.body =
        R"({"metadata":{"name":"event-)" + std::to_string(i) + R"("},"spec":{"holderIdentity":"bench"}})";
    round.sent = executor.clock().steady_now().time_since_epoch().count();
    auto sending = client.send(std::move(request));
    const auto answer = co_await std::move(sending);
    if (!answer || answer->status != 201) {
      fail(round, answer ? answer->body : answer.error().message());
      co_return;
    }
    auto arriving = until(round.received, (i + 1) * kWatches, round);
    co_await std::move(arriving);
  }
}

}  // namespace

Result<Line> run_watches(const Executor& executor, const http::ClientOptions& options,
                         const DaemonProcess& daemon) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  http::Client client(executor, options);
  Round round;
  FiberScope scope(executor.strand(), "watches");
  for (int i = 0; i < kWatches; ++i) {
    scope.spawn_on(executor.strand(), watch_all(executor, client, round));
  }
  auto opening = until(round.opened, kWatches, round);
  daemon::wait_for(executor, std::move(opening));
  const double resident = daemon.resident_mb();
  const Duration cpu_before = daemon.cpu_time();
  const SteadyTime began = executor.clock().steady_now();
  scope.spawn_on(executor.strand(), write_events(executor, client, round));
  scope.join_blocking();
  if (!round.failure.empty()) return internal("watch: " + round.failure);
  const Duration total = executor.clock().steady_now() - began;
  Line line = summarize("1 event to 1000 watches", std::move(round.times), total);
  line.rss_mb = resident;
  line.cpu_us =
      std::chrono::duration<double, std::micro>(daemon.cpu_time() - cpu_before).count() / line.count;
  return line;
}

}  // namespace flotilla::bench
