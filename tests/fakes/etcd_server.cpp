// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/etcd_server.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace flotilla::fakes {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

bool accepts(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

}  // namespace

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no free port");
  ::close(fd);
  return ntohs(address.sin_port);
}

EtcdCluster::EtcdCluster(Options options)
    : options_(std::move(options)),
      folder_((std::filesystem::temp_directory_path() / "etcd-XXXXXX").string()) {
  if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("cannot make a folder for etcd");
  for (int i = 0; i < options_.members; ++i) members_.push_back({free_port(), free_port(), 0});
  // All before the first is waited for: a member alone waits for the others.
  for (int i = 0; i < options_.members; ++i) start(i);
  for (int i = 0; i < options_.members; ++i) wait_until_up(i);
}

EtcdCluster::~EtcdCluster() {
  for (int i = 0; i < size(); ++i) kill(i);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string EtcdCluster::endpoint(int member) const {
  return "127.0.0.1:" + std::to_string(members_[static_cast<std::size_t>(member)].client_port);
}

std::string EtcdCluster::config(const std::string& prefix, const std::string& more) const {
  std::string all;
  for (int i = 0; i < size(); ++i)
    all += (all.empty() ? "\"" : ",\"") + options_.client_scheme + "://" + endpoint(i) + "\"";
  return R"({"endpoints":[)" + all + R"(],"prefix":")" + prefix + "\"" + (more.empty() ? "" : "," + more) +
         "}";
}

std::string EtcdCluster::log(int member) const {
  std::ifstream file(folder_ + "/" + name(member) + ".log");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void EtcdCluster::start(int member) {
  Member& own = members_[static_cast<std::size_t>(member)];
  std::string peers;
  for (int i = 0; i < size(); ++i) {
    peers += (peers.empty() ? "" : ",") + name(i) +
             "=http://127.0.0.1:" + std::to_string(members_[static_cast<std::size_t>(i)].peer_port);
  }
  const std::string client = options_.client_scheme + "://" + endpoint(member);
  const std::string peer = "http://127.0.0.1:" + std::to_string(own.peer_port);
  std::vector<std::string> args = {"etcd",
                                   "--name",
                                   name(member),
                                   "--data-dir",
                                   folder_ + "/" + name(member),
                                   "--listen-client-urls",
                                   client,
                                   "--advertise-client-urls",
                                   client,
                                   "--listen-peer-urls",
                                   peer,
                                   "--initial-advertise-peer-urls",
                                   peer,
                                   "--initial-cluster",
                                   peers,
                                   "--initial-cluster-state",
                                   "new",
                                   "--heartbeat-interval",
                                   std::to_string(options_.heartbeat_ms),
                                   "--election-timeout",
                                   std::to_string(options_.election_ms),
                                   "--logger",
                                   "zap",
                                   "--log-level",
                                   "warn"};
  args.insert(args.end(), options_.args.begin(), options_.args.end());
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  const std::string log = folder_ + "/" + name(member) + ".log";
  own.pid = ::fork();
  if (own.pid == 0) {
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execvp("etcd", argv.data());
    std::perror("etcd");
    ::_exit(127);
  }
  if (size() == 1) wait_until_up(member);
}

void EtcdCluster::wait_until_up(int member) {
  Member& own = members_[static_cast<std::size_t>(member)];
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!accepts(own.client_port)) {
    if (::waitpid(own.pid, nullptr, WNOHANG) == own.pid) {
      own.pid = 0;
      throw std::runtime_error("etcd ended: " + log(member));
    }
    if (std::chrono::steady_clock::now() > until)
      throw std::runtime_error("etcd does not come up: " + log(member));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void EtcdCluster::kill(int member) {
  Member& own = members_[static_cast<std::size_t>(member)];
  if (own.pid <= 0) return;
  ::kill(own.pid, SIGKILL);
  ::waitpid(own.pid, nullptr, 0);
  own.pid = 0;
}

void EtcdCluster::pause(int member) {
  ::kill(members_[static_cast<std::size_t>(member)].pid, SIGSTOP);
}

void EtcdCluster::resume(int member) {
  ::kill(members_[static_cast<std::size_t>(member)].pid, SIGCONT);
}

std::string EtcdCluster::etcdctl(const std::string& arguments, const std::string& environment) const {
  std::string all;
  for (int i = 0; i < size(); ++i)
    all += (all.empty() ? "" : ",") + options_.client_scheme + "://" + endpoint(i);
  const std::string command =
      environment + " ETCDCTL_API=3 ETCDCTL_ENDPOINTS=" + all + " etcdctl " + arguments + " 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("etcdctl cannot be run");
  std::string out;
  std::array<char, 4096> buffer;
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    out.append(buffer.data(), n);
  if (::pclose(pipe) != 0) throw std::runtime_error("etcdctl " + arguments + ": " + out);
  return out;
}

}  // namespace flotilla::fakes
