// SPDX-License-Identifier: Apache-2.0
// The connections a client keeps to one endpoint. Internal to core/http. Thread: all from any strand; this is
// the one mutex of core/http, held for a few instructions: fibers of many strands share a client.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/http/url.hpp"
#include "core/http/wire.hpp"

namespace flotilla::http {

struct PooledWire {
  explicit PooledWire(Socket socket) : wire(std::move(socket)) {}
  Wire wire;
  SteadyTime idle_since{};
  bool reused = false;
};

// Shared, because a timer may close it while its fiber waits on it.
using PooledWirePtr = std::shared_ptr<PooledWire>;

class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  ConnectionPool(const Executor& executor, ClientOptions options);

  // The right to one plain request at a time; given back when it is destroyed.
  class Slot {
   public:
    explicit Slot(std::shared_ptr<ConnectionPool> pool) : pool_(std::move(pool)) {}
    Slot(Slot&& other) noexcept = default;
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (pool_) pool_->leave();
    }

   private:
    std::shared_ptr<ConnectionPool> pool_;
  };

  // In order of arrival. Errors: Timeout, Unavailable after close().
  Task<Result<Slot>> enter(Duration timeout);
  // An idle connection that still looks alive, or null.
  PooledWirePtr take_idle();
  // A new one, TLS included. Errors: Unavailable, Timeout, Unauthorized.
  Task<Result<PooledWirePtr>> connect(Duration timeout);
  // For the next request.
  void give_back(PooledWirePtr wire);
  void close();

  const ClientOptions& options() const { return options_; }
  const Url& url() const { return url_; }
  const std::string& host_header() const { return host_header_; }
  const Status& usable() const { return usable_; }

 private:
  struct Waiter {
    explicit Waiter(const AnyExecutor& executor) : timer(executor) {}
    asio::steady_timer timer;
    bool granted = false;
  };

  void leave();
  Task<Result<std::vector<tcp::endpoint>>> resolve(std::string host, std::uint16_t port);
  Task<Status> establish(PooledWirePtr connection);
  Task<Status> tunnel(PooledWirePtr connection);
  Task<Status> tunnel_socks(PooledWirePtr connection);
  Task<Status> start_tls(PooledWirePtr connection);
  Task<Status> shake_hands(PooledWirePtr connection, std::string name, std::string authority);

  const Executor& executor_;
  const ClientOptions options_;
  Url url_;
  Url proxy_;
  bool has_proxy_ = false;
  std::shared_ptr<asio::ssl::context> proxy_tls_;  // of an https proxy
  std::string host_header_;
  Status usable_;
  std::shared_ptr<asio::ssl::context> tls_;

  std::mutex mutex_;
  std::vector<PooledWirePtr> idle_;  // the one used last at the end
  std::list<std::shared_ptr<Waiter>> waiters_;
  std::size_t in_use_ = 0;
  bool closed_ = false;
};

// Closes a connection when time is up; the operation waiting on it then fails. Thread: the fiber's strand.
class Alarm {
 public:
  Alarm(const AnyExecutor& executor, Duration after, PooledWirePtr connection);
  ~Alarm() { disarm(); }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  bool rang() const { return state_->rang; }
  void disarm();

 private:
  struct State {
    PooledWirePtr connection;
    bool rang = false;
  };
  asio::steady_timer timer_;
  std::shared_ptr<State> state_;
};

// The same for one wait after another on a stream. It stays set between them and moves on when it rings:
// events come far more often than they fail to.
class IdleAlarm {
 public:
  explicit IdleAlarm(PooledWirePtr connection) : state_(std::make_shared<State>(std::move(connection))) {}
  ~IdleAlarm();  // anywhere
  IdleAlarm(const IdleAlarm&) = delete;
  IdleAlarm& operator=(const IdleAlarm&) = delete;
  // On one strand, that of the first call.
  void begin(const AnyExecutor& executor, Duration idle);
  void end() { state_->due = SteadyTime::max(); }
  bool rang() const { return state_->rang; }

 private:
  struct State : std::enable_shared_from_this<State> {
    explicit State(PooledWirePtr the_connection) : connection(std::move(the_connection)) {}
    void set();
    PooledWirePtr connection;
    std::optional<asio::steady_timer> timer;
    SteadyTime due = SteadyTime::max();
    SteadyTime set_to = SteadyTime::max();
    bool rang = false;
  };
  const std::shared_ptr<State> state_;
};

}  // namespace flotilla::http
