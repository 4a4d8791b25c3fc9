// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/lab.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <thread>

#include "core/ctl/join.hpp"
#include "core/ctl/process.hpp"
#include "core/ctl/session.hpp"
#include "core/ctl/terminal.hpp"
#include "core/http/url.hpp"

namespace flotilla::ctl {
namespace {

namespace fs = std::filesystem;
using api::Json;

constexpr const char* kProgram = "flotillad";
constexpr const char* kMarker = ".flotilla-lab";
constexpr auto kStartTimeout = std::chrono::seconds(30);
constexpr auto kStopTimeout = std::chrono::seconds(6);
constexpr auto kReadyTimeout = std::chrono::seconds(60);

std::string member_name(int number) {
  return fmt::format("member{}", number);
}

// The port of the last time, so that a restarted node is where its kubeconfig says.
std::string last_port(const std::string& admin_kubeconfig) {
  const Result<Kubeconfig> kept = Kubeconfig::read(admin_kubeconfig);
  if (!kept) return "0";
  const Result<Access> access = kept->access();
  if (!access) return "0";
  const Result<http::Url> url = http::Url::parse(access->server);
  return url ? std::to_string(url->port) : "0";
}

bool is_ready(const Json& cluster) {
  for (const Json& condition : cluster["status"]["conditions"].elements()) {
    if (condition["type"].as_string() == "Ready") return condition["status"].as_string() == "True";
  }
  return false;
}

}  // namespace

Lab::Lab(std::string directory) : directory_(fs::absolute(directory).lexically_normal().string()) {}

bool Lab::exists() const {
  return fs::exists(directory_ + "/" + kMarker);
}

Status Lab::up(int members, bool quiet) {
  std::error_code failed;
  if (fs::exists(directory_) && !fs::is_empty(directory_, failed) && !exists()) {
    return Error(Code::Conflict, fmt::format("{} is there and is no lab; choose another --dir", directory_));
  }
  fs::create_directories(directory_ + "/logs", failed);
  if (failed) return Error(Code::Invalid, fmt::format("{}: {}", directory_, failed.message()));
  if (Status status = write_file(directory_ + "/" + kMarker, "made by flotillactl lab up\n"); !status)
    return status;

  if (Status status = start(kControlPlaneContext, false, quiet); !status) return status;
  for (int i = 1; i <= members; ++i) {
    if (Status status = start(member_name(i), true, quiet); !status) return status;
  }
  if (Status status = write_kubeconfig(members); !status) return status;
  for (int i = 1; i <= members; ++i) {
    if (Status status = join_member(member_name(i), quiet); !status) return status;
  }
  return {};
}

Status Lab::start(const std::string& name, bool is_member, bool quiet) {
  Stage stage(is_member ? "simulated cluster " + name : "control plane", quiet);
  const Result<std::string> program = sibling_program(kProgram);
  if (!program) return program.error();
  if (running(pid_path(name), *program)) {
    stage.done("is running");
    return {};
  }
  const std::string log = fmt::format("{}/logs/{}.log", directory_, name);
  const std::string port = last_port(folder(name) + "/admin.kubeconfig");
  std::vector<std::string> command{*program, "--data-dir", folder(name), "--listen", "127.0.0.1:" + port};
  // A member keeps its objects too: a lab survives the machine's restart.
  if (is_member) command.insert(command.end(), {"--profile", "member", "--storage", "sqlite"});
  Result<StartedDaemon> started = start_daemon(command, log, kStartTimeout);
  if (!started && port != "0" && started.error().message().find("in use") != std::string::npos) {
    command[4] = "127.0.0.1:0";
    started = start_daemon(command, log, kStartTimeout);
  }
  if (!started) return std::move(started).context(name);
  const std::size_t url = started->ready_line.find("https://");
  const std::string_view rest =
      url == std::string::npos ? "" : std::string_view(started->ready_line).substr(url);
  stage.done(fmt::format("started  {}", rest.substr(0, rest.find(' '))));
  return {};
}

Status Lab::write_kubeconfig(int members) const {
  Kubeconfig merged;
  std::vector<std::string> names{kControlPlaneContext};
  for (int i = 1; i <= members; ++i) names.push_back(member_name(i));
  for (const std::string& name : names) {
    const Result<Kubeconfig> own = Kubeconfig::read(folder(name) + "/admin.kubeconfig");
    if (!own) return own.error();
    const Result<Access> access = own->access();
    if (!access) return access.error();
    merged.put(name, *access);
  }
  return merged.write(kubeconfig_path());
}

Status Lab::join_member(const std::string& name, bool quiet) {
  Stage stage("cluster " + name, quiet);
  const Result<Kubeconfig> config = Kubeconfig::read(kubeconfig_path());
  if (!config) return config.error();
  const Result<Access> plane_access = config->access(kControlPlaneContext);
  const Result<Access> member_access = config->access(name);
  if (!plane_access) return plane_access.error();
  if (!member_access) return member_access.error();
  Session plane(*plane_access);
  const std::string path = "/apis/cluster.karmada.io/v1alpha1/clusters/" + name;
  const Result<Json> known = plane.get(path);
  if (!known && !known.error().is(Code::NotFound)) return known.error();
  const bool current = known && (*known)["spec"]["apiEndpoint"].as_string() == member_access->server;
  if (!current) {
    stage.note("joining");
    Session member(*member_access);
    JoinRequest request;
    request.name = name;
    request.renew = known.ok();
    if (Status status = join(plane, member, request); !status)
      return std::move(status).context("join " + name);
  }
  stage.note("waiting for it to be ready");
  const SystemClock clock;
  const SteadyTime until = clock.steady_now() + kReadyTimeout;
  for (;;) {
    const Result<Json> cluster = plane.get(path);
    if (!cluster) return cluster.error();
    if (is_ready(*cluster)) break;
    if (clock.steady_now() > until) {
      return Error(Code::Timeout,
                   fmt::format("cluster {} is not Ready after 60 s; see flotillactl get clusters and {}/logs",
                               name, directory_));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  stage.done(current ? "has joined and is ready" : "joined and is ready");
  return {};
}

std::vector<LabNode> Lab::nodes() const {
  std::vector<std::string> names;
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_, failed)) {
    if (fs::exists(entry.path() / "flotillad.pid")) names.push_back(entry.path().filename());
  }
  // The control plane first, then members by number.
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    const bool plane_a = a == kControlPlaneContext, plane_b = b == kControlPlaneContext;
    if (plane_a != plane_b) return plane_a;
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  std::vector<LabNode> nodes;
  for (const std::string& name : names) {
    LabNode node;
    node.name = name;
    if (const auto pid = running(pid_path(name), kProgram)) {
      node.pid = *pid;
      node.resident_bytes = resident_bytes(*pid);
    }
    if (const auto own = Kubeconfig::read(folder(name) + "/admin.kubeconfig")) {
      if (const auto access = own->access()) node.server = access->server;
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

Status Lab::down(bool keep, bool quiet) {
  if (!exists()) return {};
  const std::vector<LabNode> all = nodes();
  for (const LabNode& node : all) {
    if (node.pid) ask_to_stop(*node.pid);
  }
  for (const LabNode& node : all) {
    if (!node.pid) continue;
    Stage stage(node.name, quiet);
    stage.done(await_end(*node.pid, kStopTimeout) ? "stopped" : "killed, it did not stop by itself");
  }
  if (keep) return {};
  std::error_code failed;
  fs::remove_all(directory_, failed);
  if (failed) return Error(Code::Invalid, fmt::format("remove {}: {}", directory_, failed.message()));
  return {};
}

}  // namespace flotilla::ctl
