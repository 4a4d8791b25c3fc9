// SPDX-License-Identifier: Apache-2.0
#include "core/scheduler/columns.hpp"

#include <gtest/gtest.h>

#include <random>

namespace flotilla::scheduler {
namespace {

std::size_t size_of(const std::vector<std::int64_t>& values) {
  ByteWriter out;
  out.column(values);
  ByteReader in(out.bytes());
  EXPECT_EQ(in.column(values.size()), values);
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.at_end());
  return out.bytes().size();
}

TEST(Scheduler_Columns, are_as_short_as_their_values_allow) {
  std::vector<std::int64_t> same(5000, 100), rising, noisy;
  std::mt19937 random(1);
  for (std::int64_t i = 0; i < 5000; ++i) {
    rising.push_back(7 + i);
    noisy.push_back(1000 + static_cast<std::int64_t>(random() % 256));
  }
  EXPECT_EQ(size_of({}), 1u);
  EXPECT_LE(size_of(same), 8u);
  EXPECT_LE(size_of(rising), 10u);
  EXPECT_LE(size_of(noisy), 5010u);
}

TEST(Scheduler_Columns, hold_any_numbers) {
  size_of({INT64_MIN, INT64_MAX, 0, -1, 1});
  size_of({INT64_MAX, INT64_MAX, INT64_MIN});
  std::mt19937_64 random(7);
  for (unsigned bits = 0; bits <= 64; ++bits) {
    std::vector<std::int64_t> values;
    for (int i = 0; i < 77; ++i)
      values.push_back(static_cast<std::int64_t>(bits == 0 ? 0 : random() >> (64 - bits)));
    size_of(values);
  }
}

TEST(Scheduler_Columns, of_nonsense_are_refused_and_never_read_beyond_the_end) {
  ByteWriter out;
  out.text("name");
  out.column(std::vector<std::int64_t>{1, 2, 300, 4, -5, 1000000, 7});
  out.column(std::vector<std::int64_t>(100, 3));
  std::mt19937 random(3);
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = out.bytes();
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % (bytes.size() + 1));
    ByteReader in(bytes);
    in.text();
    EXPECT_LE(in.column(1000).size(), 1000u);
    EXPECT_LE(in.column(1000).size(), 1000u);
  }
  ByteReader in("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
  in.number();
  EXPECT_FALSE(in.ok());
}

}  // namespace
}  // namespace flotilla::scheduler
