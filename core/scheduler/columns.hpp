// SPDX-License-Identifier: Apache-2.0
// Numbers as bytes: varints, texts and columns. A column is kept as runs of equal values, as runs of equal
// steps, or with as many bits per value as its range needs, whichever is shortest. What is read may be
// anything: a reader that comes upon nonsense is not ok() from then on and reads nothing but zeros.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flotilla::scheduler {

class ByteWriter {
 public:
  void number(std::uint64_t value);
  void signed_number(std::int64_t value);
  void text(std::string_view value);
  void column(std::span<const std::int64_t> values);
  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }

 private:
  void packed(std::span<const std::int64_t> values, std::int64_t least, unsigned width);
  void runs(std::span<const std::int64_t> values, bool steps);

  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t number();
  std::int64_t signed_number();
  std::string text();
  // At most `most` values.
  std::vector<std::int64_t> column(std::size_t most);
  bool ok() const { return ok_; }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  std::uint64_t fail();
  bool packed(std::size_t count, std::vector<std::int64_t>& values);
  bool runs(std::size_t count, bool steps, std::vector<std::int64_t>& values);

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace flotilla::scheduler
