// SPDX-License-Identifier: Apache-2.0
#include "core/http/websocket.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "core/async/fiber_scope.hpp"
#include "core/base/base64.hpp"
#include "core/http/status.hpp"

namespace flotilla::http {

namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view kBase64 = "base64.binary.k8s.io";
constexpr char kText = '\x81';
constexpr char kClose = '\x88';
constexpr char kPong = '\x8a';
constexpr std::size_t kMaxFromClient = 64u << 10;  // there is nothing to say

bool has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    std::string_view one = list.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (same_name(one, token)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
  return false;
}

std::string accept_of(std::string_view key) {
  const std::string text = std::string(key) + std::string(kGuid);
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return base64_encode({reinterpret_cast<const char*>(digest), sizeof digest});
}

void append_frame(std::string& out, char kind, std::string_view payload) {
  out += kind;
  const std::size_t size = payload.size();
  int bytes = 0;
  if (size < 126) {
    out += static_cast<char>(size);
  } else {
    bytes = size < 65536 ? 2 : 8;
    out += static_cast<char>(bytes == 2 ? 126 : 127);
  }
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>((static_cast<std::uint64_t>(size) >> shift) & 0xff);
  }
  out.append(payload);
}

// What a client sends: frames, masked.
class Frames {
 public:
  struct Frame {
    int kind;
    std::string payload;
  };
  void feed(std::string_view bytes) { bytes_.append(bytes); }
  // False: nothing whole is here. `broken`: the client does not know the rules, or says too much.
  bool next(Frame& frame, bool& broken) {
    if (bytes_.size() < 2) return false;
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes_[at]); };
    std::uint64_t length = byte(1) & 0x7f;
    std::size_t head = 2;
    if (length >= 126) {
      const std::size_t wide = length == 126 ? 2 : 8;
      if (bytes_.size() < head + wide) return false;
      length = 0;
      for (std::size_t i = 0; i < wide; ++i) length = length << 8 | byte(head + i);
      head += wide;
    }
    broken = (byte(1) & 0x80) == 0 || length > kMaxFromClient;
    if (broken || bytes_.size() < head + 4 + length) return false;
    frame.kind = byte(0) & 0x0f;
    frame.payload = bytes_.substr(head + 4, length);
    for (std::size_t i = 0; i < frame.payload.size(); ++i) {
      frame.payload[i] = static_cast<char>(frame.payload[i] ^ bytes_[head + i % 4]);
    }
    bytes_.erase(0, head + 4 + length);
    return true;
  }

 private:
  std::string bytes_;
};

struct Speaker {
  std::unique_ptr<BodyStream> source;
  bool base64 = false;
  std::string queue;  // frames to be sent by whoever is at it
  bool sending = false;
};

// One write at a time, whole frames in order, whichever of the two fibers has something to say.
Task<bool> send(std::shared_ptr<Duplex> duplex, std::shared_ptr<Speaker> speaker, std::string frames) {
  speaker->queue.append(frames);
  if (speaker->sending) co_return true;
  speaker->sending = true;
  bool good = true;
  while (good && !speaker->queue.empty()) {
    auto writing = duplex->write(std::exchange(speaker->queue, {}));
    const Status written = co_await std::move(writing);
    good = written.ok();
  }
  speaker->sending = false;
  co_return good;
}

Task<void> speak(std::shared_ptr<Duplex> duplex, std::shared_ptr<Speaker> speaker) {
  std::string message;
  for (;;) {
    auto taking = speaker->source->next();
    const std::vector<Chunk> chunks = co_await std::move(taking);
    if (chunks.empty()) break;
    std::string frames;
    for (const Chunk& chunk : chunks) {
      message.append(chunk.bytes);
      if (!message.ends_with('\n')) continue;
      append_frame(frames, kText, speaker->base64 ? base64_encode(message) : message);
      message.clear();
    }
    auto sending = send(duplex, speaker, std::move(frames));
    if (!co_await std::move(sending)) break;
    while (speaker->sending) {  // a pong on its way: no more than this may pile up behind it
      auto pausing = sleep_for(std::chrono::milliseconds(5));
      co_await std::move(pausing);
    }
  }
  std::string goodbye;
  append_frame(goodbye, kClose, std::string_view("\x03\xe8", 2));  // 1000: normal
  auto sending = send(duplex, speaker, std::move(goodbye));
  co_await std::move(sending);
  duplex->close();
}

Task<void> listen(std::shared_ptr<Duplex> duplex, std::shared_ptr<Speaker> speaker) {
  Frames frames;
  for (;;) {
    auto reading = duplex->read();
    auto bytes = co_await std::move(reading);
    if (!bytes || bytes->empty()) co_return;
    frames.feed(*bytes);
    Frames::Frame frame;
    bool broken = false;
    while (frames.next(frame, broken)) {
      if (frame.kind == 8) co_return;
      if (frame.kind != 9 || speaker->queue.size() > kMaxFromClient) continue;
      std::string pong;
      append_frame(pong, kPong, std::string_view(frame.payload).substr(0, 125));
      auto sending = send(duplex, speaker, std::move(pong));
      if (!co_await std::move(sending)) co_return;
    }
    if (broken) co_return;
  }
}

Task<void> converse(std::shared_ptr<Duplex> duplex, std::shared_ptr<Speaker> speaker) {
  FiberScope scope(co_await boost::asio::this_coro::executor, "websocket");
  scope.spawn(speak(duplex, speaker));
  auto listening = listen(duplex, speaker);
  co_await std::move(listening);
  scope.cancel();
  duplex->close();
  auto joining = scope.join();
  co_await std::move(joining);
}

}  // namespace

bool wants_websocket(const Request& request) {
  return has_token(request.headers.get("Connection"), "upgrade") &&
         same_name(request.headers.get("Upgrade"), "websocket");
}

Response websocket_response(const Request& request, std::unique_ptr<BodyStream> source) {
  Response response;
  const std::string_view key = request.headers.get("Sec-WebSocket-Key");
  if (key.empty() || request.headers.get("Sec-WebSocket-Version") != "13") {
    response.status = 400;
    response.headers.add("Sec-WebSocket-Version", "13");
    response.body.push_back(Chunk::of_static("not a WebSocket handshake\n"));
    return response;
  }
  response.status = 101;
  response.headers.add("Connection", "Upgrade");
  response.headers.add("Upgrade", "websocket");
  response.headers.add("Sec-WebSocket-Accept", accept_of(key));
  auto speaker = std::make_shared<Speaker>();
  speaker->source = std::move(source);
  speaker->base64 = has_token(request.headers.get("Sec-WebSocket-Protocol"), kBase64);
  if (speaker->base64) response.headers.add("Sec-WebSocket-Protocol", std::string(kBase64));
  response.upgrade = [speaker](std::shared_ptr<Duplex> duplex) {
    return converse(std::move(duplex), speaker);
  };
  return response;
}

}  // namespace flotilla::http
