// SPDX-License-Identifier: Apache-2.0
// What each kind's table must have at least; from the kinds' headers alone.
#include "core/plugin/handshake.hpp"

#if __has_include(<flotilla/abi/storage.h>)
#include <flotilla/abi/storage.h>
#endif
#if __has_include(<flotilla/abi/override.h>)
#include <flotilla/abi/override.h>
#endif
#if __has_include(<flotilla/abi/driver.h>)
#include <flotilla/abi/driver.h>
#endif
#if __has_include(<flotilla/abi/scheduler.h>)
#include <flotilla/abi/scheduler.h>
#endif

namespace flotilla::plugin {

std::vector<RequiredOp> required_ops(std::string_view kind) {
  static_cast<void>(kind);
  return {};
}

std::size_t minimum_ops_size(std::string_view kind) {
  static_cast<void>(kind);
  return sizeof(std::uint32_t);
}

}  // namespace flotilla::plugin
