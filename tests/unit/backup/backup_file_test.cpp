// SPDX-License-Identifier: Apache-2.0
#include "core/backup/backup_file.hpp"

#include <gtest/gtest.h>

namespace flotilla::backup {
namespace {

std::vector<store::KeyValue> some(int from, int count) {
  std::vector<store::KeyValue> values;
  for (int i = from; i < from + count; ++i)
    values.push_back({"/registry/" + std::to_string(i), std::string(static_cast<std::size_t>(i), '\0') + "v",
                      Revision(i), Revision(i + 1)});
  return values;
}

std::string whole_file() {
  BackupEncoder encoder;
  BackupHeader header;
  header.version = "1";
  header.created = "2026-01-02T03:04:05Z";
  header.storage = "sqlite";
  header.revision = Revision(77);
  std::string file = encoder.begin(header);
  file += encoder.part(some(1, 3));
  file += encoder.part({});
  file += encoder.part(some(10, 2));
  file += encoder.end();
  return file;
}

struct Read {
  std::vector<store::KeyValue> values;
  std::optional<Error> error;
  bool done = false;
};

Read read(const std::string& file, std::size_t piece, BackupDecoder& decoder) {
  Read out;
  for (std::size_t at = 0; at <= file.size(); at += piece) {
    decoder.feed(std::string_view(file).substr(at, piece));
    for (;;) {
      auto part = decoder.next();
      if (!part) {
        out.error = part.error();
        return out;
      }
      if (!*part) break;
      for (store::KeyValue& kv : **part) out.values.push_back(std::move(kv));
    }
  }
  out.done = decoder.done();
  return out;
}

TEST(Backup_File, what_was_written_is_read_in_pieces_of_any_size) {
  const std::string file = whole_file();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}, file.size()}) {
    BackupDecoder decoder;
    const Read got = read(file, piece, decoder);
    ASSERT_FALSE(got.error) << got.error->message();
    EXPECT_TRUE(got.done);
    ASSERT_EQ(got.values.size(), 5u);
    EXPECT_EQ(got.values[2].value, std::string(3, '\0') + "v");
    EXPECT_EQ(got.values[4].key, "/registry/11");
    EXPECT_EQ(got.values[4].mod_revision.get(), 12);
    EXPECT_EQ(decoder.header()->revision.get(), 77);
    EXPECT_EQ(decoder.header()->created, "2026-01-02T03:04:05Z");
  }
}

TEST(Backup_File, a_file_that_was_cut_is_never_done) {
  const std::string file = whole_file();
  for (std::size_t size = 0; size < file.size(); ++size) {
    BackupDecoder decoder;
    const Read got = read(file.substr(0, size), 50, decoder);
    EXPECT_FALSE(got.done) << size;
    EXPECT_FALSE(got.error) << size;
  }
}

TEST(Backup_File, any_flipped_bit_is_noticed) {
  const std::string file = whole_file();
  for (std::size_t at = 0; at < file.size(); ++at) {
    std::string flipped = file;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    BackupDecoder decoder;
    EXPECT_FALSE(read(flipped, file.size(), decoder).done) << at;
  }
}

TEST(Backup_File, a_part_that_is_missing_is_noticed) {
  BackupEncoder encoder;
  std::string file = encoder.begin(BackupHeader());
  static_cast<void>(encoder.part(some(1, 3)));
  file += encoder.end();
  BackupDecoder decoder;
  const Read got = read(file, 100, decoder);
  ASSERT_TRUE(got.error);
  EXPECT_EQ(got.error->code(), Code::DataLoss);
}

TEST(Backup_File, other_files_and_later_formats_are_told_apart) {
  BackupDecoder other;
  EXPECT_EQ(read("PK\x03\x04 something", 100, other).error->message(), "this is no backup of flotilla");
  BackupEncoder encoder;
  BackupHeader header;
  header.format = 2;
  BackupDecoder later;
  EXPECT_EQ(read(encoder.begin(header), 100, later).error->code(), Code::Unsupported);
}

}  // namespace
}  // namespace flotilla::backup
