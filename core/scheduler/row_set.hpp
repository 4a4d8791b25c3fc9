// SPDX-License-Identifier: Apache-2.0
// A set of rows of one cluster table, one bit a row. Bits beyond the last row are always zero.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace flotilla::scheduler {

using Row = std::uint32_t;
inline constexpr Row kNoRow = 0xffffffffu;

inline std::size_t words_for(std::size_t rows) {
  return (rows + 63) / 64;
}

inline bool has_bit(std::span<const std::uint64_t> words, Row row) {
  return (words[row / 64] >> (row % 64) & 1) != 0;
}

// visit(row) for each set bit, ascending.
template <typename Visit>
void for_each_row(std::span<const std::uint64_t> words, Visit visit) {
  for (std::size_t w = 0; w < words.size(); ++w) {
    for (std::uint64_t left = words[w]; left != 0; left &= left - 1) {
      visit(static_cast<Row>(w * 64 + static_cast<std::size_t>(std::countr_zero(left))));
    }
  }
}

class RowSet {
 public:
  RowSet() = default;
  explicit RowSet(std::size_t rows, bool full = false) { reset(rows, full); }

  void reset(std::size_t rows, bool full = false) {
    words_.assign(words_for(rows), full ? ~std::uint64_t{0} : 0);
    if (full && rows % 64 != 0) words_.back() >>= 64 - rows % 64;
  }
  void add(Row row) { words_[row / 64] |= std::uint64_t{1} << (row % 64); }
  void remove(Row row) { words_[row / 64] &= ~(std::uint64_t{1} << (row % 64)); }
  bool has(Row row) const { return has_bit(words_, row); }
  void intersect(const RowSet& other) {
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] &= other.words_[w];
  }
  void unite(const RowSet& other) {
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] |= other.words_[w];
  }
  bool empty() const {
    return std::all_of(words_.begin(), words_.end(), [](std::uint64_t word) { return word == 0; });
  }
  std::size_t count() const {
    std::size_t sum = 0;
    for (std::uint64_t word : words_) sum += static_cast<std::size_t>(std::popcount(word));
    return sum;
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    for_each_row(words_, visit);
  }
  std::span<std::uint64_t> words() { return words_; }
  std::span<const std::uint64_t> words() const { return words_; }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace flotilla::scheduler
