// SPDX-License-Identifier: Apache-2.0
// What the daemon needs of a way to reach member clusters; plugins are adapted to it in core/plugin. The
// rules are those of flotilla.driver/1 (sdk/include/flotilla/abi/driver.h). Retry, rate limits, queues and
// informer logic are the host's, not the driver's.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/object.hpp"
#include "core/async/task.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::cluster {

using api::Gvr;
using api::Json;

// How to reach one member, from its Cluster object and the Secret it names.
struct ClusterEndpoint {
  std::string cluster;       // the Cluster's name
  std::string api_endpoint;  // "https://10.0.0.1:6443"
  std::string ca_pem;
  std::string client_certificate_pem;
  std::string client_key_pem;
  std::string bearer_token;
  std::string impersonate_user;
  std::string proxy_url;
  bool insecure_skip_verify = false;
  Json settings;  // spec.driver settings of drivers that are not kubernetes
};

struct ProbeResult {
  bool reachable = false;
  bool healthy = false;  // /readyz (or /healthz) answered ok
  std::string version;   // "v1.32.4"
  std::string message;   // why not, for people
  Duration latency{0};
};

struct DiscoveredResource {
  std::string group, version, resource, kind;
  bool namespaced = false;
  std::vector<std::string> verbs;
};

struct Discovery {
  std::vector<DiscoveredResource> resources;
  bool complete = true;  // false: some groups could not be read
};

struct MemberList {
  std::vector<Json> objects;
  std::string resource_version;
};

enum class ApplyMode { Create, Update, ServerSideApply };

struct MemberEvent {
  enum class Type : std::uint8_t { Added, Modified, Deleted, Bookmark };
  Type type = Type::Added;
  Json object;
};

// What can be said of an object without parsing it.
struct MemberHead {
  std::string_view ns;
  std::string_view name;
  std::string_view resource_version;
  bool added = false;  // not: changed
};

class MemberWatch {
 public:
  virtual ~MemberWatch() = default;
  // Objects that came or changed and of which this says true may be told as bookmarks. Before the first
  // next().
  virtual void leave_out(std::function<bool(const MemberHead&)>) {}
  // At least one event; empty: the server ended the watch in order. Errors: Gone (list again), Unavailable.
  virtual Task<Result<std::vector<MemberEvent>>> next() = 0;
};

struct ListSelector {
  std::string ns = {};  // empty: all
  std::string label_selector = {};
  std::string field_selector = {};
  std::string metric_selector = {};  // of custom metrics: labels of the metric itself
};

struct RemoveOptions {
  std::string uid;          // precondition, empty: none
  std::string propagation;  // Background, Foreground, Orphan
};

// One open connection to one member. Errors carry the member's own code and message; Unavailable: not
// reached.
class ClusterConnection {
 public:
  virtual ~ClusterConnection() = default;
  virtual Task<ProbeResult> probe() = 0;
  virtual Task<Result<Discovery>> discover() = 0;
  virtual Task<Result<Json>> get(Gvr resource, std::string ns, std::string name) = 0;
  virtual Task<Result<MemberList>> list(Gvr resource, ListSelector selector) = 0;
  // Update needs metadata.resourceVersion in the object (Conflict otherwise possible). The answer is the
  // object there.
  virtual Task<Result<Json>> apply(Gvr resource, Json object, ApplyMode mode) = 0;
  virtual Task<Status> remove(Gvr resource, std::string ns, std::string name, RemoveOptions options) = 0;
  virtual Task<Result<std::unique_ptr<MemberWatch>>> watch(Gvr resource, ListSelector selector,
                                                           std::string resource_version) = 0;
  virtual void close() = 0;
};

class ClusterDriver {
 public:
  virtual ~ClusterDriver() = default;
  virtual std::string name() const = 0;  // "kubernetes", "simulated"
  virtual Result<std::shared_ptr<ClusterConnection>> connect(ClusterEndpoint endpoint) = 0;
};

}  // namespace flotilla::cluster
