// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/fleet.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "core/api/conditions.hpp"
#include "core/cluster/endpoint.hpp"
#include "core/controllers/kinds.hpp"
#include "core/ctl/kubeconfig.hpp"
#include "core/daemon/daemon.hpp"
#include "core/daemon/wait.hpp"
#include "core/store/writer.hpp"

namespace flotilla::bench {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr auto kPause = std::chrono::milliseconds(2);

std::string beside_this_program(const char* name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

Error system_error(const std::string& doing) {
  return internal(doing + ": " + std::strerror(errno));
}

// The first line of the child's output; empty when it ends before.
std::string read_line(int fd) {
  std::string line;
  for (char c = 0; read(fd, &c, 1) == 1 && c != '\n';) line += c;
  return line;
}

bool is_ready(const api::Json& cluster) {
  return api::is_condition_true(cluster["status"]["conditions"], api::conditions::kReady) &&
         cluster["spec"]["taints"].empty();
}

}  // namespace

ScratchDir::ScratchDir() {
  std::string pattern = std::filesystem::temp_directory_path() / "flotilla-bench-XXXXXX";
  const char* made = mkdtemp(pattern.data());
  ASSERT(made != nullptr);
  path_ = made;
}

ScratchDir::~ScratchDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

config::Settings control_plane_in(const std::string& dir) {
  config::Settings settings;
  settings.data_dir = dir;
  settings.listen = "127.0.0.1:0";
  settings.log.level = "error";
  return settings;
}

Result<http::ClientOptions> client_of(const std::string& kubeconfig) {
  auto file = ctl::Kubeconfig::read(kubeconfig);
  if (!file) return file.error();
  auto access = file->access();
  if (!access) return access.error();
  http::ClientOptions options;
  options.base_url = access->server;
  options.ca_pem = access->ca_pem;
  options.client_certificate_pem = access->client_certificate_pem;
  options.client_key_pem = access->client_key_pem;
  options.max_connections = 64;
  return options;
}

Task<Status> send(http::Client& client, std::string method, std::string path, std::string body) {
  http::ClientRequest request;
  const std::string what = method + " " + path;
  request.headers.add("Content-Type",
                      method == "PATCH" ? "application/merge-patch+json" : "application/json");
  request.method = std::move(method);
  request.target = std::move(path);
  request.body = std::move(body);
  auto sending = client.send(std::move(request));
  const auto answer = co_await std::move(sending);
  if (!answer) co_return answer.error();
  if (answer->status >= 300)
    co_return internal(what + " answered " + std::to_string(answer->status) + ": " + answer->body);
  co_return Status();
}

Result<std::unique_ptr<DaemonProcess>> DaemonProcess::start(const std::string& dir) {
  const std::string program = beside_this_program("flotillad");
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return system_error("pipe");
  const SystemClock clock;
  const SteadyTime began = clock.steady_now();
  const pid_t pid = fork();
  if (pid < 0) return system_error("fork");
  if (pid == 0) {
    dup2(pipe_fds[1], STDOUT_FILENO);
    execl(program.c_str(), program.c_str(), "--data-dir", dir.c_str(), "--listen", "127.0.0.1:0", "--set",
          "log.level=error", nullptr);
    _exit(127);
  }
  close(pipe_fds[1]);
  std::unique_ptr<DaemonProcess> made(new DaemonProcess(pid, pipe_fds[0]));
  const std::string line = read_line(pipe_fds[0]);
  made->until_ready_ = clock.steady_now() - began;
  const auto at = line.find("kubeconfig=");
  if (!line.starts_with("ready ") || at == std::string::npos) {
    return internal(program + " did not become ready: \"" + line + "\"");
  }
  made->kubeconfig_ = line.substr(at + 11);
  return made;
}

DaemonProcess::~DaemonProcess() {
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
  close(output_);
}

double DaemonProcess::resident_mb() const {
  std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
  std::int64_t size = 0;
  std::int64_t resident = 0;
  statm >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

Duration DaemonProcess::cpu_time() const {
  std::ifstream stat("/proc/" + std::to_string(pid_) + "/stat");
  std::string text;
  std::getline(stat, text);
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  fields >> user >> system;
  return std::chrono::nanoseconds(std::chrono::seconds(1)) * (user + system) / sysconf(_SC_CLK_TCK);
}

Status attach_members(daemon::Daemon& fleet, int count) {
  using controllers::kinds::kCluster;
  for (int i = 1; i <= count; ++i) {
    const std::string name = "member" + std::to_string(i);
    api::Json cluster = api::Json::object(
        {{"apiVersion", api::versions::kCluster},
         {"kind", "Cluster"},
         {"metadata", api::Json::object(
                          {{"name", name},
                           {"annotations", api::Json::object({{cluster::kDriverAnnotation, "simulated"}})}})},
         {"spec", api::Json::object({{"syncMode", "Push"}, {"apiEndpoint", "simulated://" + name}})}});
    auto creating = fleet.writer().create(kCluster, std::move(cluster));
    const auto created = daemon::wait_for(fleet.executor(), std::move(creating));
    if (!created) return created.error();
  }
  const Clock& clock = fleet.executor().clock();
  const SteadyTime end = clock.steady_now() + kPatience;
  for (int i = 1; i <= count;) {
    const auto cluster = fleet.store().get(kCluster.collection(), "", "member" + std::to_string(i));
    if (cluster && is_ready(*cluster->content())) {
      ++i;
    } else if (clock.steady_now() > end) {
      return Error(Code::Timeout, "member" + std::to_string(i) + " did not become Ready: " +
                                      (cluster ? std::string(cluster->bytes()) : "gone"));
    } else {
      std::this_thread::sleep_for(kPause);
    }
  }
  return {};
}

api::Json config_map(const std::string& name, std::size_t bytes) {
  return api::Json::object({{"apiVersion", "v1"},
                            {"kind", "ConfigMap"},
                            {"metadata", api::Json::object({{"name", name}, {"namespace", "default"}})},
                            {"data", api::Json::object({{"value", std::string(bytes, 'x')}})}});
}

}  // namespace flotilla::bench
