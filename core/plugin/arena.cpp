// SPDX-License-Identifier: Apache-2.0
#include "core/plugin/arena.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr std::size_t kFirstChunk = 4096;
constexpr std::size_t kLargestChunk = 256u << 10;
constexpr std::size_t kSpareChunks = 64;  // first chunks that a thread keeps

// Most arenas need one chunk, and one comes with every call.
class SpareChunks {
 public:
  ~SpareChunks() {
    for (void* chunk : chunks_) std::free(chunk);
  }
  void* take() {
    if (chunks_.empty()) return std::calloc(1, kFirstChunk);
    void* chunk = chunks_.back();
    chunks_.pop_back();
    return chunk;
  }
  // `used`: bytes from its start that may not be zero.
  void give(void* chunk, std::size_t used) {
    if (chunks_.size() == kSpareChunks) return std::free(chunk);
    std::memset(chunk, 0, used);
    chunks_.push_back(chunk);
  }

 private:
  std::vector<void*> chunks_;
};

thread_local SpareChunks spare_chunks;

struct Adopted {
  void (*release)(void* ctx);
  void* ctx;
};

}  // namespace

// Chunks of growing size, each zeroed once; what does not fit gets a chunk of its own.
struct flt_arena {
  explicit flt_arena(std::size_t bound) : limit(bound) {}
  flt_arena(const flt_arena&) = delete;
  flt_arena& operator=(const flt_arena&) = delete;
  ~flt_arena() {
    for (const Adopted& buffer : adopted) buffer.release(buffer.ctx);
    if (first != nullptr) spare_chunks.give(first, chunks.empty() ? cursor - at_of(first) : kFirstChunk);
    for (void* chunk : chunks) std::free(chunk);
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
    const bool is_first = first == nullptr && wanted == kFirstChunk;
    void* memory = is_first ? spare_chunks.take() : std::calloc(1, wanted);
    if (memory == nullptr) return nullptr;
    if (is_first) {
      first = memory;
    } else {
      chunks.push_back(memory);
    }
    total += wanted;
    const std::uintptr_t start = at_of(memory);
    const std::uintptr_t at = (start + align - 1) & ~(align - 1);
    // A large block leaves the current chunk open for the small ones.
    if (wanted > next_chunk && end - cursor > start + wanted - (at + size))
      return reinterpret_cast<void*>(at);
    cursor = at + size;
    end = start + wanted;
    next_chunk = std::min(next_chunk * 2, kLargestChunk);
    return reinterpret_cast<void*>(at);
  }

  static std::uintptr_t at_of(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory); }

  std::size_t limit;
  std::size_t total = 0;
  std::size_t next_chunk = kFirstChunk;
  std::uintptr_t cursor = 0;
  std::uintptr_t end = 0;
  void* first = nullptr;
  std::vector<void*> chunks;
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
