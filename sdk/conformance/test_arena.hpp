// SPDX-License-Identifier: Apache-2.0
// The memory of one call or batch.
#pragma once

#include <flotilla/abi/host.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

struct flt_arena {
  std::mutex mutex;
  std::deque<std::unique_ptr<unsigned char[]>> blocks;
  struct Adopted {
    void (*release)(void*);
    void* ctx;
  };
  std::vector<Adopted> adopted;

  flt_arena() = default;
  flt_arena(const flt_arena&) = delete;
  flt_arena& operator=(const flt_arena&) = delete;
  ~flt_arena() {
    for (const Adopted& one : adopted) one.release(one.ctx);
  }
};

namespace flotilla::conformance {

inline std::string text_of(flt_str_t value) {
  return {value.p == nullptr ? "" : value.p, static_cast<std::size_t>(value.n)};
}

}  // namespace flotilla::conformance
