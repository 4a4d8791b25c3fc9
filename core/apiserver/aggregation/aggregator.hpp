// SPDX-License-Identifier: Apache-2.0
// Group versions that another API server answers for: APIServices with a service (k8s-api 14). What is
// compiled from them is read again after a change; where there is none, asking costs two loads. Thread:
// everything from any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/api/schema/registry.hpp"
#include "core/apiserver/request_info.hpp"
#include "core/apiserver/webhook_endpoint.hpp"
#include "core/async/event.hpp"

namespace flotilla::apiserver {

using api::Json;

struct RemoteVersion {
  std::string name, group, version;
  std::string service_ns, service_name;
  std::int64_t port = 443;
  std::string ca_pem;
  bool insecure = false;
  std::int64_t group_priority = 0, version_priority = 0;
  bool available = false;
  Json resources;       // of the APIResourceList that was last seen; null: none yet
  std::string openapi;  // where its document of OpenAPI v3 is, with a hash; empty: it has none
  mutable std::atomic<std::shared_ptr<const KeptClient>> kept;

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

// What a backend said of itself.
struct Learned {
  Json resources;
  std::string openapi;
  bool operator==(const Learned&) const = default;
};

class Aggregator {
 public:
  // A service behind what `builtin` holds of Karmada's aggregated groups is ignored: they are served here.
  Aggregator(const store::Store& store, const api::Registry& builtin);

  std::shared_ptr<const Remotes> remotes() const;  // null: there are none
  // Names of APIServices that are answered here and do not say so yet.
  std::vector<std::string> unsettled() const;
  void touch();
  // What is served here has changed.
  void wake() { changes_.notify(); }
  void learn(const std::string& name, Learned learned);
  // Changes of APIServices and definitions.
  Event& changes() { return changes_; }

 private:
  struct Known {
    Revision revision;
    RemotePtr remote;      // null: answered here
    bool settled = false;  // and says so
  };
  using Discovered = std::map<std::string, Learned>;
  struct Built {
    std::uint64_t generation = 0;
    std::map<std::string, Known> known;
    Remotes remotes;
  };

  std::shared_ptr<const Built> built() const;
  Known read(const api::ObjectPtr& object, const Learned& learned, const Built* before) const;

  const store::Store& store_;
  std::set<std::string> own_;  // names of what is always answered here
  std::atomic<std::uint64_t> wanted_{1};
  mutable std::atomic<std::uint64_t> empty_at_{0};
  mutable std::atomic<std::shared_ptr<const Built>> built_;
  std::atomic<std::shared_ptr<const Discovered>> discovered_;
  Event changes_;
};

}  // namespace flotilla::apiserver
