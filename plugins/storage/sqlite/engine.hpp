// SPDX-License-Identifier: Apache-2.0
// The life of the sqlite backend: a queue of what was asked, and one thread that owns the database. Whatever
// commits wait when the thread is free become one transaction; they are answered when it is on disk, in
// order, and the next group is written meanwhile (sync_line.hpp). Nothing is read in between that is not safe
// yet. Between groups the thread tidies up: history, log, free pages. When a write fails the whole group
// fails, and the engine is read-only until a real write works again; after a failed sync it opens the file
// anew first.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "background.hpp"
#include "database.hpp"
#include "sync_line.hpp"

namespace flotilla::plugins::storage {

class SqliteEngine {
 public:
  SqliteEngine(const flt_host_t* host, const flt_create_args_t& args);
  ~SqliteEngine();

  void start(sdk::Call& call);
  void stop(std::int64_t deadline_ns, sdk::Call& call);
  void health();
  void describe(flt_storage_capabilities_t& out);
  void status(const flt_storage_status_request_t& request, sdk::Call& call);
  void range(const flt_storage_range_request_t& request, sdk::Call& call);
  void commit(const flt_storage_commit_request_t& request, sdk::Call& call);
  void compact(const flt_storage_compact_request_t& request, sdk::Call& call);
  void save(sdk::SnapshotStream& stream);
  void load(const flt_snapshot_load_request_t& request, sdk::Call& call);
  void maintain(const flt_maintenance_request_t& request, sdk::ReportStream& stream);
  void figures(sdk::Call& call);

 private:
  struct PendingCompact {
    std::int64_t revision;
  };
  struct PendingLoad {
    struct Value {
      std::string key, value;
      std::int64_t create_revision = 0, mod_revision = 0;
    };
    std::vector<Value> values;
    std::int64_t revision = 0;
    std::uint32_t flags = 0;
  };
  struct Job {
    std::variant<PendingCommit, PendingRange, PendingCompact, PendingLoad> work;
    sdk::Call call;
  };
  struct Answer {
    bool succeeded;
    std::int64_t revision;
    sdk::KvList kvs;
  };
  struct Group {
    std::deque<Job> jobs;
    std::vector<Answer> answers;
    std::int64_t revision = 0;  // after it
    std::int64_t compacted = 0;
    std::int64_t keys = 0;
  };
  // What may be asked at any time without the thread.
  struct Facts {
    std::int64_t revision = 1;
    std::int64_t compacted = 1;
    std::uint64_t bytes = 0, log_bytes = 0;
    std::int64_t keys = 0;
    std::int64_t free_pages = 0;
    std::string read_only_because;
  };

  void enqueue(Job job);
  void enqueue(std::unique_ptr<Background> work);
  void run();
  enum class Upkeep : std::uint8_t { None, Soon, Now };
  std::deque<Job> take(Upkeep upkeep);
  void load_now(const PendingLoad& load);
  void step_background();
  void fail_background(const sdk::Failure& failure);
  bool background_ready() const;
  void serve(std::deque<Job>& jobs);
  void serve_group(std::deque<Job>& jobs);
  void serve_one(Job& job);
  std::deque<Job> take_group(std::deque<Job>& jobs);
  static void fail_group(std::deque<Job>& group, const sdk::Failure& failure);
  void become_read_only(const sdk::Failure& failure);
  bool tend();
  void recover();
  bool anything_asked();
  // What is on disk. `read_only`: why, or empty when it no longer is.
  void publish(std::int64_t revision, std::int64_t compacted, std::int64_t keys);
  void publish_now();
  void publish(std::string read_only);

  const flt_host_t* host_;
  const sdk::Log log_;
  const SqliteOptions options_;
  std::unique_ptr<Database> database_;                   // the thread's, once it runs
  bool read_only_ = false;                               // the thread's
  std::size_t commits_since_upkeep_ = 0;                 // the thread's
  std::unique_ptr<SyncLine> line_;                       // the thread's
  std::vector<std::unique_ptr<Background>> background_;  // the thread's
  std::size_t begun_ = 0;                                // of them
  const std::shared_ptr<Waker> waker_;
  std::thread thread_;

  std::mutex mutex_;  // all below
  std::condition_variable changed_;
  std::deque<Job> queue_;
  std::vector<std::unique_ptr<Background>> arriving_;
  bool credit_ = false;  // something in background_ may go on
  bool stopping_ = false;
  Facts facts_;
};

}  // namespace flotilla::plugins::storage
