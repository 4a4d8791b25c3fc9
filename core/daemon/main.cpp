// SPDX-License-Identifier: Apache-2.0
// flotillad: parses, composes, waits for a signal, drains. Exit codes: 0 ended in order, 1 could not start,
// 64 usage.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <thread>

#include "core/base/memory.hpp"
#include "core/daemon/agent.hpp"
#include "core/daemon/daemon.hpp"
#include "core/daemon/options.hpp"

namespace {

using flotilla::Status;

// Another daemon leads: this one starts anew, in the same process and at the same address.
constexpr int kLost = SIGUSR1;

// Signals are taken by sigwait alone; every thread inherits the mask.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, kLost);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file at its limit is an error of the write, as a full disk is
  return set;
}

// Every client is an open file: as many as the system lets us have.
void raise_file_limit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

int fail(const char* what) {
  std::fprintf(stderr, "error: %s\n", what);
  return 1;
}

// A second signal, or a drain that takes too long, ends the process at once.
void end_anyway(sigset_t set) {
  const timespec limit{4, 500'000'000};
  sigtimedwait(&set, nullptr, &limit);
  std::_Exit(0);
}

// The signal that ended the wait.
int wait_for_signal(const sigset_t& signals) {
  const timespec settled{1, 0};
  int signal = sigtimedwait(&signals, nullptr, &settled);
  if (signal > 0) return signal;
  flotilla::give_back_program();
  sigwait(&signals, &signal);
  return signal;
}

int run_agent(flotilla::config::Settings settings) {
  const sigset_t signals = block_signals();
  raise_file_limit();
  const flotilla::SystemClock clock;
  const std::string cluster = settings.agent.cluster_name;
  flotilla::daemon::Agent agent(std::move(settings), clock);
  if (const Status status = agent.start(); !status) return fail(status.error().message().c_str());
  std::printf("ready agent of %s control-plane=%s health=%s\n", cluster.c_str(),
              agent.control_plane().c_str(), agent.health_url().c_str());
  std::fflush(stdout);
  const timespec look{0, 200'000'000};
  std::optional<flotilla::Error> failure;
  while (sigtimedwait(&signals, nullptr, &look) < 0 && !(failure = agent.failure())) {
  }
  std::thread(end_anyway, signals).detach();
  agent.stop();
  return failure ? fail(failure->message().c_str()) : 0;
}

int run(flotilla::config::Settings settings) {
  const sigset_t signals = block_signals();
  raise_file_limit();
  const flotilla::SystemClock clock;
  for (bool first = true;; first = false) {
    flotilla::daemon::Daemon daemon(settings, clock);
    daemon.on_lost([] { kill(getpid(), kLost); });
    if (const Status status = daemon.start(); !status) {
      if (first) return fail(status.error().message().c_str());
      std::fprintf(stderr, "cannot start anew yet: %s\n", status.error().message().c_str());
      daemon.stop();
      const timespec pause{1, 0};
      const int signal = sigtimedwait(&signals, nullptr, &pause);
      if (signal > 0 && signal != kLost) return 0;
      continue;
    }
    std::printf("ready %s kubeconfig=%s\n", daemon.url().c_str(), daemon.kubeconfig_path().c_str());
    std::fflush(stdout);
    if (wait_for_signal(signals) != kLost) {
      std::thread(end_anyway, signals).detach();
      daemon.stop();
      return 0;
    }
    settings.listen = daemon.listens_at();
    daemon.stop(std::chrono::milliseconds(200));
  }
}

}  // namespace

int main(int argc, char** argv) {
  flotilla::daemon::ParsedOptions parsed = flotilla::daemon::parse_options(argc, argv);
  if (!parsed.options) return parsed.exit_code;
  if (parsed.options->check_config) {
    std::printf("configuration ok\n");
    return 0;
  }
  try {
    flotilla::config::Settings& settings = parsed.options->settings;
    return settings.is_agent() ? run_agent(std::move(settings)) : run(std::move(settings));
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}
