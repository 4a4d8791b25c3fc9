// SPDX-License-Identifier: Apache-2.0
// Everything in one ordered map, lost when the process ends. Operations complete inside the call. What was
// replaced or deleted stays for a thousand revisions; watches are made of it and of the map, and cost nothing
// while there are none.
#pragma once

#include <flotilla/sdk/storage.hpp>

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "../requests.hpp"

namespace flotilla::plugins::storage {

class MemoryEngine {
 public:
  static constexpr sdk::StorageInfo kInfo = {
      .name = "memory",
      .summary = "Keeps everything in memory; nothing survives the process",
      .config_schema = R"({"type":"object","additionalProperties":false})"};

  MemoryEngine(const flt_host_t* host, const flt_create_args_t&);
  ~MemoryEngine();

  void stop(std::int64_t deadline_ns, sdk::Call& call);
  void describe(flt_storage_capabilities_t& out);
  void status(const flt_storage_status_request_t& request, sdk::Call& call);
  void range(const flt_storage_range_request_t& request, sdk::Call& call);
  void commit(const flt_storage_commit_request_t& request, sdk::Call& call);
  void compact(const flt_storage_compact_request_t& request, sdk::Call& call);
  void watch(const flt_storage_watch_request_t& request, sdk::EventStream& stream);
  void watch_progress(flt_stream_t* stream);
  void save(sdk::SnapshotStream& stream);
  void load(const flt_snapshot_load_request_t& request, sdk::Call& call);
  void maintain(const flt_maintenance_request_t& request, sdk::ReportStream& stream);
  void figures(sdk::Call& call);

 private:
  struct Version {
    std::string value;
    std::int64_t create_revision = 0;
    std::int64_t mod_revision = 0;
    std::int64_t ends = 0;  // monotonic ns; 0: never
  };
  struct Superseded {
    std::string key;
    Version version;
    std::int64_t until = 0;  // the revision that replaced or deleted it
    bool removed = false;
  };
  struct Watch {
    sdk::EventStream stream;
    std::string key;
    std::string end;
    bool previous = false;
    std::int64_t next = 0;      // the first revision not told
    bool blocked = false;       // no credit
    bool progress_due = false;  // asked for while blocked
  };
  struct Change {
    std::int64_t revision;
    std::string_view key;
    const Version* now;     // null: deleted
    const Version* before;  // null: nothing was replaced
  };
  using Watches = std::map<flt_stream_t*, Watch>;
  struct Ticker;
  struct Copy;

  // With the mutex held, as all below.
  void apply(const flt_storage_op_t& op);
  void remove(std::string_view key);
  void forget(std::int64_t older_than);
  bool honours_ttl() const { return FLT_HAS(host_, exec); }
  void end_later(std::string_view key, Version& version, std::int64_t ttl_ms);
  void set_timer();
  void end_due();

  void tell_all();
  bool tell(Watch& watch);  // false: it is over
  std::vector<Change> changes_of(const Watch& watch) const;
  std::vector<Change> latest_changes_of(const Watch& watch) const;
  void push(Watch& watch, std::span<const Change> changes, std::int64_t progress);
  void credit(flt_stream_t* stream);

  const flt_host_t* host_;
  Limits limits_;
  std::shared_ptr<Ticker> ticker_;
  std::mutex mutex_;
  std::map<std::string, Version, std::less<>> live_;
  std::map<std::string, Version, std::less<>> loaded_;  // until all of it is here
  std::deque<Superseded> history_;                      // ascending by until
  std::vector<std::string> latest_;  // keys that latest_revision_ wrote; kept while there are watches
  std::int64_t latest_revision_ = 0;
  Watches watches_;
  std::multimap<std::int64_t, std::string> ends_;  // keys by the end of their time
  std::uint64_t timer_ = 0;
  std::int64_t revision_ = 1;
  std::int64_t compacted_ = 1;
  std::uint64_t bytes_ = 0;
};

}  // namespace flotilla::plugins::storage
