// SPDX-License-Identifier: Apache-2.0
#include "core/http/gzip.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/unit/http/loopback.hpp"

namespace flotilla::http::test {
namespace {

std::string inflate_all(const std::string& bytes) {
  z_stream state{};
  EXPECT_EQ(inflateInit2(&state, 15 + 16), Z_OK);
  std::string out;
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  state.avail_in = static_cast<uInt>(bytes.size());
  int result = Z_OK;
  while (result == Z_OK) {
    char block[4096];
    state.next_out = reinterpret_cast<Bytef*>(block);
    state.avail_out = sizeof block;
    result = inflate(&state, Z_NO_FLUSH);
    out.append(block, sizeof block - state.avail_out);
  }
  EXPECT_EQ(result, Z_STREAM_END);
  inflateEnd(&state);
  return out;
}

// Numbers, block by block, each valid until the next.
class Blocks final : public BodyStream {
 public:
  Task<std::vector<Chunk>> next() override {
    std::vector<Chunk> chunks;
    if (count_ == 100) co_return chunks;
    block_.assign(30'000, static_cast<char>('a' + count_++ % 26));
    chunks.push_back({nullptr, block_});
    co_return chunks;
  }

 private:
  int count_ = 0;
  std::string block_;
};

Task<Response> answer(Request request) {
  Response response;
  if (request.path == "/stream") {
    response.stream = std::make_unique<Blocks>();
  } else {
    response.body.push_back(Chunk::of(std::string(200'000, 'x')));
    response.body.push_back(Chunk::of_static("end"));
  }
  compress(response);
  co_return response;
}

class Gzip : public Loopback {};

TEST_F(Gzip, compresses_bodies_and_streams) {
  serve(answer);
  Client client(executor_, client_options());
  const auto body = get(client, "/body");
  ASSERT_TRUE(body.ok()) << body.error().message();
  EXPECT_EQ(body->headers.get("content-encoding"), "gzip");
  EXPECT_EQ(body->headers.get("vary"), "Accept-Encoding");
  EXPECT_LT(body->body.size(), 10'000u);
  EXPECT_EQ(inflate_all(body->body), std::string(200'000, 'x') + "end");
  const auto stream = get(client, "/stream");
  ASSERT_TRUE(stream.ok()) << stream.error().message();
  const std::string whole = inflate_all(stream->body);
  ASSERT_EQ(whole.size(), 3'000'000u);
  EXPECT_EQ(whole[30'000], 'b');
}

TEST(AcceptsGzip, reads_the_header_as_it_is_written) {
  for (const char* yes : {"gzip", "deflate, gzip", "gzip;q=0.5", " GZIP , br"})
    EXPECT_TRUE(accepts_gzip(yes)) << yes;
  for (const char* no : {"", "identity", "*", "gzip;q=0", "gzipped", "x-gzip"})
    EXPECT_FALSE(accepts_gzip(no)) << no;
}

}  // namespace
}  // namespace flotilla::http::test
