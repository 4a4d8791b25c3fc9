// SPDX-License-Identifier: Apache-2.0
// Calls over gRPC: one completion queue, one thread that runs whatever becomes of them. Everything given as
// `done`, `message` or `end` runs on that thread, as do timers.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "grpc_library.hpp"

namespace flotilla::plugins::storage::etcd {

struct TlsFiles {
  bool enabled = false;
  std::string authority;    // PEM file; empty: the system's
  std::string certificate;  // PEM files of the client, both or neither
  std::string key;
  std::string server_name;  // that the server's certificate must have; empty: the endpoint's
};

struct ChannelOptions {
  TlsFiles tls;
  std::int64_t dial_timeout_ms = 2000;
  std::int64_t keep_alive_ms = 10'000;
  std::int64_t keep_alive_timeout_ms = 3000;
};

// gRPC's codes are those of the ABI.
struct RpcAnswer {
  int code = FLT_OK;
  std::string message;
  std::string body;
  bool ok() const { return code == FLT_OK; }
};

using Metadata = std::vector<std::pair<std::string, std::string>>;

class RpcLoop;

// A connection that is made when it is first used, and again when it broke.
class Channel {
 public:
  // Throws Failure when a file of `options.tls` cannot be read.
  Channel(const GrpcLibrary& grpc, const std::string& address, const ChannelOptions& options);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  grpc_channel* raw() const { return channel_; }
  void connect_at_once() { grpc_.grpc_channel_reset_connect_backoff(channel_); }

 private:
  const GrpcLibrary& grpc_;
  grpc_channel* channel_;
};

// A stream in both directions. Every member from any thread.
class RpcStream {
 public:
  struct Handlers {
    std::function<void(std::string body)> message;  // one per want()
    std::function<void(RpcAnswer ending)> end;      // once, last
  };
  virtual ~RpcStream() = default;
  virtual void send(std::string message) = 0;
  virtual void want() = 0;  // one more message
  virtual void cancel() = 0;
};

class RpcLoop {
 public:
  explicit RpcLoop(const flt_host_t* host);
  ~RpcLoop();  // stop()
  RpcLoop(const RpcLoop&) = delete;
  RpcLoop& operator=(const RpcLoop&) = delete;

  const GrpcLibrary& grpc() const { return grpc_; }
  void call(std::shared_ptr<Channel> channel, const char* method, std::string request,
            const Metadata& metadata, std::int64_t timeout_ms, std::function<void(RpcAnswer)> done);
  std::shared_ptr<RpcStream> open(std::shared_ptr<Channel> channel, const char* method,
                                  const Metadata& metadata, RpcStream::Handlers handlers);
  // On the thread of this loop alone.
  void after(std::int64_t delay_ms, std::function<void()> work);
  std::int64_t now_ms() const { return host_->clock->monotonic_ns(host_) / 1'000'000; }

  // Cancels all there is, waits for its end, ends the thread. No timer runs any more.
  void stop();

  struct Tag {
    virtual ~Tag() = default;
    virtual void happened(bool ok) = 0;
  };

 private:
  friend class Unary;
  friend class Bidirectional;
  void run();
  std::int64_t run_timers();  // when to look again; in nanoseconds
  bool enter(void* owner, grpc_call* call);
  void leave(void* owner);

  const flt_host_t* host_;
  const GrpcLibrary grpc_;
  grpc_completion_queue* queue_;
  std::multimap<std::int64_t, std::function<void()>> timers_;  // the thread's
  std::mutex mutex_;                                           // all below
  std::condition_variable left_;
  std::unordered_map<void*, grpc_call*> live_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace flotilla::plugins::storage::etcd
