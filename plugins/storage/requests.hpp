// SPDX-License-Identifier: Apache-2.0
// What every embedded engine checks of a commit before it touches anything.
#pragma once

#include <flotilla/sdk/storage.hpp>

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

namespace flotilla::plugins::storage {

struct Limits {
  std::uint64_t ops = 1024;
  std::uint64_t guards = 1024;
  std::uint64_t key_bytes = 4096;
  std::uint64_t value_bytes = 8u << 20;
  bool ttl = false;
};

inline std::span<const flt_storage_guard_t> guards_of(const flt_storage_commit_request_t& request) {
  return {request.guards, static_cast<std::size_t>(request.n_guards)};
}
inline std::span<const flt_storage_op_t> ops_of(const flt_storage_commit_request_t& request) {
  return {request.ops, static_cast<std::size_t>(request.n_ops)};
}

[[noreturn]] inline void refuse(const char* why) {
  throw sdk::Failure(FLT_INVALID_ARGUMENT, why);
}

inline void check_commit(const flt_storage_commit_request_t& request, const Limits& limits) {
  const auto ops = ops_of(request);
  if (ops.empty()) refuse("a commit needs at least one operation");
  if (ops.size() > limits.ops || request.n_guards > limits.guards)
    refuse("the commit has too many operations or guards");
  for (const flt_storage_op_t& op : ops) {
    if (op.kind != FLT_OP_PUT && op.kind != FLT_OP_DELETE) refuse("unknown kind of operation");
    if (op.key.n == 0 || op.key.n > limits.key_bytes) refuse("the key is empty or too long");
    if (op.value.n > limits.value_bytes) refuse("the value is too large");
    if (op.ttl_ms < 0) refuse("the time to live is negative");
    if (op.ttl_ms != 0 && !limits.ttl)
      throw sdk::Failure(FLT_UNIMPLEMENTED, "this backend has no time to live");
  }
  if (ops.size() == 1) return;
  std::vector<std::string_view> keys;
  for (const flt_storage_op_t& op : ops) keys.push_back(sdk::view(op.key));
  std::sort(keys.begin(), keys.end());
  if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) refuse("a key occurs twice in the commit");
}

// The revision a range is asked for, checked. 0 becomes the newest.
inline std::int64_t revision_for(std::int64_t wanted, std::int64_t newest, std::int64_t compacted) {
  if (wanted == 0) return newest;
  if (wanted > newest) sdk::refuse_future(wanted, newest);
  if (wanted < compacted) sdk::refuse_compacted(wanted, compacted);
  return wanted;
}

}  // namespace flotilla::plugins::storage
