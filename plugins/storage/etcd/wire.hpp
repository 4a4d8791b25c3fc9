// SPDX-License-Identifier: Apache-2.0
// The protobuf wire format, as far as etcd's messages need it: varints, and bytes with a length. What is read
// are views into the message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace flotilla::plugins::storage::etcd {

// Writes a message field by field. Zeros and empty texts are left out, as proto3 does.
class WireWriter {
 public:
  void integer(std::uint32_t field, std::int64_t value);
  void flag(std::uint32_t field, bool value) { integer(field, value ? 1 : 0); }
  void bytes(std::uint32_t field, std::string_view value);
  // A field whose presence means something, like the members of a oneof.
  void present_integer(std::uint32_t field, std::int64_t value);

  // A message inside: everything written between open and close. They nest.
  std::size_t open(std::uint32_t field);
  void close(std::size_t opened);

  std::string take() { return std::move(out_); }
  const std::string& view() const { return out_; }

 private:
  void varint(std::uint64_t value);

  std::string out_;
};

// Reads a message: `while (reader.next()) switch (reader.field()) …`. Each field is read by one of the last
// two, or skipped. A message that is cut short or of another form ends early with broken().
class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}

  bool next();
  std::uint32_t field() const { return field_; }
  std::int64_t integer() const { return static_cast<std::int64_t>(number_); }
  bool flag() const { return number_ != 0; }
  std::string_view bytes() const { return bytes_; }
  bool broken() const { return broken_; }

 private:
  bool varint(std::uint64_t& value);
  bool take(std::uint64_t size, std::string_view& out);
  bool stop();

  std::string_view rest_;
  std::uint32_t field_ = 0;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
  bool broken_ = false;
};

}  // namespace flotilla::plugins::storage::etcd
