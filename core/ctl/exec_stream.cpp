// SPDX-License-Identifier: Apache-2.0
#include "core/ctl/exec_stream.hpp"

namespace flotilla::ctl {
namespace {

constexpr int kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;
constexpr std::uint64_t kLargest = 64u << 20;

std::string frame(int kind, std::string_view first, std::string_view payload, std::uint32_t mask) {
  std::string out(1, static_cast<char>(0x80 | kind));
  const std::uint64_t size = first.size() + payload.size();
  const int wide = size < 126 ? 0 : size < 65536 ? 2 : 8;
  out += static_cast<char>(0x80 | (wide == 0 ? size : wide == 2 ? 126 : 127));
  for (int shift = 8 * (wide - 1); shift >= 0; shift -= 8) out += static_cast<char>((size >> shift) & 0xff);
  char key[4];
  for (int i = 0; i < 4; ++i) key[i] = static_cast<char>(mask >> (8 * i));
  out.append(key, 4);
  std::size_t at = 0;
  for (const std::string_view part : {first, payload}) {
    for (const char c : part) out += static_cast<char>(c ^ key[at++ % 4]);
  }
  return out;
}

}  // namespace

std::string client_frame(Channel channel, std::string_view payload, std::uint32_t mask) {
  const char first = static_cast<char>(channel);
  return frame(kBinary, {&first, 1}, payload, mask);
}

std::string pong_frame(std::string_view payload, std::uint32_t mask) {
  return frame(kPong, {}, payload, mask);
}

std::optional<ServerMessages::Message> ServerMessages::next() {
  while (!broken_ && bytes_.size() >= 2) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes_[at]); };
    std::uint64_t length = byte(1) & 0x7f;
    std::size_t head = 2;
    if (length >= 126) {
      const std::size_t wide = length == 126 ? 2 : 8;
      if (bytes_.size() < head + wide) return std::nullopt;
      length = 0;
      for (std::size_t i = 0; i < wide; ++i) length = length << 8 | byte(head + i);
      head += wide;
    }
    broken_ = (byte(1) & 0x80) != 0 || length > kLargest || fragments_.size() + length > kLargest;
    if (broken_ || bytes_.size() < head + length) return std::nullopt;
    const int kind = byte(0) & 0x0f;
    const bool last = (byte(0) & 0x80) != 0;
    std::string payload = bytes_.substr(head, length);
    bytes_.erase(0, head + length);
    if (kind == kClose) return Message{Message::Kind::Closed, Channel::Close, std::move(payload)};
    if (kind == kPing) return Message{Message::Kind::Ping, Channel::Close, std::move(payload)};
    if (kind != kBinary && kind != kText && kind != kContinuation) continue;
    fragments_ += payload;
    if (!last) continue;
    std::string whole = std::move(fragments_);
    fragments_.clear();
    if (whole.empty()) continue;
    const auto channel = static_cast<Channel>(static_cast<unsigned char>(whole[0]));
    return Message{Message::Kind::Data, channel, whole.substr(1)};
  }
  return std::nullopt;
}

}  // namespace flotilla::ctl
