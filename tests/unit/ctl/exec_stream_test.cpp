// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/exec_stream.hpp"

#include <gtest/gtest.h>

namespace flotilla::ctl {
namespace {

using namespace std::string_literals;
using Kind = ServerMessages::Message::Kind;

TEST(Ctl_ExecStream, frames_of_a_client_are_masked) {
  EXPECT_EQ(client_frame(Channel::In, "hi", 0), "\x82\x83\0\0\0\0\0hi"s);
  EXPECT_EQ(client_frame(Channel::In, "hi", 0x04030201),
            "\x82\x83\x01\x02\x03\x04\x01"s + char('h' ^ 2) + char('i' ^ 3));
  const std::string long_one = client_frame(Channel::In, std::string(300, 'x'), 0);
  EXPECT_EQ(long_one.substr(0, 4), "\x82\xfe\x01\x2d"s);
}

TEST(Ctl_ExecStream, messages_come_in_any_pieces) {
  const std::string bytes = "\x82\x03\x01hi"s + "\x89\x01!"s +
                            "\x02\x02\x02"
                            "a"s +
                            "\x80\x01"
                            "b"s +
                            "\x88\x02\x03\xe8"s;
  for (std::size_t step = 1; step <= bytes.size(); ++step) {
    ServerMessages messages;
    std::string told;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      messages.feed(std::string_view(bytes).substr(at, step));
      while (const auto one = messages.next()) {
        told += one->kind == Kind::Ping     ? "ping "
                : one->kind == Kind::Closed ? "closed"
                                            : std::to_string(int(one->channel)) + one->payload + " ";
      }
    }
    EXPECT_EQ(told, "1hi ping 2ab closed") << step;
    EXPECT_FALSE(messages.broken());
  }
}

TEST(Ctl_ExecStream, a_masked_or_endless_message_is_broken) {
  ServerMessages masked;
  masked.feed("\x82\x81\0\0\0\0x"s);
  EXPECT_FALSE(masked.next());
  EXPECT_TRUE(masked.broken());
  ServerMessages endless;
  endless.feed("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"s);
  EXPECT_FALSE(endless.next());
  EXPECT_TRUE(endless.broken());
}

}  // namespace
}  // namespace flotilla::ctl
