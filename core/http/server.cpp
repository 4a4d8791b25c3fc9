// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <semaphore>
#include <unordered_set>

#include "core/base/log.hpp"
#include "core/http/connection.hpp"

namespace flotilla::http {

namespace {

const Logger kLog("http");
using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

Error bind_error(const ServerOptions& options, const ErrorCode& error) {
  std::string text = error.message();
  if (error == asio::error::address_in_use) text = "address already in use";
  return Error(
      Code::Unavailable,
      text + ": " + options.address + ":" + std::to_string(options.port) +
          (error == asio::error::address_in_use ? " (choose another port or stop what listens there)" : ""));
}

std::uint16_t port_of(Acceptor& acceptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(acceptor.native_handle(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

}  // namespace

// The registry of connections, the acceptor and the sweep belong to `strand`.
struct Server::State : std::enable_shared_from_this<Server::State> {
  State(const Executor& the_executor, ServerOptions options, Handler handler)
      : executor(the_executor),
        context(
            std::make_shared<ServerContext>(the_executor.clock(), std::move(options), std::move(handler))),
        strand(the_executor.strand()),
        acceptor(strand),
        local_acceptor(strand),
        scope(strand, "http server") {}

  Task<void> accept(Acceptor& from, bool tls);
  Status listen_locally();
  void forget(const std::shared_ptr<Connection>& connection);
  Task<void> sweep();
  Task<void> run(std::shared_ptr<Connection> connection);
  void admit(Socket socket, bool tls);

  const Executor& executor;
  std::shared_ptr<ServerContext> context;
  AnyExecutor strand;
  Acceptor acceptor;
  Acceptor local_acceptor;  // open only with a socket_path
  FiberScope scope;
  std::unordered_set<std::shared_ptr<Connection>> connections;
  SteadyTime next_warning{};  // of too many connections
  std::atomic<std::size_t> count{0};
  std::atomic<std::uint16_t> port{0};
  std::atomic<bool> started{false};
  std::counting_semaphore<> drained{0};
};

Server::Server(const Executor& executor, ServerOptions options, Handler handler)
    : state_(std::make_shared<State>(executor, std::move(options), std::move(handler))) {}

Server::~Server() {
  stop(Duration::zero());
}

Status Server::start() {
  State& state = *state_;
  const ServerOptions& options = state.context->options;
  if (!options.identity.certificate_pem.empty()) {
    auto tls = make_server_context(options.identity, options.client_ca_pem);
    if (!tls) return std::move(tls).error();
    state.context->tls = *std::move(tls);
  }
  ErrorCode error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) return Error(Code::Invalid, "listen address \"" + options.address + "\" is no IP address");
  const tcp::endpoint endpoint(address, options.port);
  state.acceptor.open(asio::generic::stream_protocol(endpoint.protocol()), error);
  if (!error) state.acceptor.set_option(Acceptor::reuse_address(true), error);
  if (!error) state.acceptor.bind(endpoint, error);
  if (!error) state.acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return bind_error(options, error);
  state.port = port_of(state.acceptor);
  if (Status local = state.listen_locally(); !local) return local;
  state.started = true;
  state.scope.spawn(state.accept(state.acceptor, state.context->tls != nullptr));
  if (state.local_acceptor.is_open()) state.scope.spawn(state.accept(state.local_acceptor, false));
  state.scope.spawn(state.sweep());
  return {};
}

std::uint16_t Server::port() const {
  return state_->port;
}

std::size_t Server::connections() const {
  return state_->count;
}

// 1. Nobody comes in; idle connections close, streams end.
// 2. Running requests are awaited until the deadline.
// 3. What is left is closed and cancelled.
void Server::stop(Duration deadline) {
  if (!state_->started.exchange(false)) return;
  state_->context->stopping = true;
  asio::post(state_->strand, [state = state_] {
    ErrorCode ignored;
    state->acceptor.close(ignored);
    if (state->local_acceptor.is_open()) {
      state->local_acceptor.close(ignored);
      ::unlink(state->context->options.socket_path.c_str());
    }
    for (const auto& connection : state->connections) connection->begin_stop();
    if (state->connections.empty()) state->drained.release();
  });
  (void)state_->drained.try_acquire_for(deadline);
  asio::post(state_->strand, [state = state_] {
    for (const auto& connection : state->connections) connection->force_close();
    state->scope.cancel();
  });
  state_->scope.join_blocking();
}

// A socket file that nobody listens on any more is from a daemon that was killed.
Status Server::State::listen_locally() {
  const std::string& path = context->options.socket_path;
  if (path.empty()) return {};
  const auto fail = [&](const std::string& why) {
    return Error(Code::Unavailable, "cannot listen on " + path + ": " + why);
  };
  if (path.size() >= sizeof(sockaddr_un::sun_path)) return fail("the path is too long for a Unix socket");
  const asio::local::stream_protocol::endpoint endpoint(path);
  asio::local::stream_protocol::socket probe(strand);
  ErrorCode error;
  probe.connect(endpoint, error);
  if (!error) return fail("another process listens there");
  ::unlink(path.c_str());
  local_acceptor.open(asio::generic::stream_protocol(endpoint.protocol()), error);
  const mode_t before = ::umask(0177);
  if (!error) local_acceptor.bind(endpoint, error);
  ::umask(before);
  if (!error) local_acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(error.message());
  return {};
}

Task<void> Server::State::accept(Acceptor& from, bool tls) {
  const auto self = shared_from_this();
  while (!context->stopping) {
    Socket socket(executor.strand());
    auto accepting = from.async_accept(socket, kAwaitTuple);
    auto [error] = co_await std::move(accepting);
    if (!error) {
      if (context->stopping) co_return;
      admit(std::move(socket), tls);
      continue;
    }
    if (!from.is_open()) co_return;
    // Out of file descriptors, mostly: others must close first.
    kLog.warn("cannot accept", {{"error", error.message()}});
    auto pausing = sleep_for(std::chrono::milliseconds(100));
    co_await std::move(pausing);
  }
}

void Server::State::admit(Socket socket, bool tls) {
  if (count >= context->options.max_connections) {
    const SteadyTime now = executor.clock().steady_now();
    if (now >= next_warning) kLog.warn("too many connections", {{"limit", context->options.max_connections}});
    next_warning = std::max(next_warning, now + std::chrono::seconds(1));
    return;
  }
  auto connection = std::make_shared<Connection>(context, std::move(socket), tls);
  connections.insert(connection);
  ++count;
  if (!scope.spawn_on(connection->strand(), run(connection))) {
    connections.erase(connection);
    --count;
  }
}

Task<void> Server::State::run(std::shared_ptr<Connection> connection) {
  const auto self = shared_from_this();
  auto serving = connection->serve();
  co_await std::move(serving);
  asio::post(strand, [self, connection = std::move(connection)] { self->forget(connection); });
}

void Server::State::forget(const std::shared_ptr<Connection>& connection) {
  connections.erase(connection);
  --count;
  if (context->stopping && connections.empty()) drained.release();
}

Task<void> Server::State::sweep() {
  const auto self = shared_from_this();
  const ServerOptions& options = context->options;
  const Duration shortest = std::min({options.idle_timeout, options.header_timeout, options.write_timeout});
  const Duration pause =
      std::clamp<Duration>(shortest / 4, std::chrono::milliseconds(20), std::chrono::seconds(1));
  for (;;) {  // also while the server stops; the scope ends it
    auto pausing = sleep_for(pause);
    co_await std::move(pausing);
    const SteadyTime now = context->clock.steady_now();
    for (const auto& connection : connections) connection->check_deadline(now);
  }
}

}  // namespace flotilla::http
