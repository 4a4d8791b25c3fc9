// SPDX-License-Identifier: Apache-2.0
// What an answer of etcd that is no success means, and what the contract and people are told of it.
#pragma once

#include <string>

#include "options.hpp"

namespace flotilla::plugins::storage::etcd {

struct ClusterAnswer : RpcAnswer {
  std::string endpoint;  // that answered, or should have
};

// Never reached a member that acted on it: may be sent again, whatever it is.
bool was_not_done(const RpcAnswer& answer);
// It was reached, and waits for the others.
bool has_no_leader(const RpcAnswer& answer);
// Another member, or this one later, may do better.
bool is_passing(const RpcAnswer& answer);
// The token of etcd's authentication is not valid any more.
bool is_stale_token(const RpcAnswer& answer);
bool is_compacted(const RpcAnswer& answer);
bool is_future(const RpcAnswer& answer);
bool is_lost_lease(const RpcAnswer& answer);

// `doing`: "commit", "read", ... For commits the message says that the outcome is not known where it is not.
sdk::Failure failure_of(const ClusterAnswer& answer, const EtcdOptions& options, const std::string& doing);

// The words for an alarm in etcd's status; empty: none that matters. `bytes`: of the database.
std::string alarm_of(std::string_view error, std::int64_t bytes);

}  // namespace flotilla::plugins::storage::etcd
