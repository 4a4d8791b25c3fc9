// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/async/event.hpp"
#include "tests/unit/http/loopback.hpp"

namespace flotilla::http::test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Response text(std::string body, int status = 200) {
  Response response;
  response.status = status;
  response.body.push_back(Chunk::of(std::move(body)));
  return response;
}

// Says what it heard.
Task<Response> echo(Request request) {
  Response response = text(request.method + " " + request.path + "?" + request.query + " " + request.body);
  response.headers.add("X-Seen", std::string(request.headers.get("x-test")));
  co_return response;
}

Task<Response> tell_size(Request request) {
  co_return text(std::to_string(request.body.size()));
}

class ServerTest : public Loopback {};

TEST_F(ServerTest, answers_over_tls_and_keeps_the_connection) {
  serve(echo);
  Client client(executor_, client_options());
  for (int i = 0; i < 10; ++i) {
    ClientRequest request;
    request.method = "POST";
    request.target = "/api/v1/pods?limit=5";
    request.headers.add("X-Test", "yes");
    request.body = "hello";
    const auto answer = send(client, std::move(request));
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "POST /api/v1/pods?limit=5 hello");
    EXPECT_EQ(answer->headers.get("x-seen"), "yes");
  }
  EXPECT_EQ(server_->connections(), 1u);
}

Task<Response> tell_peer(Request request) {
  std::string out = request.peer.certificate_presented ? "presented " : "";
  if (request.peer.certificate_verified) out += "verified " + request.peer.common_name;
  for (const std::string& organization : request.peer.organizations) out += "," + organization;
  co_return text(out);
}

TEST_F(ServerTest, names_the_holder_of_a_client_certificate) {
  serve(tell_peer);
  ClientOptions options = client_options();
  const auto pair = *sign_client(authority(), {"admin", {"system:masters", "dev"}}, {clock_.now()});
  options.client_certificate_pem = pair.certificate_pem;
  options.client_key_pem = pair.key_pem;
  Client client(executor_, options);
  EXPECT_EQ(get(client, "/")->body, "presented verified admin,system:masters,dev");
}

TEST_F(ServerTest, does_not_believe_a_certificate_of_another_ca) {
  serve(tell_peer);
  const auto stranger = *make_authority("stranger", {clock_.now()});
  const auto pair = *sign_client(stranger, {"admin", {"system:masters"}}, {clock_.now()});
  ClientOptions options = client_options();
  options.client_certificate_pem = pair.certificate_pem;
  options.client_key_pem = pair.key_pem;
  Client client(executor_, options);
  EXPECT_EQ(get(client, "/")->body, "presented ");
}

TEST_F(ServerTest, serves_without_a_client_certificate) {
  serve(tell_peer);
  Client client(executor_, client_options());
  EXPECT_EQ(get(client, "/")->body, "");
}

Task<Response> many_chunks(Request) {
  Response response;
  const auto big = std::make_shared<const std::string>(3u << 20, 'b');
  for (int i = 0; i < 2000; ++i) response.body.push_back(Chunk::of(std::string(700, 's')));
  response.body.push_back({big, *big});
  response.body.push_back(Chunk::of_static("end"));
  co_return response;
}

TEST_F(ServerTest, sends_small_and_large_chunks_in_order) {
  serve(many_chunks);
  Client client(executor_, client_options());
  const auto answer = get(client, "/");
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  ASSERT_EQ(answer->body.size(), 2000u * 700 + (3u << 20) + 3);
  EXPECT_EQ(answer->body.find('b'), 2000u * 700);
  EXPECT_THAT(answer->body, EndsWith("bend"));
}

TEST_F(ServerTest, takes_a_large_request_body) {
  ServerOptions options;
  options.max_body_bytes = 8u << 20;
  serve(tell_size, options);
  Client client(executor_, client_options());
  ClientRequest request;
  request.method = "PUT";
  request.body.assign(6u << 20, 'x');
  EXPECT_EQ(send(client, std::move(request))->body, std::to_string(6u << 20));
}

TEST_F(ServerTest, refuses_a_body_over_the_limit_with_413) {
  ServerOptions options;
  options.max_body_bytes = 1000;
  serve(tell_size, options);
  Client client(executor_, client_options());
  ClientRequest request;
  request.method = "POST";
  request.body.assign(200'000, 'x');
  const auto answer = send(client, std::move(request));
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(answer->headers.get("connection"), "close");
}

TEST_F(ServerTest, refuses_a_chunked_body_over_the_limit_with_413) {
  ServerOptions options;
  options.max_body_bytes = 10;
  serve(tell_size, options, false);
  RawClient raw(server_->port());
  raw.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n01234567890123456789012345678901\r\n");
  EXPECT_THAT(raw.read_all(), StartsWith("HTTP/1.1 413 "));
}

TEST_F(ServerTest, refuses_a_head_over_the_limit_with_431) {
  ServerOptions options;
  options.max_header_bytes = 4096;
  serve(echo, options);
  Client client(executor_, client_options());
  ClientRequest request;
  request.headers.add("X-Long", std::string(10'000, 'x'));
  const auto answer = send(client, std::move(request));
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_EQ(answer->status, 431);
}

Response refusal_page(int status, std::string_view message) {
  return text("{\"" + std::string(message) + "\"}", status);
}

TEST_F(ServerTest, lets_the_owner_word_its_refusals) {
  ServerOptions options;
  options.error_response = refusal_page;
  serve(echo, options, false);
  RawClient raw(server_->port());
  raw.send("THIS IS NOT HTTP\r\n\r\n");
  const std::string answer = raw.read_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(answer, EndsWith("{\"malformed HTTP request\"}"));
}

TEST_F(ServerTest, answers_pipelined_requests_in_order) {
  serve(echo, {}, false);
  RawClient raw(server_->port());
  raw.send(
      "GET /1 HTTP/1.1\r\n\r\nPOST /2 HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET /3 HTTP/1.1\r\nConnection: "
      "close\r\n\r\n");
  const std::string answer = raw.read_all();
  const std::size_t first = answer.find("GET /1?");
  const std::size_t second = answer.find("POST /2? hi");
  const std::size_t third = answer.find("GET /3?");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_NE(third, std::string::npos);
}

TEST_F(ServerTest, reads_a_chunked_body_and_says_continue) {
  serve(echo, {}, false);
  RawClient raw(server_->port());
  raw.send(
      "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(raw.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue"));
  raw.send("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_THAT(raw.read_all(), EndsWith("POST /a? abcde"));
}

TEST_F(ServerTest, gives_head_the_length_without_the_body) {
  serve(echo, {}, false);
  RawClient raw(server_->port());
  raw.send("HEAD /abc HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string answer = raw.read_all();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 11\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

Task<Response> inject(Request) {
  Response response = text("x");
  response.headers.add("X-Name", "a\r\nX-Evil: 1");
  co_return response;
}

TEST_F(ServerTest, never_lets_a_value_start_a_header) {
  serve(inject, {}, false);
  RawClient raw(server_->port());
  raw.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(raw.read_all(), HasSubstr("X-Name: a  X-Evil: 1\r\n"));
}

Task<Response> fail(Request) {
  throw std::runtime_error("oops");
  co_return Response();
}

TEST_F(ServerTest, turns_an_exception_into_a_500) {
  serve(fail);
  Client client(executor_, client_options());
  EXPECT_EQ(get(client, "/")->status, 500);
}

TEST_F(ServerTest, closes_a_connection_that_dawdles_over_its_head) {
  ServerOptions options;
  options.header_timeout = std::chrono::milliseconds(100);
  serve(echo, options, false);
  RawClient raw(server_->port());
  raw.send("GET / HT");
  EXPECT_TRUE(raw.sees_close());
}

TEST_F(ServerTest, closes_an_idle_connection) {
  ServerOptions options;
  options.idle_timeout = std::chrono::milliseconds(100);
  serve(echo, options, false);
  RawClient raw(server_->port());
  raw.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_THAT(raw.read_until("GET"), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_TRUE(raw.sees_close());
}

TEST_F(ServerTest, names_the_port_that_is_taken) {
  serve(echo);
  ServerOptions options;
  options.port = server_->port();
  Server second(executor_, options, echo);
  const Status started = second.start();
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(started.error().message(),
              HasSubstr("address already in use: 127.0.0.1:" + std::to_string(server_->port())));
}

TEST_F(ServerTest, says_which_part_of_its_identity_is_wrong) {
  ServerOptions options;
  options.identity = {server_identity().certificate_pem, authority().key_pem};
  Server server(executor_, options, echo);
  const Status started = server.start();
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(started.error().message(), HasSubstr("private key"));
}

}  // namespace
}  // namespace flotilla::http::test
