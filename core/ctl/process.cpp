// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <thread>

#include "core/ctl/kubeconfig.hpp"

extern char** environ;

namespace flotilla::ctl {
namespace {

namespace fs = std::filesystem;

// The last line the daemon wrote that says what is wrong.
std::string last_words(const std::string& log_path) {
  const Result<std::string> log = read_file(log_path);
  if (!log) return "no log";
  std::string text = *log;
  text.erase(text.find_last_not_of('\n') + 1);
  const std::size_t error = text.rfind("error: ");
  if (error != std::string::npos) return text.substr(error + 7);
  const std::size_t line = text.rfind('\n');
  return line == std::string::npos ? text : text.substr(line + 1);
}

Result<std::string> read_line(int file, Duration timeout) {
  const SystemClock clock;
  const SteadyTime until = clock.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(timeout);
  std::string line;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - clock.steady_now()).count();
    if (left <= 0) return Error(Code::Timeout, "it is not ready after " + format_duration(timeout));
    pollfd waiting{file, POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(left)) <= 0) continue;
    std::array<char, 512> buffer;
    const ssize_t size = read(file, buffer.data(), buffer.size());
    if (size <= 0) return Error(Code::Unavailable, "it ended");
    line.append(buffer.data(), static_cast<std::size_t>(size));
    if (const std::size_t end = line.find('\n'); end != std::string::npos) return line.substr(0, end);
  }
}

}  // namespace

Result<std::string> sibling_program(const std::string& name) {
  std::error_code failed;
  const fs::path self = fs::read_symlink("/proc/self/exe", failed);
  const fs::path beside = self.parent_path() / name;
  if (failed || !fs::exists(beside)) {
    return Error(Code::NotFound,
                 fmt::format("{} is not beside {}; install or build it", name, self.string()));
  }
  return beside.string();
}

Result<StartedDaemon> start_daemon(const std::vector<std::string>& command, const std::string& log_path,
                                   Duration timeout) {
  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0) return Error(Code::Internal, std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0644);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  StartedDaemon started;
  const int failed =
      posix_spawn(&started.pid, command[0].c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(out[1]);
  if (failed != 0) {
    close(out[0]);
    return Error(Code::Internal, fmt::format("start {}: {}", command[0], std::strerror(failed)));
  }
  Result<std::string> line = read_line(out[0], timeout);
  close(out[0]);
  if (line) {
    started.ready_line = std::move(*line);
    return started;
  }
  if (line.error().is(Code::Timeout)) {
    ask_to_stop(started.pid);
    await_end(started.pid, std::chrono::seconds(1));
  }
  waitpid(started.pid, nullptr, WNOHANG);
  return Error(line.error().code(), fmt::format("{}\n  log: {}", last_words(log_path), log_path));
}

std::optional<pid_t> running(const std::string& pid_path, const std::string& program) {
  const Result<std::string> text = read_file(pid_path);
  if (!text) return std::nullopt;
  pid_t pid = 0;
  std::from_chars(text->data(), text->data() + text->size(), pid);
  if (pid <= 0 || kill(pid, 0) != 0) return std::nullopt;
  std::error_code failed;
  std::string path = fs::read_symlink(fmt::format("/proc/{}/exe", pid), failed);
  // A program that was rebuilt since then is still that program.
  if (path.ends_with(" (deleted)")) path.resize(path.size() - std::strlen(" (deleted)"));
  if (failed || fs::path(path).filename() != fs::path(program).filename()) return std::nullopt;
  return pid;
}

void ask_to_stop(pid_t pid) {
  kill(pid, SIGTERM);
}

bool await_end(pid_t pid, Duration timeout) {
  const SystemClock clock;
  const SteadyTime until = clock.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(timeout);
  const auto gone = [&] { return waitpid(pid, nullptr, WNOHANG) == pid || kill(pid, 0) != 0; };
  while (clock.steady_now() < until) {
    if (gone()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  kill(pid, SIGKILL);
  while (!gone()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return false;
}

std::size_t resident_bytes(pid_t pid) {
  const Result<std::string> statm = read_file(fmt::format("/proc/{}/statm", pid));
  if (!statm) return 0;
  const std::size_t space = statm->find(' ');
  std::size_t pages = 0;
  if (space != std::string::npos)
    std::from_chars(statm->data() + space + 1, statm->data() + statm->size(), pages);
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace flotilla::ctl
