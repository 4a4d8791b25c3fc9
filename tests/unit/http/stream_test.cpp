// SPDX-License-Identifier: Apache-2.0
// Streamed bodies, upgrades and the end of a server.
#include <gmock/gmock.h>

#include <semaphore>

#include "core/async/event.hpp"
#include "tests/unit/http/loopback.hpp"

namespace flotilla::http::test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;

// What a stream gives out, pushed from the test.
struct Feed {
  void push(std::string piece) {
    {
      std::lock_guard lock(mutex);
      pieces.push_back(std::move(piece));
    }
    changed.notify();
  }
  std::mutex mutex;
  std::vector<std::string> pieces;  // an empty one ends the stream
  Event changed;
  std::counting_semaphore<> destroyed{0};
};

class FeedStream final : public BodyStream {
 public:
  explicit FeedStream(std::shared_ptr<Feed> feed) : feed_(std::move(feed)) {}
  ~FeedStream() override { feed_->destroyed.release(); }
  Task<std::vector<Chunk>> next() override {
    for (;;) {
      const std::uint64_t seen = feed_->changed.version();
      {
        std::lock_guard lock(feed_->mutex);
        if (!feed_->pieces.empty()) {
          std::vector<Chunk> chunks;
          std::string piece = feed_->pieces.front();
          feed_->pieces.erase(feed_->pieces.begin());
          if (piece == "fail") throw std::runtime_error("told to");
          if (!piece.empty()) chunks.push_back(Chunk::of(std::move(piece)));
          co_return chunks;
        }
      }
      auto waiting = feed_->changed.wait_past(seen);
      co_await std::move(waiting);
    }
  }

 private:
  std::shared_ptr<Feed> feed_;
};

Task<Response> stream_of(std::shared_ptr<Feed> feed, Request) {
  Response response;
  response.headers.add("Content-Type", "application/json");
  response.stream = std::make_unique<FeedStream>(feed);
  co_return response;
}

Task<Response> sized_stream_of(std::shared_ptr<Feed> feed, std::size_t size, Request) {
  Response response;
  response.stream = std::make_unique<FeedStream>(feed);
  response.stream_size = size;
  co_return response;
}

class StreamTest : public Loopback {
 protected:
  void serve_feed(ServerOptions options = {}, bool tls = true) {
    serve([feed = feed_](Request request) { return stream_of(feed, std::move(request)); }, options, tls);
  }
  void serve_sized(std::size_t size) {
    serve([feed = feed_, size](Request request) { return sized_stream_of(feed, size, std::move(request)); });
  }
  std::unique_ptr<ResponseStream> open(Client& client) {
    auto opened = run(client.open(ClientRequest()));
    EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : opened.error().message());
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  std::shared_ptr<Feed> feed_ = std::make_shared<Feed>();
};

TEST_F(StreamTest, sends_every_piece_at_once_and_reuses_the_connection) {
  serve_feed();
  Client client(executor_, client_options());
  for (int round = 0; round < 3; ++round) {
    auto stream = open(client);
    ASSERT_NE(stream, nullptr);
    EXPECT_EQ(stream->status(), 200);
    for (const char* piece : {"one\n", "two\n", "three\n"}) {
      feed_->push(piece);
      const auto read = run(stream->read(5s));
      ASSERT_TRUE(read.ok()) << read.error().message();
      EXPECT_EQ(*read, piece);
    }
    feed_->push("");
    EXPECT_EQ(*run(stream->read(5s)), "");
    EXPECT_TRUE(feed_->destroyed.try_acquire_for(5s));
  }
  EXPECT_EQ(server_->connections(), 1u);
}

TEST_F(StreamTest, says_the_size_where_it_is_known) {
  serve_sized(6);
  Client client(executor_, client_options());
  for (int round = 0; round < 2; ++round) {
    for (const char* piece : {"abc", "def", ""}) feed_->push(piece);
    const auto answer = run(client.send(ClientRequest()));
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(answer->body, "abcdef");
    EXPECT_EQ(answer->headers.get("Content-Length"), "6");
    EXPECT_EQ(answer->headers.get("Transfer-Encoding"), "");
  }
  EXPECT_EQ(server_->connections(), 1u);
}

TEST_F(StreamTest, closes_the_connection_of_a_stream_that_is_not_as_long_as_it_was_said_to_be) {
  serve_sized(6);
  Client client(executor_, client_options());
  for (const char* piece : {"abc", ""}) feed_->push(piece);
  EXPECT_FALSE(run(client.send(ClientRequest())).ok());
  EXPECT_TRUE(feed_->destroyed.try_acquire_for(5s));
  for (const char* piece : {"abc", "defg"}) feed_->push(piece);
  EXPECT_FALSE(run(client.send(ClientRequest())).ok());
}

TEST_F(StreamTest, ends_the_stream_when_the_peer_goes) {
  serve_feed();
  Client client(executor_, client_options());
  auto stream = open(client);
  feed_->push("x");
  ASSERT_TRUE(run(stream->read(5s)).ok());
  stream.reset();
  EXPECT_TRUE(feed_->destroyed.try_acquire_for(5s));
}

TEST_F(StreamTest, ends_the_stream_when_the_peer_is_cut_off) {
  serve_feed({}, false);
  {
    RawClient raw(server_->port());
    raw.send("GET / HTTP/1.1\r\n\r\n");
    feed_->push("hello");
    EXPECT_THAT(raw.read_until("hello"), HasSubstr("\r\n5\r\nhello"));
  }
  EXPECT_TRUE(feed_->destroyed.try_acquire_for(5s));
}

TEST_F(StreamTest, keeps_a_request_that_was_sent_behind_a_stream) {
  serve_feed({}, false);
  RawClient raw(server_->port());
  raw.send("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nConnection: close\r\n\r\n");
  feed_->push("first");
  feed_->push("");
  feed_->push("second");
  feed_->push("");
  const std::string answer = raw.read_all();
  EXPECT_THAT(answer, HasSubstr("5\r\nfirst\r\n0\r\n\r\nHTTP/1.1 200"));
  EXPECT_THAT(answer, EndsWith("6\r\nsecond\r\n0\r\n\r\n"));
}

TEST_F(StreamTest, closes_after_a_stream_for_http_1_0) {
  serve_feed({}, false);
  RawClient raw(server_->port());
  raw.send("GET / HTTP/1.0\r\n\r\n");
  feed_->push("bare");
  feed_->push("");
  EXPECT_THAT(raw.read_all(), EndsWith("\r\n\r\nbare"));
}

TEST_F(StreamTest, drops_a_reader_that_takes_nothing) {
  ServerOptions options;
  options.write_timeout = 200ms;
  serve_feed(options, false);
  RawClient raw(server_->port(), 4096);
  raw.send("GET / HTTP/1.1\r\n\r\n");
  for (int i = 0; i < 16; ++i) feed_->push(std::string(1u << 20, 'x'));
  EXPECT_TRUE(feed_->destroyed.try_acquire_for(10s));
}

TEST_F(StreamTest, tells_a_cut_stream_from_its_end) {
  serve_feed();
  Client client(executor_, client_options());
  auto stream = open(client);
  feed_->push("x");
  ASSERT_TRUE(run(stream->read(5s)).ok());
  feed_->push("fail");
  const auto read = run(stream->read(5s));
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code(), Code::Unavailable);
}

TEST_F(StreamTest, gives_streams_an_orderly_end_when_the_server_stops) {
  serve_feed();
  Client client(executor_, client_options());
  auto stream = open(client);
  feed_->push("x");
  ASSERT_TRUE(run(stream->read(5s)).ok());
  server_->stop(5s);
  const auto read = run(stream->read(5s));
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(*read, "");
}

TEST_F(StreamTest, reports_silence_as_a_timeout) {
  serve_feed();
  Client client(executor_, client_options());
  auto stream = open(client);
  const auto read = run(stream->read(50ms));
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code(), Code::Timeout);
}

TEST_F(StreamTest, ends_streams_at_once_when_the_server_stops) {
  serve_feed();
  Client client(executor_, client_options());
  auto stream = open(client);
  feed_->push("x");
  ASSERT_TRUE(run(stream->read(5s)).ok());
  const auto before = clock_.steady_now();
  server_->stop(20s);
  EXPECT_LT(clock_.steady_now() - before, 10s);
  EXPECT_TRUE(feed_->destroyed.try_acquire_for(5s));
}

Task<Response> wait_then_answer(std::shared_ptr<Feed> feed, Request) {
  FeedStream source(feed);
  auto taking = source.next();
  Response response;
  response.body = co_await std::move(taking);
  co_return response;
}

TEST_F(StreamTest, lets_a_running_request_finish_when_the_server_stops) {
  std::counting_semaphore<> arrived{0};
  serve([feed = feed_, &arrived](Request request) {
    arrived.release();
    return wait_then_answer(feed, std::move(request));
  });
  Client client(executor_, client_options());
  auto answer = std::async(std::launch::async, [&] { return get(client, "/"); });
  ASSERT_TRUE(arrived.try_acquire_for(5s));
  auto stopped = std::async(std::launch::async, [&] { server_->stop(20s); });
  feed_->push("done");
  const auto got = answer.get();
  ASSERT_TRUE(got.ok()) << got.error().message();
  EXPECT_EQ(got->body, "done");
  EXPECT_EQ(stopped.wait_for(10s), std::future_status::ready);
}

TEST_F(StreamTest, cancels_what_runs_past_the_deadline_of_a_stop) {
  std::counting_semaphore<> arrived{0};
  serve([feed = feed_, &arrived](Request request) {
    arrived.release();
    return wait_then_answer(feed, std::move(request));
  });
  Client client(executor_, client_options());
  auto answer = std::async(std::launch::async, [&] { return get(client, "/"); });
  ASSERT_TRUE(arrived.try_acquire_for(5s));
  server_->stop(50ms);
  EXPECT_FALSE(answer.get().ok());
  EXPECT_TRUE(feed_->destroyed.try_acquire_for(5s));
}

Task<void> shout_back(std::shared_ptr<Duplex> duplex) {
  for (;;) {
    auto reading = duplex->read();
    auto bytes = co_await std::move(reading);
    if (!bytes || bytes->empty()) co_return;
    auto writing = duplex->write("<" + *bytes + ">");
    if (Status wrote = co_await std::move(writing); !wrote) co_return;
    if (bytes->ends_with("bye")) co_return;
  }
}

Task<Response> upgrade(Request) {
  Response response;
  response.status = 101;
  response.headers.add("Connection", "Upgrade");
  response.headers.add("Upgrade", "shout");
  response.upgrade = shout_back;
  co_return response;
}

TEST_F(StreamTest, hands_an_upgraded_connection_over_with_what_was_read_ahead) {
  serve(upgrade, {}, false);
  RawClient raw(server_->port());
  raw.send("GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\nearly");
  EXPECT_THAT(raw.read_until("<early>"), StartsWith("HTTP/1.1 101 Switching Protocols\r\n"));
  raw.send("bye");
  EXPECT_EQ(raw.read_all(), "<bye>");
}

Task<Result<std::string>> talk(Client& client, std::string what) {
  ClientRequest request;
  request.headers.add("Connection", "Upgrade");
  request.headers.add("Upgrade", "shout");
  auto upgrading = client.upgrade(std::move(request));
  auto upgraded = co_await std::move(upgrading);
  if (!upgraded) co_return std::move(upgraded).error();
  if (!upgraded->duplex) {
    auto reading = upgraded->answer->read(5s);
    co_return co_await std::move(reading);
  }
  std::string heard(upgraded->answer->headers().get("Upgrade"));
  auto writing = upgraded->duplex->write(std::move(what));
  if (Status wrote = co_await std::move(writing); !wrote) co_return std::move(wrote).error();
  for (;;) {
    auto reading = upgraded->duplex->read();
    auto bytes = co_await std::move(reading);
    if (!bytes || bytes->empty()) co_return heard;
    heard += *bytes;
  }
}

TEST_F(StreamTest, client_switches_protocols) {
  serve(upgrade);
  Client client(executor_, client_options());
  const auto heard = run(talk(client, "good bye"));
  ASSERT_TRUE(heard.ok()) << heard.error().message();
  EXPECT_EQ(*heard, "shout<good bye>");
}

Task<Response> no_upgrade(Request) {
  Response response;
  response.status = 403;
  response.body.push_back(Chunk::of("not you"));
  co_return response;
}

TEST_F(StreamTest, client_hears_why_a_peer_does_not_switch) {
  serve(no_upgrade);
  Client client(executor_, client_options());
  const auto heard = run(talk(client, ""));
  ASSERT_TRUE(heard.ok()) << heard.error().message();
  EXPECT_EQ(*heard, "not you");
}

}  // namespace
}  // namespace flotilla::http::test
