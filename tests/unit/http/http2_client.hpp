// SPDX-License-Identifier: Apache-2.0
// A blocking HTTP/2 client without TLS on nghttp2, and a way to send it frames that no client would.
#pragma once

#include <nghttp2/nghttp2.h>

#include <map>

#include "tests/unit/http/loopback.hpp"

namespace flotilla::http::test {

struct Http2Answer {
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string body;
  bool ended = false;   // END_STREAM
  bool closed = false;  // ended or reset
  std::uint32_t error = 0;
};

class Http2Client {
 public:
  explicit Http2Client(std::uint16_t port, std::uint32_t window = 1u << 20) : raw_(port) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, 1);
  }
  ~Http2Client() { nghttp2_session_del(session_); }
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  std::int32_t ask(const std::string& method, const std::string& path, const std::string& body = {},
                   const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    std::vector<std::pair<std::string, std::string>> all = {
        {":method", method}, {":scheme", "http"}, {":authority", "test"}, {":path", path}};
    all.insert(all.end(), headers.begin(), headers.end());
    std::vector<nghttp2_nv> fields;
    for (auto& [name, value] : all) {
      fields.push_back({reinterpret_cast<std::uint8_t*>(name.data()),
                        reinterpret_cast<std::uint8_t*>(value.data()), name.size(), value.size(), 0});
    }
    nghttp2_data_provider provider{};
    provider.source.ptr = this;
    provider.read_callback = give;
    const std::int32_t id = nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(),
                                                   body.empty() ? nullptr : &provider, nullptr);
    bodies_[id] = body;
    flush();
    return id;
  }
  void reset(std::int32_t id) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    flush();
  }
  // Until `done` holds or the peer closes (false).
  template <typename Done>
  bool run_until(Done done) {
    while (!done()) {
      const std::string bytes = raw_.read_some();
      if (bytes.empty()) return false;
      if (nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                   bytes.size()) < 0) {
        return false;
      }
      flush();
    }
    return true;
  }
  const Http2Answer& wait(std::int32_t id) {
    run_until([&] { return answers[id].closed; });
    return answers[id];
  }
  void send_raw(std::string_view bytes) { raw_.send(bytes); }
  void flush() {
    for (;;) {
      const std::uint8_t* bytes = nullptr;
      const ssize_t count = nghttp2_session_mem_send(session_, &bytes);
      if (count <= 0) return;
      raw_.send({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count)});
    }
  }

  std::map<std::int32_t, Http2Answer> answers;
  bool told_to_go = false;  // GOAWAY
  std::uint32_t go_error = 0;

 private:
  static Http2Client& of(void* user) { return *static_cast<Http2Client*>(user); }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_length, const std::uint8_t* value, std::size_t value_length,
                       std::uint8_t, void* user) {
    Http2Answer& answer = of(user).answers[frame->hd.stream_id];
    const std::string key(reinterpret_cast<const char*>(name), name_length);
    const std::string text(reinterpret_cast<const char*>(value), value_length);
    if (key == ":status") answer.status = std::stoi(text);
    answer.headers[key] = text;
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                     std::size_t count, void* user) {
    of(user).answers[id].body.append(reinterpret_cast<const char*>(bytes), count);
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      of(user).told_to_go = true;
      of(user).go_error = frame->goaway.error_code;
    }
    if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      of(user).answers[frame->hd.stream_id].ended = true;
    }
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
    of(user).answers[id].closed = true;
    of(user).answers[id].error = error;
    return 0;
  }
  static ssize_t give(nghttp2_session*, std::int32_t id, std::uint8_t* into, std::size_t room,
                      std::uint32_t* flags, nghttp2_data_source* source, void*) {
    std::string& body = static_cast<Http2Client*>(source->ptr)->bodies_[id];
    const std::size_t count = std::min(room, body.size());
    std::copy_n(body.begin(), count, into);
    body.erase(0, count);
    if (body.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  RawClient raw_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, std::string> bodies_;
};

}  // namespace flotilla::http::test
