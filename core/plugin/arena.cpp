// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/arena.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace {

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};

struct Adopted {
  void (*release)(void* ctx);
  void* ctx;
};

constexpr std::size_t kFirstChunk = 4096;
constexpr std::size_t kLargestChunk = 256u << 10;

}  // namespace

// Chunks of growing size, each zeroed once; what does not fit gets a chunk of its own.
struct flt_arena {
  explicit flt_arena(std::size_t bound) : limit(bound) {}
  flt_arena(const flt_arena&) = delete;
  flt_arena& operator=(const flt_arena&) = delete;
  ~flt_arena() {
    for (const Adopted& buffer : adopted) buffer.release(buffer.ctx);
  }

  void* alloc(std::size_t size, std::size_t align) {
    if (align == 0 || align > 64 || (align & (align - 1)) != 0) return nullptr;
    const std::uintptr_t at = (cursor + align - 1) & ~(align - 1);
    if (cursor != 0 && at <= end && size <= end - at) {
      cursor = at + size;
      return reinterpret_cast<void*>(at);
    }
    return alloc_in_new_chunk(size, align);
  }

  void* alloc_in_new_chunk(std::size_t size, std::size_t align) {
    if (size > limit || total > limit - size) return nullptr;
    const std::size_t wanted = std::max(size + align, next_chunk);
    void* memory = std::calloc(1, wanted);
    if (memory == nullptr) return nullptr;
    chunks.emplace_back(memory);
    total += wanted;
    const auto start = reinterpret_cast<std::uintptr_t>(memory);
    const std::uintptr_t at = (start + align - 1) & ~(align - 1);
    // A large block leaves the current chunk open for the small ones.
    if (wanted > next_chunk && end - cursor > start + wanted - (at + size))
      return reinterpret_cast<void*>(at);
    cursor = at + size;
    end = start + wanted;
    next_chunk = std::min(next_chunk * 2, kLargestChunk);
    return reinterpret_cast<void*>(at);
  }

  std::size_t limit;
  std::size_t total = 0;
  std::size_t next_chunk = kFirstChunk;
  std::uintptr_t cursor = 0;
  std::uintptr_t end = 0;
  std::vector<std::unique_ptr<void, FreeMemory>> chunks;
  std::vector<Adopted> adopted;
};

namespace flotilla::plugin {
namespace {

void* alloc(flt_arena_t* arena, std::uint64_t size, std::uint64_t align) noexcept {
  if (arena == nullptr) return nullptr;
  try {
    return arena->alloc(size, align);
  } catch (...) {
    return nullptr;
  }
}

void adopt(flt_arena_t* arena, const void*, std::uint64_t size, void (*release)(void* ctx),
           void* ctx) noexcept {
  if (arena == nullptr || release == nullptr) return;
  arena->total += size;
  arena->adopted.push_back({release, ctx});
}

}  // namespace

ArenaRef make_arena(std::size_t limit) {
  return std::make_shared<flt_arena>(limit);
}

std::size_t arena_bytes(const flt_arena_t& arena) {
  return arena.total;
}

const flt_host_mem_t& arena_functions() {
  static constexpr flt_host_mem_t kTable{sizeof(flt_host_mem_t), 0, alloc, adopt};
  return kTable;
}

}  // namespace flotilla::plugin
