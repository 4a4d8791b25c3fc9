// SPDX-License-Identifier: Apache-2.0
// Group versions that another API server answers for: APIServices with a service (k8s-api 14). What is
// compiled from them is read again after a change; where there is none, asking costs two loads. Thread:
// everything from any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/apiserver/admission/webhook.hpp"
#include "core/apiserver/request_info.hpp"
#include "core/async/event.hpp"

namespace flotilla::apiserver {

struct RemoteVersion {
  std::string name, group, version;
  std::string service_ns, service_name;
  std::int64_t port = 443;
  std::string ca_pem;
  bool insecure = false;
  std::int64_t group_priority = 0, version_priority = 0;
  bool available = false;
  Json resources;  // of the APIResourceList that was last seen; null: none yet
  mutable std::atomic<std::shared_ptr<const WebhookTarget>> target;

  static std::shared_ptr<RemoteVersion> read(const Json& api_service);
};
using RemotePtr = std::shared_ptr<const RemoteVersion>;

struct Remotes {
  std::vector<RemotePtr> versions;
  // Null: the request is ours.
  RemotePtr answering(const RequestInfo& info) const;
};

// The certificate by which a backend knows that its front door speaks.
struct ProxyIdentity {
  std::string certificate_pem, key_pem;
};

class Aggregator {
 public:
  explicit Aggregator(const store::Store& store) : store_(store) {}

  std::shared_ptr<const Remotes> remotes() const;  // null: there are none
  void touch();
  // What a backend's discovery said.
  void learn(const std::string& name, Json resources);
  // Changes of APIServices, services and endpoints.
  Event& changes() { return changes_; }

 private:
  using Discovered = std::map<std::string, Json>;
  struct Built {
    std::uint64_t generation = 0;
    Remotes remotes;
  };

  const store::Store& store_;
  std::atomic<std::uint64_t> wanted_{1};
  mutable std::atomic<std::uint64_t> empty_at_{0};
  mutable std::atomic<std::shared_ptr<const Built>> built_;
  std::atomic<std::shared_ptr<const Discovered>> discovered_;
  Event changes_;
};

}  // namespace flotilla::apiserver
