// SPDX-License-Identifier: Apache-2.0
// What the real flotillad costs: time until it serves, and memory.
#include "core/async/executor.hpp"
#include "core/daemon/wait.hpp"
#include "core/http/http.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/fleet.hpp"

namespace flotilla::bench {
namespace {

constexpr int kStarts = 10;
constexpr int kTemplates = 2000;

Task<Status> create_templates(http::Client& client) {
  for (int i = 0; i < kTemplates; ++i) {
    http::ClientRequest request;
    request.method = "POST";
    request.target = "/api/v1/namespaces/default/configmaps";
    request.headers.add("Content-Type", "application/json");
    request.body = config_map("template-" + std::to_string(i), 900).dump();
    auto sending = client.send(std::move(request));
    const auto answer = co_await std::move(sending);
    if (!answer) co_return answer.error();
    if (answer->status >= 300) co_return internal(std::to_string(answer->status) + ": " + answer->body);
  }
  co_return Status();
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
  note("idle", 0);
  auto options = client_of((*daemon)->kubeconfig());
  if (!options) return options.error();
  const Executor executor(clock);
  http::Client client(executor, *std::move(options));
  const Status made = daemon::wait_for(executor, create_templates(client));
  client.close();
  if (!made) return made.error();
  note("after 2,000 templates of 1 KB", kTemplates);
  return lines;
}

}  // namespace flotilla::bench
