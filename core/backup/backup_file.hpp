// SPDX-License-Identifier: Apache-2.0
// The format of backups. Pure: bytes in, bytes out.
//
//   file   = "FLTBACK1" header part* end
//   header, part, end = kind (one byte: H, P, E) length (u32) payload crc32 (u32, of kind, length and
//   payload)
//
// Numbers are little-endian. The payload of a header is JSON {format, version, created, storage, revision};
// of a part, entries of key length (u32), key, value length (u32), value, create revision (i64), revision
// (i64), by key; of the end, JSON {keys, bytes, sha256 of everything before it}. Values are as storage has
// them: hidden ones stay hidden.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/store/storage_extras.hpp"

namespace flotilla::backup {

struct BackupHeader {
  static constexpr std::int64_t kFormat = 1;
  std::int64_t format = kFormat;
  std::string version;  // of the program that made it
  std::string created;  // RFC 3339
  std::string storage;  // the backend it is from
  Revision revision;
};

struct BackupTotals {
  std::uint64_t keys = 0;
  std::uint64_t bytes = 0;  // of keys and values
};

// SHA-256 over a sequence of bytes.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void add(std::string_view bytes);
  std::string hex();  // once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The bytes of a file in order: begin, part..., end.
class BackupEncoder {
 public:
  std::string begin(const BackupHeader& header);
  std::string part(const std::vector<store::KeyValue>& values);
  std::string end();
  const BackupTotals& totals() const { return totals_; }

 private:
  std::string counted(std::string bytes);
  Sha256 sha_;
  BackupTotals totals_;
};

// Reads what an encoder wrote, in pieces of any size.
class BackupDecoder {
 public:
  void feed(std::string_view bytes) { waiting_.append(bytes); }
  // The next part that is here as a whole. Nullopt: more bytes are needed, or it is done(). Errors: DataLoss:
  // damaged; Unsupported: of a later format.
  Result<std::optional<std::vector<store::KeyValue>>> next();
  // There from the first part on.
  const std::optional<BackupHeader>& header() const { return header_; }
  // The end was read and all of it is as it was written.
  bool done() const { return done_; }
  const BackupTotals& totals() const { return totals_; }

 private:
  struct Frame {
    char kind;
    std::string payload;
  };
  Result<std::optional<Frame>> frame();
  Status read_header(const std::string& payload);
  Status read_end(const std::string& payload);
  Result<std::vector<store::KeyValue>> read_part(const std::string& payload);

  std::string waiting_;
  std::size_t at_ = 0;
  bool magic_read_ = false;
  bool done_ = false;
  std::optional<BackupHeader> header_;
  BackupTotals totals_;
  Sha256 sha_;
};

}  // namespace flotilla::backup
