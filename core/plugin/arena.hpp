// SPDX-License-Identifier: Apache-2.0
// Memory that the daemon lends to one plugin call or stream batch (FLT-MEM). The results a plugin hands over
// live in it, so whoever reads a result holds its ArenaRef. One writer at a time; freed with the last
// reference.
#pragma once

#include <flotilla/abi/host.h>

#include <cstddef>
#include <memory>

namespace flotilla::plugin {

using ArenaRef = std::shared_ptr<flt_arena_t>;

inline constexpr std::size_t kDefaultArenaLimit = 256u << 20;

// An empty arena takes no memory until it is used. Beyond `limit` bytes alloc answers null.
ArenaRef make_arena(std::size_t limit = kDefaultArenaLimit);
std::size_t arena_bytes(const flt_arena_t& arena);

// The table that plugins get; the same for everybody.
const flt_host_mem_t& arena_functions();

}  // namespace flotilla::plugin
