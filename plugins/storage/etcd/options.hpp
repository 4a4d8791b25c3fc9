// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rpc.hpp"

namespace flotilla::plugins::storage::etcd {

struct EtcdOptions {
  std::vector<std::string> endpoints;  // host:port
  std::string prefix = "/flotilla/";   // ends with a slash
  ChannelOptions channel;
  std::string user;
  std::string password_file;
  std::int64_t request_timeout_ms = 5000;
  std::uint64_t max_ops = 128;                // etcd's --max-txn-ops
  std::uint64_t max_request_bytes = 1572864;  // etcd's --max-request-bytes

  std::string names() const;  // of the endpoints, for people
};

inline constexpr const char* kEtcdSchema =
    R"({"type":"object","additionalProperties":false,"required":["endpoints"],"properties":{
"endpoints":{"type":"array","minItems":1,"items":{"type":"string","minLength":1},
"description":"members of the etcd cluster: https://host:port, http://host:port or host:port; the next is tried when one fails"},
"prefix":{"type":"string","minLength":1,"default":"/flotilla/",
"description":"everything of this fleet lies below it; daemons of one fleet share it, other fleets have another"},
"tls":{"type":"object","additionalProperties":false,"properties":{
"caFile":{"type":"string","minLength":1,"description":"certificates that etcd's must be signed by; the system's when absent"},
"certFile":{"type":"string","minLength":1,"description":"client certificate"},
"keyFile":{"type":"string","minLength":1,"description":"its key"},
"serverName":{"type":"string","minLength":1,"description":"name that etcd's certificate must have; the endpoint's when absent"}}},
"user":{"type":"string","minLength":1,"description":"user of etcd's own authentication"},
"passwordFile":{"type":"string","minLength":1,"description":"file with the user's password"},
"dialTimeoutMs":{"type":"integer","minimum":100,"maximum":60000,"default":2000,
"description":"how long one member may take to accept a connection"},
"requestTimeoutMs":{"type":"integer","minimum":100,"maximum":60000,"default":5000,
"description":"how long a request may take, all members that are tried included"},
"keepAliveMs":{"type":"integer","minimum":5000,"maximum":600000,"default":10000,
"description":"how often a silent connection is checked; etcd refuses more than one check in 5 s"},
"keepAliveTimeoutMs":{"type":"integer","minimum":100,"maximum":60000,"default":3000,
"description":"a connection that does not answer the check for so long is given up"},
"maxOpsPerCommit":{"type":"integer","minimum":2,"maximum":100000,"default":128,
"description":"as etcd's --max-txn-ops"},
"maxRequestBytes":{"type":"integer","minimum":65536,"maximum":134217728,"default":1572864,
"description":"as etcd's --max-request-bytes"}}})";

// Throws Failure naming the member at fault.
EtcdOptions parse_options(std::string_view config_json);

}  // namespace flotilla::plugins::storage::etcd
