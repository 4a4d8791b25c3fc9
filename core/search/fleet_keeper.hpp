// SPDX-License-Identifier: Apache-2.0
// Keeps a FleetCache as ResourceRegistries and Clusters ask for it: a fiber per member and resource that
// lists and watches, started and ended one by one, so that a member that hangs holds up its own objects
// alone.
//
// Thread: start() and stop() from one thread that may block.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"
#include "core/cluster/registry.hpp"
#include "core/informer/informers.hpp"
#include "core/search/fleet_cache.hpp"
#include "core/search/open_search.hpp"
#include "core/store/store.hpp"

namespace flotilla::search {

struct KeeperOptions {
  bool only_shown_namespaces = false;  // nobody searches: the caches need no more than the proxy shows
  Duration initialization_timeout = std::chrono::minutes(1);
  CacheOptions cache;
};

// All outlive the keeper.
struct KeeperContext {
  const Executor& executor;
  store::Store& store;
  informer::Informers& informers;
  cluster::ClusterRegistry& clusters;
  std::function<std::shared_ptr<const api::Registry>()> resources;  // that are served here
};

class FleetKeeper {
 public:
  // Before the informers start.
  FleetKeeper(KeeperContext context, KeeperOptions options);
  ~FleetKeeper();
  void start();  // after them
  // From now on objects are indexed where registries say so. Of several daemons on one storage one does.
  void begin_to_index();
  void stop();  // before them, not from an I/O thread

  std::shared_ptr<const FleetCache> fleet() const { return fleet_; }

 private:
  // What is kept of one resource of a member.
  struct Kept {
    ResourceCachePtr cache;
    Namespaces shown, scope;
    std::function<void()> cancel;
  };
  struct Member {
    std::map<Gvr, Kept> resources;
    std::optional<OpenSearchAccess> index;
    std::shared_ptr<OpenSearchIndexer> indexer;  // null: nobody indexes
    std::function<void()> cancel_indexer;
  };
  struct Due {
    bool registries = false;
    std::set<std::string> clusters;
  };

  void touch_registries();
  void on_cluster(const store::Event& event);
  void on_secret(const store::Event& event);

  Task<void> run();
  Task<void> watch_readiness();
  bool all_synced() const;
  Task<void> settle(Due due);
  void read_registries();
  void settle_member(const std::string& cluster, bool& changed);
  // True: something is another than before.
  bool end_unwanted(Member& member, const Wanted& wanted) const;
  bool follow_wanted(const std::string& cluster, Member& member, const Wanted& wanted);
  std::optional<OpenSearchAccess> access_of(const std::optional<OpenSearchTarget>& target) const;
  void start_index(const std::string& cluster, Member& member, std::optional<OpenSearchAccess> access);
  void end(Member& member);
  Kept follow(const std::string& cluster, const Gvr& resource, const Namespaces& shown,
              const std::shared_ptr<OpenSearchIndexer>& indexer);
  Namespaces scope_of(const Namespaces& shown) const;
  std::shared_ptr<flotilla::Event> signal_of(const Gvr& resource);
  void publish();

  KeeperContext context_;
  const KeeperOptions options_;
  const std::shared_ptr<FleetCache> fleet_ = std::make_shared<FleetCache>();
  FiberScope scope_;

  std::atomic<bool> indexing_ = false;
  std::mutex mutex_;  // the next two
  Due due_;
  std::set<std::pair<std::string, std::string>> secrets_;
  flotilla::Event wake_;

  // On the scope's strand alone.
  bool settling_ = false;
  Registries registries_;
  std::map<std::string, Member> members_;
  std::map<Gvr, std::shared_ptr<flotilla::Event>> signals_;
  std::uint64_t arrivals_ = 0;
};

}  // namespace flotilla::search
