// SPDX-License-Identifier: Apache-2.0
// What each kind's table must have at least: without these operations a component is of no use.
#include <flotilla/abi/driver.h>
#include <flotilla/abi/estimator.h>
#include <flotilla/abi/override.h>
#include <flotilla/abi/scheduler.h>
#include <flotilla/abi/storage.h>

#include <algorithm>

#include "core/plugin/handshake.hpp"

namespace flotilla::plugin {

#define REQUIRED(table, op)  \
  RequiredOp {               \
    #op, offsetof(table, op) \
  }

std::vector<RequiredOp> required_ops(std::string_view kind) {
  if (kind == FLT_KIND_STORAGE) {
    return {REQUIRED(flt_storage_ops_t, describe), REQUIRED(flt_storage_ops_t, status),
            REQUIRED(flt_storage_ops_t, range), REQUIRED(flt_storage_ops_t, commit),
            REQUIRED(flt_storage_ops_t, compact)};
  }
  if (kind == FLT_KIND_OVERRIDE) {
    return {REQUIRED(flt_override_ops_t, field), REQUIRED(flt_override_ops_t, compile),
            REQUIRED(flt_override_ops_t, apply), REQUIRED(flt_override_ops_t, release_rule)};
  }
  if (kind == FLT_KIND_DRIVER) {
    return {REQUIRED(flt_driver_ops_t, connect), REQUIRED(flt_driver_ops_t, disconnect)};
  }
  if (kind == FLT_KIND_ESTIMATOR) return {REQUIRED(flt_estimator_ops_t, max_available_replicas)};
  return {};  // a scheduling policy may take part in any step
}

#undef REQUIRED

// ABI 1.0 ends with the last required member.
std::size_t minimum_ops_size(std::string_view kind) {
  std::size_t size = sizeof(std::uint32_t);
  for (const RequiredOp& op : required_ops(kind)) size = std::max(size, op.offset + sizeof(void*));
  return size;
}

}  // namespace flotilla::plugin
