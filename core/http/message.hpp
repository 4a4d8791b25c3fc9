// SPDX-License-Identifier: Apache-2.0
// Beast's incremental parser filling our own values: one allocation per field, none of Beast's containers.
// Internal: included by connection.cpp and client.cpp alone.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <string>
#include <utility>

#include "core/http/http.hpp"
#include "core/http/server_context.hpp"
#include "core/http/status.hpp"
#include "core/http/wire.hpp"

namespace flotilla::http {

namespace beast_http = boost::beast::http;
using BeastString = boost::beast::string_view;

inline std::string_view std_view(BeastString text) {
  return {text.data(), text.size()};
}

template <bool is_request>
class MessageParser : public beast_http::basic_parser<is_request> {
 public:
  MessageParser() { this->eager(true); }

  std::string method;
  std::string target;
  int status = 0;
  int version = 11;
  Headers headers;
  std::string body;
  bool expects_continue = false;

  // Feeds what was read ahead. False: an error, in `error`. More must be read when not is_done().
  bool feed(ReadBuffer& ahead, ErrorCode& error) {
    while (!ahead.empty() && !this->is_done()) {
      const std::string_view data = ahead.data();
      const std::size_t used = this->put(boost::asio::const_buffer(data.data(), data.size()), error);
      ahead.consume(used);
      if (error == beast_http::error::need_more) {
        error = {};
        return true;
      }
      if (error) return false;
    }
    return true;
  }

 private:
  using Base = beast_http::basic_parser<is_request>;
  using Field = beast_http::field;
  static constexpr std::size_t kReserve = 16u << 20;  // memory that is not written to is not taken

  void on_request_impl(beast_http::verb, BeastString method_text, BeastString target_text, int number,
                       ErrorCode&) override {
    method = std_view(method_text);
    target = std_view(target_text);
    version = number;
  }
  void on_response_impl(int code, BeastString, int number, ErrorCode&) override {
    status = code;
    version = number;
  }
  void on_field_impl(Field name, BeastString text, BeastString value, ErrorCode& error) override {
    if (headers.fields().size() >= kMaxHeaderFields) {
      error = beast_http::error::header_limit;
      return;
    }
    headers.add(std::string(std_view(text)), std::string(std_view(value)));
    if (name == Field::expect && same_name(std_view(value), "100-continue")) expects_continue = true;
  }
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) override {
    // A length is only a claim: big ones are believed as the bytes arrive.
    if (length) body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*length, kReserve)));
  }
  std::size_t on_body_impl(BeastString bytes, ErrorCode&) override {
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, BeastString, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastString bytes, ErrorCode&) override {
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(ErrorCode&) override {}
};

}  // namespace flotilla::http
