// SPDX-License-Identifier: Apache-2.0
// flotilla-bench NAME [--backend BACKEND] [--json]: measures one thing and prints a table. Exit codes: 0, 1
// the benchmark failed, 64 there is no such benchmark.
#include <array>
#include <cstdio>
#include <string>
#include <string_view>

#include "tests/bench/bench.hpp"

namespace {

namespace bench = flotilla::bench;

constexpr std::array kBenches = {
    bench::Bench{"http", "HTTPS over the loopback: small answers and large lists", bench::run_http},
    bench::Bench{"propagation", "from apply to present in simulated members", bench::run_propagation},
    bench::Bench{"scale",
                 "5,000 templates to 3 members, a policy edit over 10,000, a start with 30,000 bindings",
                 bench::run_scale},
    bench::Bench{"plan", "plans of a template and of a policy, beside 100 and 10,000 templates",
                 bench::run_plan},
    bench::Bench{"api", "creates, gets and lists over HTTPS, sqlite with fsync", bench::run_api},
    bench::Bench{"memory", "resident memory, idle and with templates", bench::run_memory},
    bench::Bench{"startup", "time until flotillad serves", bench::run_startup},
    bench::Bench{"schedule", "one scheduling decision, by number of clusters and strategy",
                 bench::run_schedule},
    bench::Bench{"render", "the Works of one template under three override rules, by number of clusters",
                 bench::run_render},
    bench::Bench{"interpret", "one question to an interpreter, by script and natively", bench::run_interpret},
    bench::Bench{"store", "durable writes by number of clients, reads, start, memory per object",
                 bench::run_store},
    bench::Bench{"store-etcd", "commits to etcd beside a client that does nothing but send them",
                 bench::run_store_etcd},
    bench::Bench{"storage", "durable writes among a million objects, file size after minutes of churn",
                 bench::run_storage},
};

int usage(std::FILE* to, int code) {
  std::fputs("usage: flotilla-bench NAME [--backend BACKEND] [--json]\n", to);
  for (const bench::Bench& each : kBenches) {
    std::fprintf(to, "  %-12s %s\n", each.name.data(), each.summary.data());
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kUsage = 64;
  bool json = false;
  std::string name;
  std::string backend;
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") return usage(stdout, 0);
    if (argument == "--json") {
      json = true;
    } else if (argument == "--backend" && i + 1 < argc) {
      backend = argv[++i];
    } else if (name.empty() && !argument.starts_with("-")) {
      name = argument;
    } else {
      return usage(stderr, kUsage);
    }
  }
  if (!backend.empty() && backend != "sqlite") name += "-" + backend;
  for (const bench::Bench& each : kBenches) {
    if (each.name != name) continue;
    auto lines = each.run();
    if (!lines) {
      std::fprintf(stderr, "flotilla-bench: %s: %s\n", each.name.data(), lines.error().message().c_str());
      return 1;
    }
    std::fputs((json ? bench::as_json(*lines) : bench::as_table(*lines)).c_str(), stdout);
    return 0;
  }
  return usage(stderr, kUsage);
}
