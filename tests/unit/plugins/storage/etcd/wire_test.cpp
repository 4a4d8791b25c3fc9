// SPDX-License-Identifier: Apache-2.0
#include "plugins/storage/etcd/wire.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "plugins/storage/etcd/messages.hpp"

namespace flotilla::plugins::storage::etcd {
namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}

TEST(Etcd_Wire, numbers_and_texts_are_written_as_protobuf_does) {
  WireWriter out;
  out.integer(1, 150);
  out.bytes(2, "testing");
  out.integer(3, 0);
  out.bytes(4, "");
  out.present_integer(5, 0);
  EXPECT_EQ(out.view(), bytes({0x08, 0x96, 0x01, 0x12, 0x07}) + "testing" + bytes({0x28, 0x00}));
}

TEST(Etcd_Wire, messages_nest_at_any_size) {
  for (const std::size_t size : {0u, 1u, 119u, 120u, 127u, 128u, 300u, 20'000u, 3'000'000u}) {
    WireWriter out;
    const std::string text(size, 'x');
    const std::size_t outer = out.open(7);
    const std::size_t inner = out.open(3);
    out.bytes(1, text);
    out.close(inner);
    out.integer(2, -5);
    out.close(outer);
    out.flag(8, true);
    WireReader reader(out.view());
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.field(), 7u);
    WireReader middle(reader.bytes());
    ASSERT_TRUE(middle.next());
    EXPECT_EQ(middle.field(), 3u);
    WireReader last(middle.bytes());
    EXPECT_EQ(last.next(), size != 0);
    EXPECT_EQ(last.bytes(), text);
    ASSERT_TRUE(middle.next());
    EXPECT_EQ(middle.integer(), -5);
    ASSERT_TRUE(reader.next());
    EXPECT_TRUE(reader.flag());
    EXPECT_FALSE(reader.next());
    EXPECT_FALSE(reader.broken());
  }
}

TEST(Etcd_Wire, the_largest_and_smallest_numbers_come_back) {
  for (const std::int64_t value :
       {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(), std::int64_t{-1},
        std::int64_t{127}, std::int64_t{128}}) {
    WireWriter out;
    out.present_integer(64, value);
    WireReader reader(out.view());
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.field(), 64u);
    EXPECT_EQ(reader.integer(), value);
  }
}

TEST(Etcd_Wire, fields_of_other_kinds_are_passed_over) {
  const std::string message = bytes({0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4, 0x18, 5});
  WireReader reader(message);
  ASSERT_TRUE(reader.next());
  ASSERT_TRUE(reader.next());
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 3u);
  EXPECT_EQ(reader.integer(), 5);
}

TEST(Etcd_Wire, what_is_cut_short_or_nonsense_ends_as_broken) {
  for (const std::string& message : {bytes({0x12}), bytes({0x12, 5, 'a'}), bytes({0x08, 0x80}), bytes({0x0b}),
                                     bytes({0x09, 1}), std::string(11, static_cast<char>(0xff))}) {
    WireReader reader(message);
    while (reader.next()) {
    }
    EXPECT_TRUE(reader.broken());
  }
}

TEST(Etcd_Wire, no_bytes_whatever_break_the_readers) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string message(random() % 60, '\0');
    for (char& byte : message) byte = static_cast<char>(random() % 3 == 0 ? random() : random() % 24);
    RangeAnswer range;
    TxnAnswer txn;
    WatchAnswer watch;
    StatusAnswer status;
    read_range(message, range);
    read_txn(message, txn);
    read_watch(message, watch);
    read_status(message, status);
    read_member_count(message);
    read_header_revision(message);
  }
}

TEST(Etcd_Wire, a_transaction_s_answer_shows_values_in_the_order_of_its_operations) {
  const auto value = [](WireWriter& out, std::uint32_t field, const char* key) {
    const std::size_t kv = out.open(field);
    out.bytes(1, key);
    out.integer(3, 7);
    out.close(kv);
  };
  WireWriter out;
  const std::size_t header = out.open(1);
  out.integer(3, 42);
  out.close(header);
  out.flag(2, true);
  for (const auto& [kind, field, key] :
       {std::tuple{2u, 2u, "put"}, std::tuple{3u, 3u, "deleted"}, std::tuple{1u, 2u, "read"}}) {
    const std::size_t response = out.open(3);
    const std::size_t inner = out.open(kind);
    if (kind == 3) out.integer(2, 1);
    value(out, field, key);
    out.close(inner);
    out.close(response);
  }
  TxnAnswer answer;
  ASSERT_TRUE(read_txn(out.view(), answer));
  EXPECT_TRUE(answer.succeeded);
  EXPECT_EQ(answer.revision, 42);
  ASSERT_EQ(answer.values.size(), 3u);
  EXPECT_EQ(answer.values[0].key, "put");
  EXPECT_EQ(answer.values[1].key, "deleted");
  EXPECT_EQ(answer.values[2].key, "read");
  EXPECT_EQ(answer.values[2].mod_revision, 7);
}

}  // namespace
}  // namespace flotilla::plugins::storage::etcd
