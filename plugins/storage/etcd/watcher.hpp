// SPDX-License-Identifier: Apache-2.0
// One watch of the host, over as many streams of etcd as it takes: when one breaks, the next begins with the
// revision behind the last one that was delivered.
//
// A stream is asked for one revision earlier than wanted, and what is too early is dropped: etcd accepts a
// watch from the very revision it is compacted to, but may have forgotten deletions of that revision.
//
// Progress. Members up to 3.4.30 and 3.5.12 answer a request for progress out of order with the events before
// it, or not at all (etcd issues 15220 and 17507). On those the mark (layout.hpp) is written instead: the
// watch reaches up to it, and its event comes after all earlier ones.
//
// Thread: all members from any thread.
#pragma once

#include <flotilla/sdk/storage_events.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "cluster.hpp"
#include "layout.hpp"
#include "messages.hpp"

namespace flotilla::plugins::storage::etcd {

class Watcher : public std::enable_shared_from_this<Watcher> {
 public:
  // `ended`: the host's stream is gone. `write_mark`: makes a revision at the mark.
  struct Services {
    Cluster& cluster;
    const Layout& layout;
    std::function<void(Watcher&)> ended;
    std::function<void()> write_mark;
  };
  Watcher(Services services, const flt_storage_watch_request_t& request, sdk::EventStream stream);

  void start();
  // Tell soon how far it is.
  void progress();
  // The member that was used is given up: what still comes from it is not waited for.
  void moved(std::size_t from);
  void stop();
  flt_stream_t* handle() const { return stream_.raw(); }

 private:
  void from_now();
  void connect();
  void message(std::uint64_t stream, std::string body);
  void disconnected(std::uint64_t stream, RpcAnswer ending);
  void connect_later();
  void renew_token();
  void refused(const sdk::Failure& failure);
  void ask_progress();
  void credit();
  // With the mutex held.
  void read_on();
  void take(std::string body);
  void deliver(std::vector<std::string> bodies);
  void deliver_events(std::vector<std::string>& bodies, const std::vector<WatchAnswer>& parts);
  bool push_events(std::span<const WireEvent* const> events);
  void cancelled(const WatchAnswer& answer);
  bool wants(const WireEvent& event) const;
  void push(const std::vector<flt_storage_event_t>& events, const sdk::Arena& arena, std::int64_t progress);
  void push_progress(std::int64_t revision);
  void finish(flt_status_t status, const std::string& message, const std::string& reason);

  const Services services_;
  const std::string key_;  // as stored
  const std::string end_;
  const bool previous_;
  std::mutex mutex_;  // all below
  sdk::EventStream stream_;
  bool over_ = false;
  std::int64_t next_ = 0;         // the first revision not delivered; 0: from now on
  std::int64_t progress_to_ = 0;  // the host waits to hear that this was reached
  std::int64_t told_ = 0;         // the progress of the last batch
  bool asking_ = false;           // for progress
  std::shared_ptr<RpcStream> source_;
  std::uint64_t source_number_ = 0;
  std::size_t endpoint_ = 0;
  bool reading_ = false;  // a message of the source is wanted
  bool blocked_ = false;  // the host has no credit left
  bool progress_due_ = false;
  std::vector<std::string> held_;  // an answer that is not, or not all, delivered while blocked
  bool waiting_ = false;           // to connect
  bool denied_ = false;            // once: the token may just have been old
  int failures_ = 0;
  std::vector<std::string> fragments_;
};

}  // namespace flotilla::plugins::storage::etcd
