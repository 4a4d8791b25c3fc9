// SPDX-License-Identifier: Apache-2.0
// How an agent reaches its two clusters, read again when the files change: certificates and tokens are
// renewed while it runs.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "core/cluster/cluster_driver.hpp"
#include "core/config/settings.hpp"
#include "core/ctl/kubeconfig.hpp"
#include "core/http/http.hpp"

namespace flotilla::daemon {

http::ClientOptions client_options(const ctl::Access& access);
cluster::ClusterEndpoint endpoint_of(const std::string& cluster, const ctl::Access& access);

// One of them. Thread: any.
class KeptAccess {
 public:
  using Read = std::function<Result<ctl::Access>()>;

  explicit KeptAccess(Read read) : read_(std::move(read)) {}
  // As it was read last. Errors: what reading said, as long as it never went well.
  Result<ctl::Access> get() const;
  // Reads it; may block. True: it differs from what was known.
  bool refresh();

 private:
  Read read_;
  mutable std::mutex mutex_;
  std::optional<ctl::Access> known_;
  std::optional<Error> fault_;
};

KeptAccess::Read read_control_plane(const config::AgentSettings& settings);
// From its kubeconfig, or, where none is named, as a pod in it.
KeptAccess::Read read_member(const config::AgentSettings& settings);

}  // namespace flotilla::daemon
