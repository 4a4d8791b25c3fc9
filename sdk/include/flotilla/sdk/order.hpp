// SPDX-License-Identifier: Apache-2.0
// Sorting many clusters without comparing them: keys are packed into as few bits as they need and sorted by
// digit, stably.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace flotilla::sdk {
inline namespace sdk_1 {

struct Keyed {
  std::uint64_t key;
  std::uint32_t position;
};

inline constexpr int kDigitBits = 11;
inline constexpr std::size_t kRadix = std::size_t{1} << kDigitBits;
inline constexpr std::size_t kFew = 64;  // below, comparing is cheaper than counting digits

// Stable, ascending by key, of which only the low `bits` are used.
inline void sort_keyed(std::vector<Keyed>& items, int bits) {
  auto less = [](const Keyed& a, const Keyed& b) { return a.key < b.key; };
  if (std::is_sorted(items.begin(), items.end(), less)) return;
  if (items.size() < kFew) {
    std::stable_sort(items.begin(), items.end(), less);
    return;
  }
  std::vector<Keyed> other(items.size());
  for (int shift = 0; shift < bits; shift += kDigitBits) {
    std::array<std::uint32_t, kRadix> ends{};
    for (const Keyed& item : items) ++ends[item.key >> shift & (kRadix - 1)];
    std::uint32_t sum = 0;
    for (std::uint32_t& end : ends) {
      sum += end;
      end = sum - end;
    }
    for (const Keyed& item : items) other[ends[item.key >> shift & (kRadix - 1)]++] = item;
    items.swap(other);
  }
}

// How far a member reaches over all candidates, and the bits that takes.
struct Extent {
  std::int64_t least = INT64_MAX;
  std::int64_t most = INT64_MIN;

  void add(std::int64_t value) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
  std::uint64_t width() const { return static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least); }
  int bits() const { return static_cast<int>(std::bit_width(width())); }
  std::uint64_t ascending(std::int64_t value) const {
    return static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(least);
  }
  std::uint64_t descending(std::int64_t value) const {
    return static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(value);
  }
};

// Positions 0..n-1 by descending key; equal keys keep their order. For keys of any sign.
inline std::vector<std::uint32_t> descending(const std::vector<std::int64_t>& keys) {
  Extent extent;
  for (std::int64_t key : keys) extent.add(key);
  std::vector<Keyed> items;
  items.reserve(keys.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i) items.push_back({extent.descending(keys[i]), i});
  if (!items.empty()) sort_keyed(items, extent.bits());
  std::vector<std::uint32_t> positions;
  positions.reserve(keys.size());
  for (const Keyed& item : items) positions.push_back(item.position);
  return positions;
}

}  // namespace sdk_1
}  // namespace flotilla::sdk
