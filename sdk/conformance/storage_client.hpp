// SPDX-License-Identifier: Apache-2.0
// The storage operations as the checks want to write them.
#pragma once

#include <flotilla/abi/storage.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sdk/conformance/test_host.hpp"

namespace flotilla::conformance {

struct Kv {
  std::string key;
  std::string value;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
  bool operator==(const Kv&) const = default;
};

struct CommitSpec {
  struct Guard {
    std::string key;
    std::int64_t mod_revision = 0;
  };
  struct Op {
    std::string key;
    std::string value;
    bool remove = false;
    std::int64_t ttl_ms = 0;
  };
  std::vector<Guard> guards;
  std::vector<Op> ops;
  std::int64_t expect = 0;
  std::uint32_t flags = 0;

  static CommitSpec put(std::string key, std::string value) {
    return {{}, {{std::move(key), std::move(value)}}};
  }
  static CommitSpec remove(std::string key) { return {{}, {{std::move(key), {}, true}}}; }
  CommitSpec& when(std::string key, std::int64_t revision) {
    guards.push_back({std::move(key), revision});
    return *this;
  }
  CommitSpec& expecting(std::int64_t revision) {
    expect = revision;
    return *this;
  }
};

struct Committed {
  Answer answer;
  bool succeeded = false;
  std::int64_t revision = 0;
  std::vector<Kv> kvs;
};

struct RangeSpec {
  std::string key;
  std::string end = "\xff\xff";  // empty: the key alone
  std::int64_t revision = 0;
  std::uint64_t limit = 0;
  std::uint32_t flags = 0;
};

struct Ranged {
  Answer answer;
  std::vector<Kv> kvs;
  bool more = false;
  std::uint64_t count = 0;
  std::int64_t revision = 0;
};

struct WatchSpec {
  std::string key = std::string(1, '\0');
  std::string end = "\xff\xff";  // empty: the key alone
  std::int64_t start = 0;
  std::uint32_t flags = 0;
  std::int64_t credit = 1000;
};

struct Stated {
  Answer answer;
  std::int64_t revision = 0;
  std::int64_t compacted = 0;
  bool read_only = false;
  std::string alarm;
};

Kv kv_of(const flt_kv_t& kv);

class StorageClient {
 public:
  StorageClient(TestHost& host, const flt_component_t& component, std::string config, std::string state_dir);

  TestInstance& instance() { return instance_; }
  flt_storage_capabilities_t describe() const;
  Stated status(std::uint32_t flags = 0);
  Ranged range(const RangeSpec& spec);
  TestHost::Pending begin(const CommitSpec& spec);
  static Committed committed(Answer answer);
  Committed commit(const CommitSpec& spec) { return committed(begin(spec).wait()); }
  Answer compact(std::int64_t revision);
  bool can_watch() const { return FLT_HAS(&ops_, watch) && FLT_HAS(&ops_, watch_progress); }
  const flt_storage_ops_t& ops() const { return ops_; }
  TestHost& host() { return host_; }

 private:
  TestHost& host_;
  const flt_storage_ops_t& ops_;
  TestInstance instance_;
};

}  // namespace flotilla::conformance
