// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/post.hpp>
#include <semaphore>
#include <unordered_set>

#include "core/base/log.hpp"
#include "core/http/connection.hpp"

namespace flotilla::http {

namespace {

const Logger kLog("http");

Error bind_error(const ServerOptions& options, const ErrorCode& error) {
  std::string text = error.message();
  if (error == asio::error::address_in_use) text = "address already in use";
  return Error(
      Code::Unavailable,
      text + ": " + options.address + ":" + std::to_string(options.port) +
          (error == asio::error::address_in_use ? " (choose another port or stop what listens there)" : ""));
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
        scope(strand, "http server") {}

  Task<void> accept();
  Task<void> sweep();
  Task<void> run(std::shared_ptr<Connection> connection);
  void admit(Socket socket);

  const Executor& executor;
  std::shared_ptr<ServerContext> context;
  AnyExecutor strand;
  tcp::acceptor acceptor;
  FiberScope scope;
  std::unordered_set<std::shared_ptr<Connection>> connections;
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
  state.acceptor.open(endpoint.protocol(), error);
  if (!error) state.acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) state.acceptor.bind(endpoint, error);
  if (!error) state.acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return bind_error(options, error);
  state.port = state.acceptor.local_endpoint(error).port();
  state.started = true;
  state.scope.spawn(state.accept());
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

Task<void> Server::State::accept() {
  const auto self = shared_from_this();
  while (!context->stopping) {
    auto accepting = acceptor.async_accept(executor.strand(), kAwaitTuple);
    auto [error, socket] = co_await std::move(accepting);
    if (!error) {
      if (context->stopping) co_return;
      admit(std::move(socket));
      continue;
    }
    if (!acceptor.is_open()) co_return;
    // Out of file descriptors, mostly: others must close first.
    kLog.warn("cannot accept", {{"error", error.message()}});
    auto pausing = sleep_for(std::chrono::milliseconds(100));
    co_await std::move(pausing);
  }
}

void Server::State::admit(Socket socket) {
  if (count >= context->options.max_connections) {
    kLog.warn("too many connections", {{"limit", context->options.max_connections}});
    return;
  }
  auto connection = std::make_shared<Connection>(context, std::move(socket));
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
  asio::post(strand, [self, connection = std::move(connection)] {
    self->connections.erase(connection);
    --self->count;
    if (self->context->stopping && self->connections.empty()) self->drained.release();
  });
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
