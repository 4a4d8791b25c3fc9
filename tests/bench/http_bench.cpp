// SPDX-License-Identifier: Apache-2.0
// HTTPS over the loopback, server and clients in this process: small answers to many, a large one to one.
#include <mutex>

#include "core/async/fiber_scope.hpp"
#include "core/http/http.hpp"
#include "core/http/x509.hpp"
#include "tests/bench/bench.hpp"

namespace flotilla::bench {

namespace {

using http::Chunk;

struct Answers {
  std::shared_ptr<const std::string> small = std::make_shared<const std::string>(1024, 's');
  std::shared_ptr<const std::string> item = std::make_shared<const std::string>(1150, 'i');
};

// 6,500 objects of 1,150 bytes: a LIST of 7.5 MB.
Task<http::Response> answer(std::shared_ptr<const Answers> answers, http::Request request) {
  http::Response response;
  response.headers.add("Content-Type", "application/json");
  if (request.path == "/list") {
    response.body.reserve(13'000);
    for (int i = 0; i < 6500; ++i) {
      response.body.push_back({answers->item, *answers->item});
      response.body.push_back(Chunk::of_static(","));
    }
  } else {
    response.body.push_back({answers->small, *answers->small});
  }
  co_return response;
}

struct Times {
  std::mutex mutex;
  std::vector<Duration> all;
  std::int64_t failures = 0;
};

Task<void> ask_many(http::Client& client, const Clock& clock, std::string target, int count, Times& times) {
  std::vector<Duration> own;
  std::int64_t failures = 0;
  for (int i = 0; i < count; ++i) {
    http::ClientRequest request;
    request.target = target;
    const SteadyTime before = clock.steady_now();
    auto sending = client.send(std::move(request));
    const auto got = co_await std::move(sending);
    own.push_back(clock.steady_now() - before);
    if (!got || got->status != 200) ++failures;
  }
  std::lock_guard lock(times.mutex);
  times.all.insert(times.all.end(), own.begin(), own.end());
  times.failures += failures;
}

}  // namespace

Result<std::vector<Line>> run_http() {
  const SystemClock clock;
  const auto authority = http::make_authority("bench-ca", {clock.now()});
  if (!authority) return authority.error();
  const auto identity = http::sign_server(*authority, "bench", {"127.0.0.1"}, {clock.now()});
  if (!identity) return identity.error();
  Executor executor(clock);
  http::ServerOptions options;
  options.identity = {identity->certificate_pem, identity->key_pem};
  const auto answers = std::make_shared<const Answers>();
  http::Server server(executor, options,
                      [answers](http::Request request) { return answer(answers, std::move(request)); });
  if (Status started = server.start(); !started) return started.error();
  http::ClientOptions client_options;
  client_options.base_url = "https://127.0.0.1:" + std::to_string(server.port());
  client_options.ca_pem = authority->certificate_pem;
  client_options.max_connections = 32;
  http::Client client(executor, client_options);

  std::vector<Line> lines;
  const auto run = [&](const std::string& work, const std::string& target, int clients, int count) {
    Times times;
    const SteadyTime before = clock.steady_now();
    FiberScope scope(executor.strand(), "bench");
    for (int i = 0; i < clients; ++i) {
      scope.spawn_on(executor.strand(), ask_many(client, clock, target, count, times));
    }
    scope.join_blocking();
    lines.push_back(summarize(work, std::move(times.all), clock.steady_now() - before));
    if (times.failures > 0) lines.back().work += " (" + std::to_string(times.failures) + " failed)";
  };
  run("https get 1 KiB, warm up", "/small", 32, 50);
  lines.clear();
  run("https get 1 KiB, 1 client", "/small", 1, 1000);
  run("https get 1 KiB, 32 clients", "/small", 32, 500);
  run("https list 7.5 MB, 1 client", "/list", 1, 20);
  server.stop(std::chrono::seconds(1));
  return lines;
}

}  // namespace flotilla::bench
