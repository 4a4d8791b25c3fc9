// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/columns.hpp"

#include <algorithm>
#include <bit>
#include <optional>

namespace flotilla::scheduler {
namespace {

enum Form : std::uint64_t { kRuns = 0, kStepRuns = 1, kPacked = 2 };

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}
std::size_t size_of(std::uint64_t value) {
  return static_cast<std::size_t>((std::bit_width(value | 1) + 6) / 7);
}
// Wraps: any two numbers have a difference.
std::int64_t difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

// visit(value, length) of each run of equal values, or of equal steps from value to value.
template <typename Visit>
void for_each_run(std::span<const std::int64_t> values, bool steps, Visit visit) {
  std::int64_t before = 0;
  for (std::size_t i = 0; i < values.size();) {
    const std::int64_t value = steps ? difference(values[i], before) : values[i];
    std::size_t end = i + 1;
    while (end < values.size() && (steps ? difference(values[end], values[end - 1]) : values[end]) == value)
      ++end;
    before = values[end - 1];
    visit(value, end - i);
    i = end;
  }
}

// Stops counting once it is too many.
std::size_t size_as_runs(std::span<const std::int64_t> values, bool steps, std::size_t most) {
  std::size_t size = 0;
  for_each_run(values, steps, [&](std::int64_t value, std::size_t length) {
    if (size <= most) size += size_of(zigzag(value)) + size_of(length);
  });
  return size;
}

// By how much each value differs from the one before, if that is the same everywhere.
std::optional<std::int64_t> only_step(std::span<const std::int64_t> values) {
  if (values.size() == 1) return 0;
  const std::int64_t step = difference(values[1], values[0]);
  std::int64_t other = 0;
  for (std::size_t i = 1; i < values.size(); ++i) other |= difference(values[i], values[i - 1]) ^ step;
  return other == 0 ? std::optional(step) : std::nullopt;
}

}  // namespace

void ByteWriter::number(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

void ByteWriter::signed_number(std::int64_t value) {
  number(zigzag(value));
}

void ByteWriter::text(std::string_view value) {
  number(value.size());
  bytes_.append(value);
}

void ByteWriter::column(std::span<const std::int64_t> values) {
  number(values.size());
  if (values.empty()) return;
  // Most columns are one value, or count upwards: both are seen faster than the shortest form is found.
  if (const std::optional<std::int64_t> step = only_step(values)) {
    number(*step == 0 ? kRuns : kStepRuns);
    signed_number(values[0]);
    number(*step == 0 ? values.size() : 1);
    if (*step == 0 || values.size() == 1) return;
    signed_number(*step);
    number(values.size() - 1);
    return;
  }
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const std::uint64_t range = static_cast<std::uint64_t>(difference(*most, *least));
  const auto width = static_cast<unsigned>(std::bit_width(range));
  const std::size_t as_bits =
      width > 56 ? SIZE_MAX : size_of(zigzag(*least)) + 1 + (values.size() * width + 7) / 8;
  const std::size_t as_runs = size_as_runs(values, false, as_bits);
  const std::size_t as_steps =
      as_runs < 8 ? SIZE_MAX : size_as_runs(values, true, std::min(as_bits, as_runs));
  if (as_bits < as_runs && as_bits < as_steps) {
    number(kPacked);
    packed(values, *least, width);
  } else {
    number(as_runs <= as_steps ? kRuns : kStepRuns);
    runs(values, as_steps < as_runs);
  }
}

void ByteWriter::packed(std::span<const std::int64_t> values, std::int64_t least, unsigned width) {
  signed_number(least);
  number(width);
  std::uint64_t bits = 0;
  unsigned have = 0;
  for (std::int64_t value : values) {
    bits |= static_cast<std::uint64_t>(difference(value, least)) << have;
    for (have += width; have >= 8; have -= 8, bits >>= 8) bytes_.push_back(static_cast<char>(bits));
  }
  if (have > 0) bytes_.push_back(static_cast<char>(bits));
}

void ByteWriter::runs(std::span<const std::int64_t> values, bool steps) {
  for_each_run(values, steps, [&](std::int64_t value, std::size_t length) {
    signed_number(value);
    number(length);
  });
}

std::uint64_t ByteReader::fail() {
  ok_ = false;
  at_ = bytes_.size();
  return 0;
}

std::uint64_t ByteReader::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at_ == bytes_.size()) return fail();
    const auto byte = static_cast<unsigned char>(bytes_[at_++]);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return fail();
}

std::int64_t ByteReader::signed_number() {
  return unzigzag(number());
}

std::string ByteReader::text() {
  const std::uint64_t size = number();
  if (size > bytes_.size() - at_) {
    fail();
    return {};
  }
  std::string value(bytes_.substr(at_, size));
  at_ += size;
  return value;
}

std::vector<std::int64_t> ByteReader::column(std::size_t most) {
  std::vector<std::int64_t> values;
  const std::uint64_t count = number();
  if (count == 0) return values;
  if (count > most) {
    fail();
    return values;
  }
  values.reserve(count);
  const std::uint64_t form = number();
  const bool read =
      form == kPacked ? packed(count, values) : form <= kStepRuns && runs(count, form == kStepRuns, values);
  if (!read) {
    fail();
    values.clear();
  }
  return values;
}

bool ByteReader::packed(std::size_t count, std::vector<std::int64_t>& values) {
  const std::int64_t least = signed_number();
  const std::uint64_t width = number();
  if (!ok_ || width > 56 || (count * width + 7) / 8 > bytes_.size() - at_) return false;
  const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
  std::uint64_t bits = 0;
  unsigned have = 0;
  for (std::size_t i = 0; i < count; ++i) {
    for (; have < width; have += 8)
      bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes_[at_++])) << have;
    values.push_back(sum(least, static_cast<std::int64_t>(bits & mask)));
    bits >>= width;
    have -= static_cast<unsigned>(width);
  }
  return true;
}

bool ByteReader::runs(std::size_t count, bool steps, std::vector<std::int64_t>& values) {
  std::int64_t before = 0;
  while (values.size() < count) {
    const std::int64_t value = signed_number();
    const std::uint64_t length = number();
    if (!ok_ || length == 0 || length > count - values.size()) return false;
    for (std::uint64_t i = 0; i < length; ++i) {
      before = steps ? sum(before, value) : value;
      values.push_back(before);
    }
  }
  return true;
}

}  // namespace flotilla::scheduler
