// SPDX-License-Identifier: Apache-2.0
// What all connections of one server share, and what HTTP/1.1 and HTTP/2 have in common. Internal to
// core/http.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include "core/http/wire.hpp"

namespace flotilla::http {

// Outlives the connections.
struct ServerContext {
  const Clock& clock;
  ServerOptions options;
  Handler handler;
  std::shared_ptr<asio::ssl::context> tls;  // null: plain HTTP
  std::atomic<bool> stopping{false};

  // The handler's answer; 500 when it throws. `cancelled`: it was ended from outside, there is nothing to
  // say.
  Task<Response> call(Request request, bool& cancelled);
  // The answer to what never reaches the handler.
  Response refusal(int status, std::string_view message) const;
};

// When a connection is given up. Thread: set on the connection's strand, looked at by the server's sweep.
class Deadline {
 public:
  explicit Deadline(const Clock& clock) : clock_(clock) {}
  void set_after(Duration delay) {
    const SteadyTime at = clock_.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(delay);
    at_.store(at.time_since_epoch().count(), std::memory_order_relaxed);
  }
  void set_never() { at_.store(SteadyTime::max().time_since_epoch().count(), std::memory_order_relaxed); }
  bool passed(SteadyTime now) const {
    return now.time_since_epoch().count() >= at_.load(std::memory_order_relaxed);
  }
  SteadyTime now() const { return clock_.steady_now(); }

 private:
  const Clock& clock_;
  std::atomic<SteadyTime::rep> at_{SteadyTime::max().time_since_epoch().count()};
};

// Splits "/path?query" (or "http://host/path?query") into the request.
void set_target(Request& request, std::string_view target);
bool has_no_body(int status);

// Bounds of a head, whatever the protocol.
inline constexpr std::size_t kMaxHeaderFields = 1000;

}  // namespace flotilla::http
