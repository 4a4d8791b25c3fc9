// SPDX-License-Identifier: Apache-2.0
// The client's end of a WebSocket as exec and attach use it: binary messages whose first byte is a channel
// (v4.channel.k8s.io, and v5 where the server knows how to end standard input).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flotilla::ctl {

enum class Channel : std::uint8_t { In = 0, Out = 1, Err = 2, Status = 3, Resize = 4, Close = 255 };

// One message of a client: masked, as they have to be.
std::string client_frame(Channel channel, std::string_view payload, std::uint32_t mask);
std::string pong_frame(std::string_view payload, std::uint32_t mask);

// Whole messages out of what a server sends.
class ServerMessages {
 public:
  struct Message {
    enum class Kind : std::uint8_t { Data, Ping, Closed };
    Kind kind = Kind::Data;
    Channel channel = Channel::Out;  // of data
    std::string payload;
  };
  void feed(std::string_view bytes) { bytes_.append(bytes); }
  // Nothing: more bytes are needed.
  std::optional<Message> next();
  // What came cannot be understood.
  bool broken() const { return broken_; }

 private:
  std::string bytes_;
  std::string fragments_;  // of a message in several frames
  bool broken_ = false;
};

}  // namespace flotilla::ctl
