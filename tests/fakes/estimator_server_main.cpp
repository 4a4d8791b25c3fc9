// SPDX-License-Identifier: Apache-2.0
// flotilla-test-estimator FOLDER ADDRESS: serves until it is ended; prints "ready" when it does.
#include <signal.h>

#include <cstdio>

#include "tests/fakes/estimator_server.hpp"

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  const flotilla::fakes::EstimatorServer server(argv[1], argv[2]);
  std::puts("ready");
  std::fflush(stdout);
  int which = 0;
  sigwait(&ends, &which);
  return 0;
}
