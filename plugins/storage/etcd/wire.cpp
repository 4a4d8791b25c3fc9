// SPDX-License-Identifier: Apache-2.0
#include "wire.hpp"

namespace flotilla::plugins::storage::etcd {
namespace {

constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kFixed64 = 1;
constexpr std::uint32_t kBytes = 2;
constexpr std::uint32_t kFixed32 = 5;
constexpr std::size_t kLength = 4;  // bytes kept for the length of an inner message: up to 256 MiB

}  // namespace

void WireWriter::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
  out_.push_back(static_cast<char>(value));
}

void WireWriter::integer(std::uint32_t field, std::int64_t value) {
  if (value != 0) present_integer(field, value);
}

void WireWriter::present_integer(std::uint32_t field, std::int64_t value) {
  varint(field << 3 | kVarint);
  varint(static_cast<std::uint64_t>(value));
}

void WireWriter::bytes(std::uint32_t field, std::string_view value) {
  if (value.empty()) return;
  varint(field << 3 | kBytes);
  varint(value.size());
  out_.append(value);
}

std::size_t WireWriter::open(std::uint32_t field) {
  varint(field << 3 | kBytes);
  out_.append(kLength, '\0');
  return out_.size();
}

// Small messages move up to their length; large ones stay, and their length is a varint with leading zeros.
void WireWriter::close(std::size_t opened) {
  const std::size_t size = out_.size() - opened;
  const std::size_t at = opened - kLength;
  if (size < 0x80) {
    out_[at] = static_cast<char>(size);
    out_.erase(at + 1, kLength - 1);
    return;
  }
  for (std::size_t i = 0; i < kLength; ++i)
    out_[at + i] = static_cast<char>(((size >> (7 * i)) & 0x7f) | (i + 1 < kLength ? 0x80 : 0));
}

bool WireReader::stop() {
  broken_ = true;
  rest_ = {};
  return false;
}

bool WireReader::varint(std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return stop();
}

bool WireReader::take(std::uint64_t size, std::string_view& out) {
  if (size > rest_.size()) return stop();
  out = rest_.substr(0, static_cast<std::size_t>(size));
  rest_.remove_prefix(static_cast<std::size_t>(size));
  return true;
}

bool WireReader::next() {
  if (rest_.empty()) return false;
  std::uint64_t tag = 0;
  if (!varint(tag)) return false;
  field_ = static_cast<std::uint32_t>(tag >> 3);
  number_ = 0;
  bytes_ = {};
  switch (tag & 7) {
    case kVarint:
      return varint(number_);
    case kBytes: {
      std::uint64_t size = 0;
      return varint(size) && take(size, bytes_);
    }
    case kFixed64:
      return take(8, bytes_);
    case kFixed32:
      return take(4, bytes_);
    default:
      return stop();
  }
}

}  // namespace flotilla::plugins::storage::etcd
