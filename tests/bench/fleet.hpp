// SPDX-License-Identifier: Apache-2.0
// What the benchmarks of a running daemon share: one in this process, or the real binary beside this program.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/config/settings.hpp"
#include "core/http/http.hpp"

namespace flotilla::daemon {
class Daemon;
}

namespace flotilla::bench {

// A folder that goes with the object.
class ScratchDir {
 public:
  ScratchDir();
  ~ScratchDir();
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The configuration of a control plane in `dir`, on a free port of the loopback, logging errors alone.
config::Settings control_plane_in(const std::string& dir);

// How the administrator's client connects.
Result<http::ClientOptions> client_of(const std::string& kubeconfig);

// One request with a JSON body. Errors: what was answered instead of success.
Task<Status> send(http::Client& client, std::string method, std::string path, std::string body);

// A flotillad of its own process; ended with the object.
class DaemonProcess {
 public:
  // Starts it and waits for the ready line.
  static Result<std::unique_ptr<DaemonProcess>> start(const std::string& dir);
  ~DaemonProcess();
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;

  Duration until_ready() const { return until_ready_; }
  const std::string& kubeconfig() const { return kubeconfig_; }
  double resident_mb() const;
  // Of all its threads so far.
  Duration cpu_time() const;

 private:
  DaemonProcess(pid_t pid, int output) : pid_(pid), output_(output) {}

  pid_t pid_;
  int output_;
  Duration until_ready_{0};
  std::string kubeconfig_;
};

// Attaches `count` members of the driver "simulated", named member1.., and waits until each is Ready and
// untainted.
Status attach_members(daemon::Daemon& fleet, int count);

api::Json config_map(const std::string& name, std::size_t bytes = 64);

}  // namespace flotilla::bench
