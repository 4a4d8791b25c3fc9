// SPDX-License-Identifier: Apache-2.0
#include "core/http/pool.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/base/base64.hpp"
#include "core/http/socket.hpp"
#include "core/http/status.hpp"

namespace flotilla::http {

namespace {

constexpr Duration kIdleLimit = std::chrono::seconds(90);

Error unreachable(const std::string& where, const std::string& why) {
  return Error(Code::Unavailable, "connect to " + where + ": " + why);
}

bool is_address(const std::string& host) {
  ErrorCode error;
  asio::ip::make_address(host, error);
  return !error;
}

}  // namespace

ConnectionPool::ConnectionPool(const Executor& executor, ClientOptions options)
    : executor_(executor), options_(std::move(options)) {
  auto url = Url::parse(options_.base_url);
  if (!url) {
    usable_ = std::move(url).error();
    return;
  }
  url_ = *std::move(url);
  host_header_ = url_.authority();
  if (!options_.proxy_url.empty()) {
    auto proxy = Url::parse_proxy(options_.proxy_url);
    if (!proxy) {
      usable_ = Error(Code::Invalid,
                      "proxy \"" + options_.proxy_url + "\": it is no http://, https:// or socks5:// URL");
      return;
    }
    proxy_ = *std::move(proxy);
    has_proxy_ = true;
    if (proxy_.is_tls()) {
      auto tls = make_proxy_context(options_);
      if (!tls) {
        usable_ = std::move(tls).context(options_.proxy_url);
        return;
      }
      proxy_tls_ = *std::move(tls);
    }
  }
  if (!url_.is_tls()) return;
  auto tls = make_client_context(options_);
  if (tls) {
    tls_ = *std::move(tls);
  } else {
    usable_ = std::move(tls).context(options_.base_url);
  }
}

Task<Result<ConnectionPool::Slot>> ConnectionPool::enter(Duration timeout) {
  const auto self = shared_from_this();
  std::shared_ptr<Waiter> waiter;
  auto executor = co_await asio::this_coro::executor;
  {
    std::lock_guard lock(mutex_);
    if (closed_) co_return Error(Code::Unavailable, "the client is closed");
    if (in_use_ < options_.max_connections) {
      ++in_use_;
      co_return Slot(self);
    }
    waiter = std::make_shared<Waiter>(executor);
    waiter->timer.expires_after(timeout);
    waiters_.push_back(waiter);
  }
  // A fiber that is cancelled here leaves nothing behind.
  struct Withdrawal {
    ConnectionPool& pool;
    const std::shared_ptr<Waiter>& waiter;
    bool taken = false;
    ~Withdrawal() {
      bool unused = false;
      {
        std::lock_guard lock(pool.mutex_);
        pool.waiters_.remove(waiter);
        unused = waiter->granted && !taken;
      }
      if (unused) pool.leave();
    }
  } withdrawal{*self, waiter};
  auto waiting = waiter->timer.async_wait(kAwaitTuple);
  co_await std::move(waiting);
  std::lock_guard lock(mutex_);
  if (!waiter->granted) {
    co_return Error(Code::Timeout, "no free connection to " + url_.authority() + " in time");
  }
  withdrawal.taken = true;
  co_return Slot(self);
}

void ConnectionPool::leave() {
  std::shared_ptr<Waiter> next;
  {
    std::lock_guard lock(mutex_);
    if (waiters_.empty()) {
      --in_use_;
      return;
    }
    next = waiters_.front();
    waiters_.pop_front();
    next->granted = true;
  }
  asio::post(next->timer.get_executor(), [next] {
    // expires_at also ends a wait that has not begun yet.
    next->timer.expires_at(asio::steady_timer::time_point::min());
  });
}

PooledWirePtr ConnectionPool::take_idle() {
  const SteadyTime now = executor_.clock().steady_now();
  for (;;) {
    PooledWirePtr taken;
    {
      std::lock_guard lock(mutex_);
      if (idle_.empty()) return nullptr;
      taken = std::move(idle_.back());
      idle_.pop_back();
    }
    if (now - taken->idle_since > kIdleLimit || taken->wire.gone_while_idle()) continue;
    taken->reused = true;
    return taken;
  }
}

void ConnectionPool::give_back(PooledWirePtr wire) {
  wire->idle_since = executor_.clock().steady_now();
  PooledWirePtr oldest;  // closed outside the lock
  std::lock_guard lock(mutex_);
  if (closed_) return;
  idle_.push_back(std::move(wire));
  if (idle_.size() > options_.max_connections) {
    oldest = std::move(idle_.front());
    idle_.erase(idle_.begin());
  }
}

void ConnectionPool::close() {
  std::vector<PooledWirePtr> dropped;
  std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(idle_);
}

Task<Result<PooledWirePtr>> ConnectionPool::connect(Duration timeout) {
  const auto self = shared_from_this();
  AnyExecutor executor = co_await asio::this_coro::executor;
  auto connection = std::make_shared<PooledWire>(Socket(executor));
  Alarm alarm(executor, timeout, connection);
  auto establishing = establish(connection);
  Status done = co_await std::move(establishing);
  if (alarm.rang()) {
    co_return Error(Code::Timeout,
                    "connect to " + url_.authority() + ": no answer within " + format_duration(timeout));
  }
  if (!done) co_return std::move(done).error();
  co_return connection;
}

Task<Status> ConnectionPool::establish(PooledWirePtr connection) {
  const std::string& host = has_proxy_ ? proxy_.host : url_.host;
  auto resolving = resolve(host, has_proxy_ ? proxy_.port : url_.port);
  auto endpoints = co_await std::move(resolving);
  if (!endpoints) co_return std::move(endpoints).error();
  Socket& socket = connection->wire.socket();
  ErrorCode last = asio::error::host_not_found;
  for (const tcp::endpoint& endpoint : *endpoints) {
    ErrorCode ignored;
    socket.close(ignored);
    auto connecting = socket.async_connect(endpoint, kAwaitTuple);
    std::tie(last) = co_await std::move(connecting);
    if (!last) break;
  }
  if (last) co_return unreachable((has_proxy_ ? proxy_ : url_).authority(), last.message());
  set_socket_options(socket);
  if (has_proxy_) {
    auto tunnelling = proxy_.scheme == "socks5" ? tunnel_socks(connection) : tunnel(connection);
    if (Status through = co_await std::move(tunnelling); !through) co_return through;
  }
  if (!tls_) co_return Status();
  auto starting = start_tls(connection);
  co_return co_await std::move(starting);
}

Task<Result<std::vector<tcp::endpoint>>> ConnectionPool::resolve(std::string host, std::uint16_t port) {
  ErrorCode error;
  std::vector<tcp::endpoint> endpoints;
  const auto address = asio::ip::make_address(host, error);
  if (!error) {
    endpoints.emplace_back(address, port);
    co_return endpoints;
  }
  // getaddrinfo blocks: on the pool, and the answer is shared with it in case this fiber is cancelled.
  struct Answer {
    std::vector<tcp::endpoint> endpoints;
    ErrorCode error;
  };
  auto answer = std::make_shared<Answer>();
  std::function<void()> work = [answer, host, port] {
    asio::io_context context;
    tcp::resolver resolver(context);
    const auto found = resolver.resolve(host, std::to_string(port), answer->error);
    for (const auto& entry : found) answer->endpoints.push_back(entry.endpoint());
  };
  auto looking = run_blocking(executor_, std::move(work));
  co_await std::move(looking);
  if (answer->endpoints.empty())
    co_return unreachable(host, "unknown host (" + answer->error.message() + ")");
  co_return std::move(answer->endpoints);
}

Task<Status> ConnectionPool::start_tls(PooledWirePtr connection) {
  Wire& wire = connection->wire;
  if (wire.is_tls()) {
    wire.start_tls_within(*tls_);
  } else {
    wire.start_tls(*tls_, TlsSession::Side::Client);
  }
  const std::string& name = options_.server_name.empty() ? url_.host : options_.server_name;
  auto shaking = shake_hands(connection, name, url_.authority());
  co_return co_await std::move(shaking);
}

Task<Status> ConnectionPool::shake_hands(PooledWirePtr connection, std::string name, std::string authority) {
  Wire& wire = connection->wire;
  SSL* const raw = wire.tls().handle();
  X509_VERIFY_PARAM* const rules = SSL_get0_param(raw);
  if (is_address(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str());
  } else {
    SSL_set_tlsext_host_name(raw, name.c_str());
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set1_host(rules, name.c_str(), name.size());
  }
  auto shaking = wire.handshake();
  const ErrorCode error = co_await std::move(shaking);
  if (!error) co_return Status();
  const long verdict = SSL_get_verify_result(raw);
  if (verdict != X509_V_OK && !options_.insecure_skip_verify) {
    co_return Error(Code::Unauthorized, "certificate of " + authority +
                                            " is not trusted: " + X509_verify_cert_error_string(verdict));
  }
  if (error.category() == asio::error::get_ssl_category()) {
    co_return Error(Code::Unauthorized, "TLS with " + authority + ": " + error.message());
  }
  co_return unreachable(authority, "TLS handshake: " + error.message());
}

Alarm::Alarm(const AnyExecutor& executor, Duration after, PooledWirePtr connection)
    : timer_(executor), state_(std::make_shared<State>()) {
  state_->connection = std::move(connection);
  timer_.expires_after(after);
  timer_.async_wait([state = state_](const ErrorCode& error) {
    if (error || !state->connection) return;
    state->rang = true;
    state->connection->wire.close();
  });
}

void Alarm::disarm() {
  state_->connection.reset();
  timer_.cancel();
}

void IdleAlarm::begin(const AnyExecutor& executor, Duration idle) {
  const SystemClock clock;
  state_->due = clock.steady_now() + std::chrono::duration_cast<SteadyTime::duration>(idle);
  if (!state_->timer) state_->timer.emplace(executor);
  if (state_->due < state_->set_to) state_->set();
}

void IdleAlarm::State::set() {
  set_to = due;
  timer->expires_at(due);  // cancels what was set before
  timer->async_wait([state = shared_from_this()](const ErrorCode& error) {
    if (error || !state->connection) return;
    state->set_to = SteadyTime::max();
    if (state->due == SteadyTime::max()) return;
    const SystemClock clock;
    if (clock.steady_now() < state->due) return state->set();
    state->rang = true;
    state->connection->wire.close();
  });
}

IdleAlarm::~IdleAlarm() {
  if (!state_->timer) return;
  const AnyExecutor executor = state_->timer->get_executor();
  asio::post(executor, [state = state_] {
    state->connection.reset();
    state->timer->cancel();
  });
}

}  // namespace flotilla::http
