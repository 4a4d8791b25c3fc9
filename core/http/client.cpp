// SPDX-License-Identifier: Apache-2.0
#include <boost/asio/this_coro.hpp>

#include "core/base/base64.hpp"
#include "core/http/message.hpp"
#include "core/http/pool.hpp"

namespace flotilla::http {

namespace {

using ResponseParser = MessageParser<false>;

// Sending twice must do no more than sending once.
bool is_safe_to_repeat(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS";
}

std::string encode(const ConnectionPool& pool, const ClientRequest& request) {
  const ClientOptions& options = pool.options();
  std::string out;
  out.reserve(512 + request.body.size());
  out.append(request.method).append(" ").append(join_path(pool.url().path, request.target));
  out.append(" HTTP/1.1\r\n");
  append_field(out, "Host", pool.host_header());
  if (!options.bearer_token.empty() && !request.headers.has("Authorization")) {
    append_field(out, "Authorization", "Bearer " + options.bearer_token);
  } else if (!options.basic_user.empty() && !request.headers.has("Authorization")) {
    append_field(out, "Authorization",
                 "Basic " + base64_encode(options.basic_user + ":" + options.basic_password));
  }
  for (const auto& [name, value] : request.headers.fields()) append_field(out, name, value);
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
      request.method == "PATCH") {
    append_field(out, "Content-Length", std::to_string(request.body.size()));
  }
  out.append("\r\n").append(request.body);
  return out;
}

// One exchange on one connection.
struct Exchange {
  explicit Exchange(PooledWirePtr the_connection) : connection(std::move(the_connection)) {}
  PooledWirePtr connection;
  std::unique_ptr<ResponseParser> parser;
  bool answered = false;  // a byte of the answer came
  ErrorCode error;
};

std::unique_ptr<ResponseParser> make_parser(const ClientOptions& options, const std::string& method,
                                            bool unlimited) {
  auto parser = std::make_unique<ResponseParser>();
  parser->header_limit(static_cast<std::uint32_t>(options.max_header_bytes));
  if (unlimited) {
    parser->body_limit(boost::none);
  } else {
    parser->body_limit(options.max_body_bytes);
  }
  if (method == "HEAD") parser->skip(true);
  return parser;
}

// Feeds the parser until `enough`. False: cut or malformed, in exchange.error.
Task<bool> read_until(Exchange& exchange, bool whole) {
  Wire& wire = exchange.connection->wire;
  ResponseParser& parser = *exchange.parser;
  for (;;) {
    if (!parser.feed(wire.ahead(), exchange.error)) co_return false;
    if (parser.is_done() || (!whole && parser.is_header_done())) co_return true;
    auto filling = wire.fill();
    const bool filled = co_await std::move(filling);
    if (filled) exchange.answered = true;
    if (filled) continue;
    const ErrorCode error = exchange.error = wire.failure();
    const bool ended = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
    if (!ended || !parser.got_some()) co_return false;
    parser.feed(wire.ahead(), exchange.error);
    parser.put_eof(exchange.error);
    co_return !exchange.error;
  }
}

// Writes the request and reads at least the head of the final answer (1xx are passed over).
Task<bool> exchange_on(Exchange& exchange, std::string message, ClientOptions const& options,
                       std::string method, bool whole) {
  auto writing = exchange.connection->wire.write_all(message);
  const auto [error, count] = co_await std::move(writing);
  if (error) {
    exchange.error = error;
    co_return false;
  }
  for (;;) {
    exchange.parser = make_parser(options, method, !whole);
    auto reading = read_until(exchange, whole);
    if (!co_await std::move(reading)) co_return false;
    const int status = exchange.parser->status;
    if (status >= 200 || status == 101) co_return true;
  }
}

Error exchange_error(const ConnectionPool& pool, const Exchange& exchange) {
  if (exchange.error == beast_http::error::body_limit) {
    return Error(Code::TooLarge, pool.url().authority() + ": the answer is larger than " +
                                     std::to_string(pool.options().max_body_bytes) + " bytes");
  }
  const bool malformed =
      exchange.error.category() == beast_http::make_error_code(beast_http::error::bad_target).category();
  std::string why = exchange.error.message();
  if (exchange.error == asio::error::eof) why = "connection closed";
  return Error(Code::Unavailable, pool.url().authority() + (malformed ? ": malformed answer: " : ": ") + why);
}

// How much of the answer is read at once. Switched: its head, on a new connection.
enum class Extent { Whole, Head, Switched };

// Connection, request, head of the answer; one more try when a kept connection turns out to be dead.
Task<Result<std::unique_ptr<Exchange>>> perform(std::shared_ptr<ConnectionPool> pool, ClientRequest request,
                                                Extent extent) {
  const AnyExecutor executor = co_await asio::this_coro::executor;
  const std::string message = encode(*pool, request);
  for (bool first = true;; first = false) {
    PooledWirePtr connection = first && extent != Extent::Switched ? pool->take_idle() : nullptr;
    if (!connection) {
      auto connecting = pool->connect(std::min(pool->options().connect_timeout, request.timeout));
      auto connected = co_await std::move(connecting);
      if (!connected) co_return std::move(connected).error();
      connection = *std::move(connected);
    }
    auto exchange = std::make_unique<Exchange>(connection);
    Alarm alarm(executor, request.timeout, connection);
    auto exchanging =
        exchange_on(*exchange, message, pool->options(), request.method, extent == Extent::Whole);
    const bool ok = co_await std::move(exchanging);
    if (alarm.rang()) {
      co_return Error(Code::Timeout, request.method + " " + request.target + ": no answer from " +
                                         pool->url().authority() + " within " +
                                         format_duration(request.timeout));
    }
    if (ok) co_return exchange;
    const bool stale = connection->reused && !exchange->answered;
    if (!stale || !is_safe_to_repeat(request.method)) co_return exchange_error(*pool, *exchange);
  }
}

void recycle(ConnectionPool& pool, Exchange& exchange) {
  if (exchange.parser->is_done() && exchange.parser->keep_alive() && exchange.parser->status != 101 &&
      exchange.connection->wire.ahead().empty()) {
    pool.give_back(std::move(exchange.connection));
  }
}

class OpenStream final : public ResponseStream {
 public:
  OpenStream(std::shared_ptr<ConnectionPool> pool, std::unique_ptr<Exchange> exchange)
      : pool_(std::move(pool)), exchange_(std::move(exchange)), alarm_(exchange_->connection) {}

  int status() const override { return exchange_->parser->status; }
  const Headers& headers() const override { return exchange_->parser->headers; }

  Task<Result<std::string>> read(Duration idle) override {
    ResponseParser& parser = *exchange_->parser;
    if (parser.body.empty() && !parser.is_done()) {
      const AnyExecutor executor = co_await asio::this_coro::executor;
      alarm_.begin(executor, idle);
      while (parser.body.empty() && !parser.is_done()) {
        auto reading = read_more();
        if (co_await std::move(reading)) continue;
        if (alarm_.rang()) co_return Error(Code::Timeout, "nothing came within " + format_duration(idle));
        co_return exchange_error(*pool_, *exchange_);
      }
      alarm_.end();
    }
    if (!parser.body.empty()) co_return std::exchange(parser.body, {});
    if (exchange_->connection) recycle(*pool_, *exchange_);
    co_return std::string();
  }

 private:
  Task<bool> read_more() {
    Wire& wire = exchange_->connection->wire;
    ResponseParser& parser = *exchange_->parser;
    auto filling = wire.fill();
    const bool filled = co_await std::move(filling);
    if (!parser.feed(wire.ahead(), exchange_->error)) co_return false;
    if (filled) co_return true;
    const ErrorCode error = exchange_->error = wire.failure();
    if (error != asio::error::eof && error != asio::ssl::error::stream_truncated) co_return false;
    if (!parser.is_done()) parser.put_eof(exchange_->error);
    co_return parser.is_done();
  }

  std::shared_ptr<ConnectionPool> pool_;
  std::unique_ptr<Exchange> exchange_;
  IdleAlarm alarm_;
};

// The raw bytes behind a 101.
class SwitchedDuplex final : public Duplex {
 public:
  SwitchedDuplex(std::shared_ptr<ConnectionPool> pool, PooledWirePtr connection)
      : pool_(std::move(pool)), connection_(std::move(connection)) {}

  Task<Result<std::string>> read() override {
    auto taking = connection_->wire.take();
    co_return co_await std::move(taking);
  }

  Task<Status> write(std::string bytes) override {
    const AnyExecutor executor = co_await asio::this_coro::executor;
    Alarm alarm(executor, kPatience, connection_);
    auto writing = connection_->wire.write_all(bytes);
    const auto [error, count] = co_await std::move(writing);
    if (error) co_return Error(Code::Unavailable, pool_->url().authority() + ": " + error.message());
    co_return Status();
  }
  void close() override { connection_->wire.close(); }

 private:
  static constexpr Duration kPatience = std::chrono::minutes(1);
  std::shared_ptr<ConnectionPool> pool_;
  PooledWirePtr connection_;
};

}  // namespace

struct Client::State {
  std::shared_ptr<ConnectionPool> pool;
};

Client::Client(const Executor& executor, ClientOptions options) : state_(std::make_shared<State>()) {
  state_->pool = std::make_shared<ConnectionPool>(executor, std::move(options));
}

Client::~Client() {
  close();
}

void Client::close() {
  state_->pool->close();
}

namespace {

Task<Result<ClientResponse>> send_on(std::shared_ptr<ConnectionPool> pool, ClientRequest request) {
  if (!pool->usable()) co_return pool->usable().error();
  auto entering = pool->enter(request.timeout);
  auto slot = co_await std::move(entering);
  if (!slot) co_return std::move(slot).error();
  auto performing = perform(pool, std::move(request), Extent::Whole);
  auto done = co_await std::move(performing);
  if (!done) co_return std::move(done).error();
  Exchange& exchange = **done;
  ClientResponse response;
  response.status = exchange.parser->status;
  response.headers = std::move(exchange.parser->headers);
  response.body = std::move(exchange.parser->body);
  recycle(*pool, exchange);
  co_return response;
}

Task<Result<std::unique_ptr<ResponseStream>>> open_on(std::shared_ptr<ConnectionPool> pool,
                                                      ClientRequest request) {
  if (!pool->usable()) co_return pool->usable().error();
  auto performing = perform(pool, std::move(request), Extent::Head);
  auto done = co_await std::move(performing);
  if (!done) co_return std::move(done).error();
  std::unique_ptr<ResponseStream> stream = std::make_unique<OpenStream>(pool, *std::move(done));
  co_return stream;
}

Task<Result<Upgraded>> upgrade_on(std::shared_ptr<ConnectionPool> pool, ClientRequest request) {
  if (!pool->usable()) co_return pool->usable().error();
  auto performing = perform(pool, std::move(request), Extent::Switched);
  auto done = co_await std::move(performing);
  if (!done) co_return std::move(done).error();
  const PooledWirePtr connection = (*done)->connection;
  Upgraded out;
  out.answer = std::make_unique<OpenStream>(pool, *std::move(done));
  if (out.answer->status() == 101) out.duplex = std::make_shared<SwitchedDuplex>(pool, connection);
  co_return out;
}

}  // namespace

Task<Result<ClientResponse>> Client::send(ClientRequest request) {
  return send_on(state_->pool, std::move(request));
}

Task<Result<std::unique_ptr<ResponseStream>>> Client::open(ClientRequest request) {
  return open_on(state_->pool, std::move(request));
}

Task<Result<Upgraded>> Client::upgrade(ClientRequest request) {
  return upgrade_on(state_->pool, std::move(request));
}

}  // namespace flotilla::http
