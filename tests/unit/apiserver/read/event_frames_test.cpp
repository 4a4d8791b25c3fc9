// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/read/event_frames.hpp"

#include <gtest/gtest.h>

namespace flotilla::apiserver {
namespace {

TEST(EventFrames, encode_once_per_event_type_and_format) {
  EventFrames frames;
  const auto ask = [&](int revision, std::string_view type, std::string_view format) {
    return *frames.get({Revision(revision), type, format},
                       [&] { return std::string(type) + std::string(format); });
  };
  for (int watcher = 0; watcher < 1000; ++watcher) EXPECT_EQ(ask(7, "ADDED", "a"), "ADDEDa");
  EXPECT_EQ(frames.made(), 1u);
  EXPECT_EQ(ask(7, "MODIFIED", "a"), "MODIFIEDa");
  EXPECT_EQ(ask(7, "ADDED", "b"), "ADDEDb");
  EXPECT_EQ(ask(8, "ADDED", "a"), "ADDEDa");
  EXPECT_EQ(frames.made(), 4u);
}

TEST(EventFrames, keep_a_bounded_number) {
  EventFrames frames;
  for (int i = 1; i <= 1000; ++i)
    (void)frames.get({Revision(i), "ADDED", "a"}, [] { return std::string(100, 'x'); });
  (void)frames.get({Revision(1), "ADDED", "a"}, [] { return std::string(); });
  EXPECT_EQ(frames.made(), 1001u);
  const auto huge = [] { return std::string(1u << 20, 'x'); };
  (void)frames.get({Revision(2000), "ADDED", "a"}, huge);
  (void)frames.get({Revision(2000), "ADDED", "a"}, huge);
  EXPECT_EQ(frames.made(), 1003u);
}

}  // namespace
}  // namespace flotilla::apiserver
