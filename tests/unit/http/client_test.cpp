// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <semaphore>

#include "core/async/event.hpp"
#include "tests/unit/http/loopback.hpp"

namespace flotilla::http::test {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

Task<Response> ok(Request request) {
  Response response;
  response.body.push_back(Chunk::of(request.path + "|" + std::string(request.headers.get("authorization")) +
                                    "|" + std::string(request.headers.get("host"))));
  co_return response;
}

Task<Response> never(Request) {
  auto sleeping = sleep_for(60s);
  co_await std::move(sleeping);
  co_return Response();
}

class ClientTest : public Loopback {};

TEST_F(ClientTest, joins_targets_to_the_path_of_the_base_url) {
  serve(ok);
  ClientOptions options = client_options();
  options.base_url += "/clusters/one/";
  options.bearer_token = "secret";
  Client client(executor_, options);
  EXPECT_EQ(get(client, "/api")->body,
            "/clusters/one/api|Bearer secret|127.0.0.1:" + std::to_string(server_->port()));
}

TEST_F(ClientTest, refuses_a_server_of_another_ca) {
  serve(ok);
  ClientOptions options = client_options();
  options.ca_pem = make_authority("other", {clock_.now()})->certificate_pem;
  Client client(executor_, options);
  const auto answer = get(client, "/");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), Code::Unauthorized);
  EXPECT_THAT(answer.error().message(), HasSubstr("not trusted"));
}

TEST_F(ClientTest, refuses_a_server_of_another_name) {
  serve(ok);
  ClientOptions options = client_options();
  options.server_name = "elsewhere.example";
  Client client(executor_, options);
  const auto answer = get(client, "/");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), Code::Unauthorized);
}

TEST_F(ClientTest, talks_to_anyone_when_told_so) {
  serve(ok);
  ClientOptions options = client_options();
  options.ca_pem = {};
  options.insecure_skip_verify = true;
  Client client(executor_, options);
  EXPECT_TRUE(get(client, "/").ok());
}

TEST_F(ClientTest, resolves_names) {
  serve(ok);
  ClientOptions options = client_options();
  options.base_url = "https://localhost:" + std::to_string(server_->port());
  Client client(executor_, options);
  const auto answer = get(client, "/");
  ASSERT_TRUE(answer.ok()) << answer.error().message();
}

TEST_F(ClientTest, says_that_nobody_listens) {
  serve(ok);
  Client client(executor_, client_options());
  server_->stop(Duration::zero());
  const auto answer = get(client, "/");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), Code::Unavailable);
  EXPECT_THAT(answer.error().message(), HasSubstr("refused"));
}

TEST_F(ClientTest, gives_up_when_no_answer_comes_in_time) {
  serve(never);
  Client client(executor_, client_options());
  ClientRequest request;
  request.timeout = 100ms;
  const auto answer = send(client, std::move(request));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), Code::Timeout);
}

TEST_F(ClientTest, says_that_its_url_is_none) {
  ClientOptions options;
  options.base_url = "member1:6443";
  Client client(executor_, options);
  const auto answer = get(client, "/");
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), Code::Invalid);
}

TEST_F(ClientTest, goes_on_when_the_server_closed_the_kept_connection) {
  ServerOptions options;
  options.idle_timeout = 60ms;
  serve(ok, options);
  Client client(executor_, client_options());
  ASSERT_TRUE(get(client, "/").ok());
  while (server_->connections() > 0) std::this_thread::yield();
  const auto again = get(client, "/");
  EXPECT_TRUE(again.ok()) << again.error().message();
}

Task<void> get_into(Client& client, std::atomic<int>& answers) {
  auto sending = client.send(ClientRequest());
  auto answer = co_await std::move(sending);
  if (answer.ok()) ++answers;
}

TEST_F(ClientTest, shares_few_connections_among_many_fibers) {
  serve(ok);
  ClientOptions options = client_options();
  options.max_connections = 3;
  Client client(executor_, options);
  std::atomic<int> answers{0};
  FiberScope scope(executor_.strand(), "test");
  for (int i = 0; i < 60; ++i) scope.spawn_on(executor_.strand(), get_into(client, answers));
  scope.join_blocking();
  EXPECT_EQ(answers, 60);
  EXPECT_LE(server_->connections(), 3u);
}

TEST_F(ClientTest, leaves_its_place_when_cancelled_in_the_queue) {
  serve(never);
  ClientOptions options = client_options();
  options.max_connections = 1;
  Client client(executor_, options);
  std::atomic<int> answers{0};
  FiberScope scope(executor_.strand(), "test");
  for (int i = 0; i < 5; ++i) scope.spawn_on(executor_.strand(), get_into(client, answers));
  scope.cancel();
  scope.join_blocking();
  EXPECT_EQ(answers, 0);
  ClientRequest request;
  request.timeout = 50ms;
  EXPECT_EQ(send(client, std::move(request)).error().code(), Code::Timeout);
}

Task<Response> tunnel(std::shared_ptr<std::string> seen, Request request) {
  *seen = request.method + " " + request.path;
  Response response;
  response.status = 502;
  co_return response;
}

TEST_F(ClientTest, asks_its_proxy_for_the_way) {
  const auto seen = std::make_shared<std::string>();
  serve([seen](Request request) { return tunnel(seen, std::move(request)); }, {}, false);
  ClientOptions options;
  options.base_url = "https://member.example:6443";
  options.proxy_url = "http://127.0.0.1:" + std::to_string(server_->port());
  Client client(executor_, options);
  const auto answer = get(client, "/");
  ASSERT_FALSE(answer.ok());
  EXPECT_THAT(answer.error().message(), HasSubstr("502"));
  EXPECT_EQ(*seen, "CONNECT member.example:6443");
}

}  // namespace
}  // namespace flotilla::http::test
