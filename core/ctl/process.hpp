// SPDX-License-Identifier: Apache-2.0
// Daemons that the lab starts and stops: children that outlive the command, found again by their pid files.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::ctl {

// The program that lies beside this one. Errors: NotFound.
Result<std::string> sibling_program(const std::string& name);

struct StartedDaemon {
  pid_t pid = 0;
  std::string ready_line;
};

// Starts it in a session of its own, with stderr in `log_path`, and waits for its first line on stdout.
// Errors: what the daemon said last, when it ends before; Timeout.
Result<StartedDaemon> start_daemon(const std::vector<std::string>& command, const std::string& log_path,
                                   Duration timeout);

// The pid in the file, if that process runs and is `program`.
std::optional<pid_t> running(const std::string& pid_path, const std::string& program);

// SIGTERM, once: a second one ends a daemon without draining.
void ask_to_stop(pid_t pid);
// Waits for the end, and kills after `timeout`. False: it had to be killed.
bool await_end(pid_t pid, Duration timeout);

// Resident memory, for status.
std::size_t resident_bytes(pid_t pid);

}  // namespace flotilla::ctl
