// SPDX-License-Identifier: Apache-2.0
// Interned texts: equal text, equal number, so columns hold and compare four bytes. Append-only; a copy is
// three block copies, which is what a snapshot costs when texts were added.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flotilla::scheduler {

using Sym = std::uint32_t;
inline constexpr Sym kNoSym = 0;                 // the empty text
inline constexpr Sym kUnknownSym = 0xffffffffu;  // a text that no cluster has

// Thread: const members are safe to share. Views of text() live until the next intern() into the same object.
class Symbols {
 public:
  Symbols();
  Sym intern(std::string_view text);
  Sym find(std::string_view text) const;  // kUnknownSym when it was never interned
  std::string_view text(Sym sym) const;   // empty for kUnknownSym
  std::size_t size() const { return starts_.size() - 1; }

 private:
  std::size_t slot_of(std::string_view text) const;
  void grow();

  std::string bytes_;
  std::vector<std::uint32_t> starts_;  // text i is [starts_[i], starts_[i + 1])
  std::vector<Sym> slots_;             // open addressing; kUnknownSym is a free slot
};

}  // namespace flotilla::scheduler
