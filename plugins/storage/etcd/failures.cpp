// SPDX-License-Identifier: Apache-2.0
#include "failures.hpp"

namespace flotilla::plugins::storage::etcd {
namespace {

bool says(const RpcAnswer& answer, std::string_view words) {
  return answer.message.find(words) != std::string::npos;
}

sdk::Failure unreachable(const ClusterAnswer& answer, const EtcdOptions& options, const std::string& doing) {
  const bool unknown = doing == "commit" && !was_not_done(answer);
  std::string text =
      "etcd at " + options.names() + " does not answer (" + answer.endpoint + ": " + answer.message + ")";
  if (says(answer, "no leader") || says(answer, "timed out")) {
    text += "; its members must be able to reach each other, more than half of them are needed";
  } else {
    text +=
        "; check that it runs, that this machine can reach it, and the endpoints and tls of the storage's "
        "configuration";
  }
  if (unknown) text += ". Whether this commit happened is not known";
  return {FLT_UNAVAILABLE, std::move(text), unknown ? "OutcomeUnknown" : ""};
}

}  // namespace

bool was_not_done(const RpcAnswer& answer) {
  if (answer.code == FLT_UNAVAILABLE) {
    return says(answer, "failed to connect to all addresses") || says(answer, "DNS resolution failed") ||
           answer.message == "etcdserver: no leader";
  }
  return answer.code == FLT_RESOURCE_EXHAUSTED && says(answer, "too many requests");
}

bool has_no_leader(const RpcAnswer& answer) {
  return answer.code == FLT_DEADLINE_EXCEEDED ||
         (answer.code == FLT_UNAVAILABLE && (says(answer, "leader") || says(answer, "timed out")));
}

bool is_passing(const RpcAnswer& answer) {
  return answer.code == FLT_UNAVAILABLE || answer.code == FLT_DEADLINE_EXCEEDED ||
         answer.code == FLT_CANCELLED || was_not_done(answer);
}

bool is_stale_token(const RpcAnswer& answer) {
  return (answer.code == FLT_UNAUTHENTICATED && says(answer, "invalid auth token")) ||
         says(answer, "revision of auth store is old") || says(answer, "user name is empty");
}

bool is_compacted(const RpcAnswer& answer) {
  return answer.code == FLT_OUT_OF_RANGE && says(answer, "has been compacted");
}
bool is_future(const RpcAnswer& answer) {
  return answer.code == FLT_OUT_OF_RANGE && says(answer, "future revision");
}
bool is_lost_lease(const RpcAnswer& answer) {
  return answer.code == FLT_NOT_FOUND && says(answer, "lease not found");
}

sdk::Failure failure_of(const ClusterAnswer& answer, const EtcdOptions& options, const std::string& doing) {
  if (is_passing(answer)) return unreachable(answer, options, doing);
  const std::string text = "etcd at " + answer.endpoint + ": " + answer.message;
  if (says(answer, "database space exceeded")) {
    return {FLT_RESOURCE_EXHAUSTED, text + "; " + alarm_of("NOSPACE", 0), "NoSpace"};
  }
  if (says(answer, "corrupt cluster")) return {FLT_DATA_LOSS, text + "; " + alarm_of("CORRUPT", 0)};
  if (says(answer, "request is too large")) {
    return {FLT_INVALID_ARGUMENT,
            text + "; set maxRequestBytes of the storage to what its --max-request-bytes allows"};
  }
  if (says(answer, "too many operations")) {
    return {FLT_INVALID_ARGUMENT,
            text + "; set maxOpsPerCommit of the storage to what its --max-txn-ops allows"};
  }
  if (answer.code == FLT_PERMISSION_DENIED) {
    return {FLT_PERMISSION_DENIED, text + "; grant the user readwrite on the prefix " + options.prefix};
  }
  if (is_stale_token(answer) || answer.code == FLT_UNAUTHENTICATED) {
    return {FLT_UNAUTHENTICATED, text + "; check user and passwordFile of the storage's configuration"};
  }
  if (answer.code == FLT_INTERNAL || answer.code == FLT_UNKNOWN) return {FLT_INTERNAL, text};
  return {static_cast<flt_status_t>(answer.code), text};
}

std::string alarm_of(std::string_view error, std::int64_t bytes) {
  if (error.find("NOSPACE") != std::string_view::npos) {
    const std::string size = bytes == 0 ? "" : " (" + std::to_string(bytes >> 20) + " MiB)";
    return "etcd has the alarm NOSPACE: its database" + size +
           " has reached --quota-backend-bytes and takes no writes. Compact it (flotillactl storage "
           "compact), "
           "give the space back (etcdctl defrag, one member after the other) or raise the quota, then: "
           "etcdctl "
           "alarm disarm";
  }
  if (error.find("CORRUPT") != std::string_view::npos) {
    return "etcd has the alarm CORRUPT: its members disagree on the data and take no requests. Stop the "
           "member "
           "that is wrong and join it anew, or restore a snapshot, then: etcdctl alarm disarm";
  }
  if (error.find("no leader") != std::string_view::npos) {
    return "etcd has no leader: more than half of its members must run and reach each other";
  }
  return {};
}

}  // namespace flotilla::plugins::storage::etcd
