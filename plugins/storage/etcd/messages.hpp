// SPDX-License-Identifier: Apache-2.0
// The messages of etcd's v3 API that this backend sends and reads. Answers are views into the body they were
// read from. `read_*` give false for a body that is no such message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire.hpp"

namespace flotilla::plugins::storage::etcd {

inline constexpr const char* kRange = "/etcdserverpb.KV/Range";
inline constexpr const char* kTxn = "/etcdserverpb.KV/Txn";
inline constexpr const char* kCompact = "/etcdserverpb.KV/Compact";
inline constexpr const char* kWatch = "/etcdserverpb.Watch/Watch";
inline constexpr const char* kLeaseGrant = "/etcdserverpb.Lease/LeaseGrant";
inline constexpr const char* kMemberList = "/etcdserverpb.Cluster/MemberList";
inline constexpr const char* kStatus = "/etcdserverpb.Maintenance/Status";
inline constexpr const char* kAuthenticate = "/etcdserverpb.Auth/Authenticate";

struct WireValue {
  std::string_view key;
  std::string_view value;
  std::int64_t create_revision = 0;
  std::int64_t mod_revision = 0;
  std::int64_t version = 0;  // writes since the key was made
};

struct RangeAsk {
  std::string_view key;
  std::string_view end;  // empty: the key alone
  std::int64_t revision = 0;
  std::int64_t limit = 0;
  bool serializable = false;
  bool keys_only = false;
  bool count_only = false;
};
std::string write_range(const RangeAsk& ask);

struct RangeAnswer {
  std::int64_t revision = 0;
  std::vector<WireValue> values;
  bool more = false;
  std::int64_t count = 0;
};
bool read_range(std::string_view body, RangeAnswer& out);

// One transaction: what must hold, what is done then, and what is read otherwise.
class TxnWriter {
 public:
  void guard(std::string_view key, std::int64_t mod_revision);
  void put(std::string_view key, std::string_view value, std::int64_t lease, bool previous);
  void remove(std::string_view key, bool previous);
  void otherwise_read(std::string_view key);
  std::string take() { return out_.take(); }

 private:
  WireWriter out_;
};

struct TxnAnswer {
  std::int64_t revision = 0;
  bool succeeded = false;
  std::vector<WireValue> values;  // replaced by the operations, or found by otherwise_read; in their order
};
bool read_txn(std::string_view body, TxnAnswer& out);

std::string write_compact(std::int64_t revision);
// The revision in the header that every answer has; 0: there is none.
std::int64_t read_header_revision(std::string_view body);

struct WatchAsk {
  std::string_view key;
  std::string_view end;
  std::int64_t start_revision = 0;
  bool previous = false;
};
std::string write_watch_create(const WatchAsk& ask);
std::string write_watch_progress();

struct WireEvent {
  bool removed = false;
  WireValue value;
  std::optional<WireValue> previous;
};
struct WatchAnswer {
  std::int64_t revision = 0;
  std::int64_t watch_id = 0;
  bool created = false;
  bool cancelled = false;
  bool fragment = false;  // more of the same revisions follows
  std::int64_t compact_revision = 0;
  std::string_view cancel_reason;
  std::vector<WireEvent> events;
};
bool read_watch(std::string_view body, WatchAnswer& out);

std::string write_lease_grant(std::int64_t seconds);
struct LeaseAnswer {
  std::int64_t id = 0;
  std::int64_t seconds = 0;
};
bool read_lease_grant(std::string_view body, LeaseAnswer& out);

struct StatusAnswer {
  std::int64_t revision = 0;
  std::uint64_t member = 0;
  std::uint64_t leader = 0;
  std::string_view version;
  std::int64_t bytes = 0;
  std::vector<std::string_view> errors;  // alarms among them
};
bool read_status(std::string_view body, StatusAnswer& out);

// How many members may vote.
std::size_t read_member_count(std::string_view body);

std::string write_authenticate(std::string_view user, std::string_view password);
std::string_view read_token(std::string_view body);

}  // namespace flotilla::plugins::storage::etcd
