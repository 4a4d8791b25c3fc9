// SPDX-License-Identifier: Apache-2.0
#include "core/http/gzip.hpp"

#include <zlib.h>

#include "core/http/status.hpp"

namespace flotilla::http {

namespace {

constexpr std::size_t kBlock = 64u << 10;  // compressed and handed on
constexpr int kGzip = 15 + 16;             // the largest window, with gzip's frame around it

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

class GzipStream final : public BodyStream {
 public:
  GzipStream(std::vector<Chunk> body, std::unique_ptr<BodyStream> source)
      : input_(std::move(body)), source_(std::move(source)) {
    ready_ = deflateInit2(&state_, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~GzipStream() override { deflateEnd(&state_); }

  Task<std::vector<Chunk>> next() override {
    std::vector<Chunk> out;
    block_.clear();
    while (ready_ && !ended_ && block_.size() < kBlock) {
      if (at_ == input_.size() && source_) {
        auto taking = source_->next();
        input_ = co_await std::move(taking);
        at_ = 0;
        if (input_.empty()) source_.reset();
      }
      if (at_ < input_.size()) {
        deflate_piece(input_[at_++].bytes, Z_NO_FLUSH);
      } else {
        deflate_piece({}, Z_FINISH);
        ended_ = true;
      }
    }
    if (!block_.empty()) out.push_back({nullptr, block_});
    co_return out;
  }

 private:
  void deflate_piece(std::string_view bytes, int flush) {
    state_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    state_.avail_in = static_cast<uInt>(bytes.size());
    do {
      const std::size_t before = block_.size();
      block_.resize(before + kBlock);
      state_.next_out = reinterpret_cast<Bytef*>(block_.data() + before);
      state_.avail_out = static_cast<uInt>(kBlock);
      deflate(&state_, flush);
      block_.resize(before + kBlock - state_.avail_out);
    } while (state_.avail_out == 0);
  }

  std::vector<Chunk> input_;
  std::size_t at_ = 0;
  std::unique_ptr<BodyStream> source_;
  z_stream state_{};
  std::string block_;  // lives until the next call
  bool ready_ = false;
  bool ended_ = false;
};

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    const auto comma = accept_encoding.find(',');
    const std::string_view clause = accept_encoding.substr(0, comma);
    const auto semicolon = clause.find(';');
    if (same_name(trim(clause.substr(0, semicolon)), "gzip")) {
      if (semicolon == std::string_view::npos) return true;
      const std::string_view quality = trim(clause.substr(semicolon + 1));
      return quality != "q=0" && !quality.starts_with("q=0.0") && quality != "q=0.";
    }
    if (comma == std::string_view::npos) return false;
    accept_encoding.remove_prefix(comma + 1);
  }
  return false;
}

void compress(Response& response) {
  response.stream = std::make_unique<GzipStream>(std::move(response.body), std::move(response.stream));
  response.body.clear();
  response.stream_size.reset();
  response.headers.set("Content-Encoding", "gzip");
  response.headers.add("Vary", "Accept-Encoding");
}

}  // namespace flotilla::http
