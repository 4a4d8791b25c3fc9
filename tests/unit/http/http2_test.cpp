// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <atomic>
#include <semaphore>

#include "core/async/event.hpp"
#include "tests/unit/http/http2_client.hpp"

namespace flotilla::http::test {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

Response text(std::string body, int status = 200) {
  Response response;
  response.status = status;
  response.body.push_back(Chunk::of(std::move(body)));
  return response;
}

// Endless until the reader goes: what a watch is.
class Ticks final : public BodyStream {
 public:
  Ticks(std::atomic<int>& alive, std::size_t bytes) : alive_(alive), bytes_(bytes) { ++alive_; }
  ~Ticks() override { --alive_; }
  Task<std::vector<Chunk>> next() override {
    if (bytes_ < 100) {
      auto sleeping = sleep_for(20ms);
      co_await std::move(sleeping);
    }
    std::vector<Chunk> chunks;
    chunks.push_back(Chunk::of(std::string(bytes_, 't')));
    co_return chunks;
  }

 private:
  std::atomic<int>& alive_;
  std::size_t bytes_;
};

struct World {
  std::atomic<int> ticking{0};
  std::atomic<int> running{0};
  Event release;
};

Task<Response> answer(std::shared_ptr<World> world, Request request) {
  if (request.path == "/ticks" || request.path == "/flood") {
    Response response;
    response.stream = std::make_unique<Ticks>(world->ticking, request.path == "/flood" ? 1u << 20 : 4);
    co_return response;
  }
  if (request.path == "/big") co_return text(std::string(5u << 20, 'b'));
  if (request.path == "/wait") {
    ++world->running;
    auto waiting = world->release.wait_past(1);
    co_await std::move(waiting);
    --world->running;
  }
  Response response = text(request.method + " " + request.path + "?" + request.query + " " +
                           std::to_string(request.body.size()));
  response.headers.add("X-Seen", std::string(request.headers.get("X-Test")));
  response.headers.add("Connection", "keep-alive");
  co_return response;
}

class Http2Test : public Loopback {
 protected:
  void serve_world(ServerOptions options = {}) {
    serve([world = world_](Request request) { return answer(world, std::move(request)); }, options, false);
  }
  template <typename Holds>
  static bool soon(Holds holds) {
    for (int i = 0; i < 500 && !holds(); ++i) std::this_thread::sleep_for(10ms);
    return holds();
  }
  std::shared_ptr<World> world_ = std::make_shared<World>();
};

TEST_F(Http2Test, answers_and_leaves_out_what_speaks_of_the_connection) {
  serve_world();
  Http2Client client(server_->port());
  const auto id = client.ask("POST", "/api/v1/pods?limit=5", "hello", {{"x-test", "yes"}});
  const Http2Answer& got = client.wait(id);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "POST /api/v1/pods?limit=5 5");
  EXPECT_EQ(got.headers.at("x-seen"), "yes");
  EXPECT_EQ(got.headers.at("content-length"), std::to_string(got.body.size()));
  EXPECT_FALSE(got.headers.contains("connection"));
}

TEST_F(Http2Test, answers_many_at_once_while_streams_go_on) {
  serve_world();
  Http2Client client(server_->port());
  std::vector<std::int32_t> streams;
  std::vector<std::int32_t> asked;
  for (int i = 0; i < 50; ++i) streams.push_back(client.ask("GET", "/ticks"));
  for (int i = 0; i < 150; ++i) asked.push_back(client.ask("GET", "/one"));
  asked.push_back(client.ask("GET", "/big"));
  for (const auto id : asked) EXPECT_EQ(client.wait(id).status, 200);
  EXPECT_EQ(client.answers[asked.back()].body.size(), 5u << 20);
  EXPECT_TRUE(client.run_until([&] {
    return std::all_of(streams.begin(), streams.end(),
                       [&](auto id) { return client.answers[id].body.size() > 8; });
  }));
}

// What one connection sends must never be read by another, whichever thread goes on with it.
TEST_F(Http2Test, keeps_many_connections_apart) {
  serve_world();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 12; ++t) {
    threads.emplace_back([&, t] {
      Http2Client client(server_->port());
      for (int i = 0; i < 60; ++i) {
        const std::string path = "/" + std::to_string(t) + "/" + std::to_string(i);
        const std::string body(static_cast<std::size_t>(i), static_cast<char>('a' + t));
        const Http2Answer& got = client.wait(client.ask("POST", path, body));
        if (got.body != "POST " + path + "? " + std::to_string(i)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(Http2Test, gives_head_no_body) {
  serve_world();
  Http2Client client(server_->port());
  const Http2Answer& got = client.wait(client.ask("HEAD", "/one"));
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "");
  EXPECT_EQ(got.headers.at("content-length"), "12");
}

TEST_F(Http2Test, ends_a_stream_that_its_reader_resets) {
  serve_world();
  Http2Client client(server_->port());
  const auto id = client.ask("GET", "/ticks");
  ASSERT_TRUE(client.run_until([&] { return !client.answers[id].body.empty(); }));
  EXPECT_EQ(world_->ticking, 1);
  client.reset(id);
  EXPECT_TRUE(soon([&] { return world_->ticking == 0; }));
  EXPECT_EQ(client.wait(client.ask("GET", "/one")).status, 200);
}

TEST_F(Http2Test, refuses_a_body_over_the_limit_and_goes_on) {
  ServerOptions options;
  options.max_body_bytes = 1000;
  serve_world(options);
  Http2Client client(server_->port());
  EXPECT_EQ(client.wait(client.ask("POST", "/a", std::string(300'000, 'x'))).status, 413);
  EXPECT_EQ(client.wait(client.ask("POST", "/a", "small")).status, 200);
}

TEST_F(Http2Test, refuses_a_head_over_the_limit_and_goes_on) {
  ServerOptions options;
  options.max_header_bytes = 4096;
  serve_world(options);
  Http2Client client(server_->port());
  EXPECT_EQ(client.wait(client.ask("GET", "/a", "", {{"x-long", std::string(8000, 'x')}})).status, 431);
  EXPECT_EQ(client.wait(client.ask("GET", "/a")).status, 200);
}

TEST_F(Http2Test, does_not_let_one_slow_reader_hold_up_the_others) {
  ServerOptions options;
  options.write_timeout = 200ms;
  serve_world(options);
  Http2Client client(server_->port(), 1000);
  // Nobody opens this stream's window again: the test's client gives credit only for what it reads, and a
  // frame larger than the window does not come.
  const auto slow = client.ask("GET", "/ticks");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.wait(client.ask("GET", "/one")).status, 200);
  EXPECT_FALSE(client.answers[slow].closed);
}

TEST_F(Http2Test, says_goodbye_and_ends_streams_when_the_server_stops) {
  serve_world();
  Http2Client client(server_->port());
  const auto id = client.ask("GET", "/ticks");
  ASSERT_TRUE(client.run_until([&] { return !client.answers[id].body.empty(); }));
  const auto waiting = client.ask("GET", "/wait");
  ASSERT_TRUE(soon([&] { return world_->running == 1; }));
  auto stopped = std::async(std::launch::async, [&] { server_->stop(20s); });
  ASSERT_TRUE(client.run_until([&] { return client.told_to_go && client.answers[id].closed; }));
  EXPECT_TRUE(client.answers[id].ended);
  world_->release.notify();
  EXPECT_EQ(client.wait(waiting).status, 200);
  EXPECT_EQ(stopped.wait_for(5s), std::future_status::ready);
}

TEST_F(Http2Test, closes_when_a_stop_finds_it_idle) {
  serve_world();
  Http2Client client(server_->port());
  EXPECT_EQ(client.wait(client.ask("GET", "/one")).status, 200);
  server_->stop(20s);
  EXPECT_FALSE(client.run_until([] { return false; }));
  EXPECT_TRUE(client.told_to_go);
}

TEST_F(Http2Test, cuts_off_a_client_that_resets_without_end) {
  serve_world();
  Http2Client client(server_->port());
  for (int i = 0; i < 5000; ++i) client.reset(client.ask("GET", "/wait"));
  EXPECT_FALSE(client.run_until([] { return false; }));
  EXPECT_LE(world_->running, 2 * 250);
  world_->release.notify();
}

TEST_F(Http2Test, closes_on_nonsense) {
  serve_world();
  RawClient raw(server_->port());
  raw.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nand now for something completely different, at some length");
  EXPECT_TRUE(raw.sees_close());
}

TEST_F(Http2Test, closes_when_a_head_does_not_end) {
  ServerOptions options;
  options.header_timeout = 200ms;
  options.idle_timeout = 400ms;
  serve_world(options);
  RawClient raw(server_->port());
  raw.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  raw.send(std::string("\0\0\0\4\0\0\0\0\0", 9));       // SETTINGS
  raw.send(std::string("\0\0\1\1\0\0\0\0\1\x82", 10));  // HEADERS without END_HEADERS
  EXPECT_TRUE(raw.sees_close());
}

TEST_F(Http2Test, closes_when_continuations_do_not_end) {
  serve_world();
  RawClient raw(server_->port());
  raw.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  raw.send(std::string("\0\0\0\4\0\0\0\0\0", 9));
  raw.send(std::string("\0\0\1\1\0\0\0\0\1\x82", 10));
  for (int i = 0; i < 10'000; ++i) raw.send(std::string("\0\0\0\x9\0\0\0\0\1", 9));  // CONTINUATION
  EXPECT_TRUE(raw.sees_close());
}

}  // namespace
}  // namespace flotilla::http::test
