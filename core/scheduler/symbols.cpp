// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/symbols.hpp"

#include <functional>

namespace flotilla::scheduler {

Symbols::Symbols() : starts_{0, 0}, slots_(64, kUnknownSym) {
  slots_[slot_of("")] = kNoSym;
}

Sym Symbols::intern(std::string_view text) {
  std::size_t slot = slot_of(text);
  if (slots_[slot] != kUnknownSym) return slots_[slot];
  Sym sym = static_cast<Sym>(size());
  bytes_ += text;
  starts_.push_back(static_cast<std::uint32_t>(bytes_.size()));
  slots_[slot] = sym;
  if (size() * 2 > slots_.size()) grow();
  return sym;
}

Sym Symbols::find(std::string_view text) const {
  return slots_[slot_of(text)];
}

std::string_view Symbols::text(Sym sym) const {
  if (sym >= size()) return {};
  return std::string_view(bytes_).substr(starts_[sym], starts_[sym + 1] - starts_[sym]);
}

std::size_t Symbols::slot_of(std::string_view text) const {
  std::size_t mask = slots_.size() - 1;
  std::size_t slot = std::hash<std::string_view>()(text) & mask;
  while (slots_[slot] != kUnknownSym && this->text(slots_[slot]) != text) slot = (slot + 1) & mask;
  return slot;
}

void Symbols::grow() {
  slots_.assign(slots_.size() * 2, kUnknownSym);
  for (Sym sym = 0; sym < size(); ++sym) slots_[slot_of(text(sym))] = sym;
}

}  // namespace flotilla::scheduler
