// SPDX-License-Identifier: Apache-2.0
// A whole fleet in one folder: a control plane and simulated members as processes of their own, each with its
// HTTPS endpoint, all in one kubeconfig. What is running is left alone; what is missing is started; members
// that have not joined are joined.
//
//   DIR/kubeconfig            contexts flotilla, member1, member2, ...
//   DIR/flotilla/             data directory of the control plane
//   DIR/member1/              of a member
//   DIR/logs/member1.log
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/ctl/kubeconfig.hpp"

namespace flotilla::ctl {

inline constexpr const char* kControlPlaneContext = "flotilla";

struct LabNode {
  std::string name;  // "flotilla", "member1"
  std::optional<int> pid;
  std::string server;
  std::size_t resident_bytes = 0;
};

class Lab {
 public:
  explicit Lab(std::string directory);

  // Errors name the node and its log.
  Status up(int members, bool quiet);
  // `keep`: stops everything and keeps the data for the next up(). Else removes the folder too.
  Status down(bool keep, bool quiet);
  std::vector<LabNode> nodes() const;

  bool exists() const;
  std::string kubeconfig_path() const { return directory_ + "/kubeconfig"; }
  const std::string& directory() const { return directory_; }

 private:
  Status start(const std::string& name, bool is_member, bool quiet);
  Status join_member(const std::string& name, bool quiet);
  Status write_kubeconfig(int members) const;
  std::string folder(const std::string& name) const { return directory_ + "/" + name; }
  std::string pid_path(const std::string& name) const { return folder(name) + "/flotillad.pid"; }

  std::string directory_;
};

}  // namespace flotilla::ctl
