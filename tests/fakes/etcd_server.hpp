// SPDX-License-Identifier: Apache-2.0
// Real etcd for tests: one process per member on the loopback, its data in a folder of its own. All are ended
// with this object. Debian: etcd-server.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace flotilla::fakes {

// A port that was free a moment ago.
int free_port();

class EtcdCluster {
 public:
  struct Options {
    int members = 1;
    std::vector<std::string> args;       // for every member, after ours
    std::string client_scheme = "http";  // https: args bring the certificates
    int heartbeat_ms = 50;
    int election_ms = 500;
  };
  EtcdCluster() : EtcdCluster(Options()) {}
  // Starts them. Throws std::runtime_error when etcd is not installed or does not come up.
  explicit EtcdCluster(Options options);
  ~EtcdCluster();
  EtcdCluster(const EtcdCluster&) = delete;
  EtcdCluster& operator=(const EtcdCluster&) = delete;

  int size() const { return static_cast<int>(members_.size()); }
  std::string endpoint(int member = 0) const;  // "127.0.0.1:PORT"
  // {"endpoints": [...], "prefix": PREFIX, MORE}
  std::string config(const std::string& prefix, const std::string& more = {}) const;
  std::string log(int member = 0) const;

  void kill(int member = 0);  // -9
  void start(int member = 0);
  void pause(int member = 0);
  void resume(int member = 0);
  // Runs etcdctl with these arguments against all members; its output. Throws when it fails.
  std::string etcdctl(const std::string& arguments, const std::string& environment = {}) const;

 private:
  struct Member {
    int client_port = 0;
    int peer_port = 0;
    pid_t pid = 0;
  };
  std::string name(int member) const { return "m" + std::to_string(member); }
  void wait_until_up(int member);

  const Options options_;
  std::string folder_;
  std::vector<Member> members_;
};

}  // namespace flotilla::fakes
