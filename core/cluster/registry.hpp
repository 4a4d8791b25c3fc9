// SPDX-License-Identifier: Apache-2.0
// The members that are attached: a connection to each, what it serves, and caches of what it holds for us.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/api/object.hpp"
#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/cluster/cluster_driver.hpp"
#include "core/cluster/member_cache.hpp"
#include "core/cluster/roster.hpp"
#include "core/cluster/write_gate.hpp"

namespace flotilla::cluster {

// One attached cluster. Thread: any.
class Member {
 public:
  Member(const Executor& executor, ClusterEndpoint endpoint, std::shared_ptr<ClusterConnection> connection,
         MemberHandler handler);
  ~Member();

  const std::string& name() const { return endpoint_.cluster; }
  const ClusterEndpoint& endpoint() const { return endpoint_; }
  ClusterConnection& connection() { return *connection_; }

  // What the last successful discovery said; null before. A failed one keeps the last known facts, an
  // incomplete one those of the groups it could not read.
  std::shared_ptr<const Discovery> discovery() const;
  Task<Result<std::shared_ptr<const Discovery>>> discover();
  // The resource behind a manifest's apiVersion and kind; discovers when it is not known yet.
  // Errors: NotFound (the member does not serve it), Unavailable (also: its discovery was incomplete).
  Task<Result<DiscoveredResource>> resource_of(api::Gvk gvk);

  // The cache of one resource, started at its first use. Of managed objects; with a label selector of others
  // ("*": of all).
  std::shared_ptr<MemberCache> cache(const Gvr& resource, const std::string& selector = {});
  // Everything of one resource, trimmed in one way; started at its first use.
  std::shared_ptr<Roster> roster(const Gvr& resource, Roster::Trim trim);
  // Follows what that one did: its successor, whose endpoint has changed.
  void follow_as(const Member& other);
  // Ends caches and connection. Not from an I/O thread.
  void stop();
  // The same without waiting.
  void cancel();
  // After cancel(): nothing runs any more.
  bool finished() const { return scope_.running() == 0; }

 private:
  const Executor& executor_;
  ClusterEndpoint endpoint_;
  std::shared_ptr<ClusterConnection> connection_;
  MemberHandler handler_;
  FiberScope scope_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Discovery> discovery_;
  std::map<std::pair<Gvr, std::string>, std::shared_ptr<MemberCache>> caches_;
  std::map<std::pair<Gvr, Roster::Trim>, std::shared_ptr<Roster>> rosters_;
};

class ClusterRegistry {
 public:
  explicit ClusterRegistry(const Executor& executor);
  ~ClusterRegistry();

  // Before use.
  void add_driver(std::shared_ptr<ClusterDriver> driver);
  // Attaches a member that find() does not know, where nobody else does: a daemon that does not lead. Null:
  // there is none. Before use.
  using Finder = std::function<std::shared_ptr<Member>(const std::string& cluster)>;
  void attach_when_asked(Finder finder) { finder_ = std::move(finder); }
  // Every change of every cache, on strands of the members. Before use.
  void on_change(MemberHandler handler) { handlers_.push_back(std::move(handler)); }

  // Attaches, or attaches anew when the endpoint has changed; else the member as it is. Errors: Invalid (no
  // such driver, broken credentials).
  Result<std::shared_ptr<Member>> attach(const std::string& driver, ClusterEndpoint endpoint);
  void detach(const std::string& cluster);
  std::shared_ptr<Member> find(const std::string& cluster) const;  // null: not attached
  std::vector<std::string> drivers() const;
  // Through which all writes to members go.
  WriteGate& gate() const { return *gate_; }
  // Not from an I/O thread.
  void stop();

 private:
  void retire(std::shared_ptr<Member> member);

  const Executor& executor_;
  const std::shared_ptr<WriteGate> gate_;
  std::map<std::string, std::shared_ptr<ClusterDriver>> drivers_;
  std::vector<MemberHandler> handlers_;
  Finder finder_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Member>> members_;
  std::vector<std::shared_ptr<Member>> retired_;  // cancelled; joined in stop() at the latest
};

}  // namespace flotilla::cluster
