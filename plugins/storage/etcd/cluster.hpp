// SPDX-License-Identifier: Apache-2.0
// An etcd cluster as one thing to talk to: the members one after the other when they fail, the token of its
// authentication, and the newest revision that any answer has told. Thread: everything from any thread;
// what is given as `done` runs on the loop's thread, or inline when the loop has stopped.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "failures.hpp"

namespace flotilla::plugins::storage::etcd {

class Cluster {
 public:
  using Done = std::function<void(ClusterAnswer)>;
  enum class Repeat : std::uint8_t { Yes, IfNotDone };

  Cluster(const flt_host_t* host, const EtcdOptions& options);
  ~Cluster() { stop(); }

  // Within the request timeout. Repeat::Yes: as often as it takes; otherwise it is sent again only when it
  // surely had no effect.
  void call(const char* method, std::string request, Repeat repeat, Done done);
  // The same, for threads that may wait.
  ClusterAnswer wait(const char* method, std::string request);
  // A stream to the member in use. Null: stopping.
  struct Opened {
    std::shared_ptr<RpcStream> stream;
    std::size_t endpoint = 0;
  };
  Opened open(const char* method, RpcStream::Handlers handlers);
  // A new token, for a stream that was refused for its old one. `then` is told whether there is one.
  void renew_token(std::function<void(bool)> then);

  // `endpoint` does not do: the next one is used, and `moved` is told.
  void give_up(std::size_t endpoint);
  void on_move(std::function<void(std::size_t from)> moved) { moved_ = std::move(moved); }
  std::size_t endpoint() const { return current_; }
  const std::string& name(std::size_t endpoint) const { return options_.endpoints[endpoint]; }

  void saw(std::int64_t revision);
  std::int64_t newest() const { return newest_; }
  // Whether the member answers a request for progress only after the events before it; older versions do not.
  void note_version(const std::string& endpoint, std::string_view version);
  bool tells_progress(std::size_t endpoint) const { return tells_progress_[endpoint]; }

  RpcLoop& loop() { return loop_; }
  const EtcdOptions& options() const { return options_; }
  void stop();

 private:
  struct Call;
  void attempt(std::shared_ptr<Call> call);
  void judge(const std::shared_ptr<Call>& call, RpcAnswer answer);
  void repeat(const std::shared_ptr<Call>& call);
  Metadata metadata(const char* method);
  std::shared_ptr<Channel> channel(std::size_t endpoint);
  void connect_anew(std::size_t endpoint);
  void authenticated(ClusterAnswer answer);

  const sdk::Log log_;
  const EtcdOptions options_;
  RpcLoop loop_;
  std::function<void(std::size_t)> moved_;
  std::atomic<std::size_t> current_{0};
  std::atomic<std::int64_t> newest_{0};
  std::atomic<bool> stopping_{false};
  std::vector<std::atomic<bool>> tells_progress_;
  std::mutex mutex_;  // all below
  std::vector<std::shared_ptr<Channel>> channels_;
  std::vector<std::int64_t> connected_at_;  // ms
  std::string token_;
  std::vector<std::function<void(bool)>> waiting_for_token_;
};

}  // namespace flotilla::plugins::storage::etcd
