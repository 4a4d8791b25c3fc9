// SPDX-License-Identifier: Apache-2.0
// The operations of the contract over an etcd cluster. Nothing waits: each begins a request and completes its
// call from the cluster's thread. A commit is one transaction of etcd; those that share no key are on their
// way together (key_order.hpp).
#pragma once

#include <flotilla/sdk/storage.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "cluster.hpp"
#include "key_order.hpp"
#include "layout.hpp"
#include "leases.hpp"
#include "watcher.hpp"

namespace flotilla::plugins::storage::etcd {

struct CommitWork;
struct RangeWork;
struct StatusWork;

class EtcdEngine {
 public:
  static constexpr sdk::StorageInfo kInfo = {
      .name = "etcd",
      .summary = "Keeps everything in an etcd cluster, which several daemons may share",
      .config_schema = kEtcdSchema};

  EtcdEngine(const flt_host_t* host, const flt_create_args_t& args);
  ~EtcdEngine();

  void start(sdk::Call& call);
  void stop(std::int64_t deadline_ns, sdk::Call& call);
  void health();
  void describe(flt_storage_capabilities_t& out);
  void status(const flt_storage_status_request_t& request, sdk::Call& call);
  void range(const flt_storage_range_request_t& request, sdk::Call& call);
  void commit(const flt_storage_commit_request_t& request, sdk::Call& call);
  void compact(const flt_storage_compact_request_t& request, sdk::Call& call);
  void watch(const flt_storage_watch_request_t& request, sdk::EventStream& stream);
  void watch_progress(flt_stream_t* stream);

 private:
  // Counts what is under way, for stop. Throws when there is nothing to work with.
  std::shared_ptr<void> begin_work();

  void check(const flt_storage_commit_request_t& request) const;
  void send_commit(std::shared_ptr<CommitWork> work);
  void send_leased(std::shared_ptr<CommitWork> work);
  void send_transaction(std::shared_ptr<CommitWork> work);
  void answer_commit(const std::shared_ptr<CommitWork>& work, const ClusterAnswer& answer);

  void next_page(std::shared_ptr<RangeWork> work);
  void take_page(const std::shared_ptr<RangeWork>& work, const ClusterAnswer& answer);

  void answer_status(const std::shared_ptr<StatusWork>& work);
  // The oldest revision that is known, by looking: `then` gets it, or 0 when etcd does not answer.
  void find_compacted(std::int64_t newest, std::function<void(std::int64_t)> then);
  void search_compacted(std::int64_t known_gone, std::int64_t known_there,
                        std::function<void(std::int64_t)> then);
  void remember_compacted(std::int64_t revision);

  void moved(std::size_t from);
  void write_mark();
  void watch_ended(Watcher& watcher);

  const flt_host_t* host_;
  const sdk::Log log_;
  const EtcdOptions options_;
  const Layout layout_;
  std::unique_ptr<Cluster> cluster_;  // from start to stop
  std::unique_ptr<Leases> leases_;
  KeyOrder order_;
  bool replicated_ = false;
  std::atomic<std::int64_t> compacted_{1};

  std::mutex mutex_;  // all below
  std::condition_variable idle_;
  std::size_t under_way_ = 0;
  bool open_ = false;
  std::unordered_map<flt_stream_t*, std::shared_ptr<Watcher>> watchers_;
  bool marking_ = false;
  bool mark_again_ = false;
};

}  // namespace flotilla::plugins::storage::etcd
