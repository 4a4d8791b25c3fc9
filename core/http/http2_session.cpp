// SPDX-License-Identifier: Apache-2.0
#include "core/http/http2_session.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "core/base/log.hpp"
#include "core/http/status.hpp"

namespace flotilla::http {

namespace {

const Logger kLog("http");

constexpr std::size_t kFlight = 64u << 10;  // gathered, then sent
constexpr std::size_t kMaxReceived = 32u << 20;
constexpr std::size_t kMostRunning = 2 * Http2Session::kMaxStreams;
constexpr std::int32_t kStreamWindow = 256 << 10;
constexpr std::int32_t kConnectionWindow = 1 << 20;
constexpr Duration kGoodbyeTime = std::chrono::seconds(2);
constexpr std::size_t kFieldOverhead = 32;  // as SETTINGS_MAX_HEADER_LIST_SIZE counts

std::string_view text_of(const std::uint8_t* bytes, std::size_t count) {
  return {reinterpret_cast<const char*>(bytes), count};
}

// Fields that speak of the connection have no place in HTTP/2.
bool is_hop_by_hop(std::string_view name) {
  for (const std::string_view one : {"connection", "keep-alive", "transfer-encoding", "upgrade"}) {
    if (same_name(one, name)) return true;
  }
  return false;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  return out;
}

}  // namespace

struct Http2Session::Stream {
  Stream(std::int32_t the_id, const AnyExecutor& strand) : id(the_id), drained(strand) {}

  const std::int32_t id;
  Request request;
  std::size_t head_bytes = 0;
  int refusal = 0;  // status to answer instead of the handler
  std::string refusal_text;
  bool is_head = false;
  bool whole = false;    // nothing of the request is to come
  bool started = false;  // has its fiber
  bool closed = false;   // nobody hears any more
  SteadyTime progress{};

  // The answer: chunks[next] from `offset` on is to be sent.
  std::vector<Chunk> chunks;
  std::size_t next = 0;
  std::size_t offset = 0;
  std::size_t available = 0;
  bool submitted = false;
  bool ended = false;  // no more chunks will come
  bool deferred = false;
  bool pumping = false;
  StrandSignal drained;
  std::function<void()> cancel;

  void give(std::vector<Chunk> more) {
    chunks = std::move(more);
    next = offset = 0;
    for (const Chunk& chunk : chunks) available += chunk.bytes.size();
  }
};

// The C functions that nghttp2 calls, with the session as their last argument.
struct Http2Session::Callbacks {
  static Http2Session& of(void* user) { return *static_cast<Http2Session*>(user); }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      of(user).begin_stream(frame->hd.stream_id);
    }
    return 0;
  }
  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_length, const std::uint8_t* value, std::size_t value_length,
                    std::uint8_t, void* user) {
    const StreamPtr stream = of(user).find(frame->hd.stream_id);
    if (stream && !stream->started) {
      of(user).take_header(*stream, text_of(name, name_length), text_of(value, value_length));
    }
    return 0;
  }
  static int data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                  std::size_t count, void* user) {
    const StreamPtr stream = of(user).find(id);
    if (!stream) return 0;
    of(user).take_data(*stream, text_of(bytes, count));
    if (stream->refusal != 0) of(user).request_is_whole(stream);
    return 0;
  }
  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    const StreamPtr stream = of(user).find(frame->hd.stream_id);
    if (!stream) return 0;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) stream->whole = true;
    if (stream->whole || stream->refusal != 0) of(user).request_is_whole(stream);
    return 0;
  }
  // An answer that ends before its request: the rest of the request is not wanted.
  static int frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    const bool ends = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                      (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const StreamPtr stream = ends ? of(user).find(frame->hd.stream_id) : nullptr;
    if (stream && !stream->whole) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }
  static int stream_closed(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
    of(user).stream_closed(id);
    return 0;
  }
  static ssize_t offer(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t room, std::uint32_t* flags,
                       nghttp2_data_source* source, void* user) {
    return of(user).offer_data(*static_cast<Stream*>(source->ptr), room, *flags);
  }
  static int send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* frame_head, std::size_t count,
                       nghttp2_data_source* source, void* user) {
    Http2Session& own = of(user);
    if (own.out_.size() >= kFlight) return NGHTTP2_ERR_WOULDBLOCK;
    own.append_data(*static_cast<Stream*>(source->ptr), text_of(frame_head, 9), count);
    return 0;
  }

  static nghttp2_session_callbacks* table() {
    static nghttp2_session_callbacks* const made = [] {
      nghttp2_session_callbacks* callbacks = nullptr;
      nghttp2_session_callbacks_new(&callbacks);
      nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
      nghttp2_session_callbacks_set_on_header_callback(callbacks, header);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data);
      nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_received);
      nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frame_sent);
      nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_closed);
      nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
      return callbacks;
    }();
    return made;
  }
};

Http2Session::Http2Session(ServerContext& server, Wire& wire, const Peer& peer, Deadline& deadline)
    : server_(server),
      wire_(wire),
      peer_(peer),
      deadline_(deadline),
      fibers_(wire.socket().get_executor(), "http2"),
      wake_(wire.socket().get_executor()) {}

Http2Session::~Http2Session() {
  nghttp2_session_del(session_);
}

void Http2Session::start() {
  nghttp2_session_server_new(&session_, Callbacks::table(), this);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMaxStreams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(kStreamWindow)},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(server_.options.max_header_bytes)},
  };
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

Task<void> Http2Session::serve() {
  start();
  last_heard_ = deadline_.now();
  fibers_.spawn(write_loop());
  schedule();
  while (!closed_) {
    ReadBuffer& ahead = wire_.ahead();
    if (ahead.empty()) {
      auto filling = wire_.fill();
      if (!co_await std::move(filling)) break;
    }
    const std::string_view bytes = ahead.data();
    const ssize_t used =
        nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (used < 0) {
      kLog.debug("HTTP/2 session ended",
                 {{"peer", peer_.address}, {"error", nghttp2_strerror(static_cast<int>(used))}});
      break;
    }
    ahead.consume(static_cast<std::size_t>(used));
    last_heard_ = deadline_.now();
    spawn_ready();
    schedule();
    wake_.notify();
  }
  end_all();
  deadline_.set_after(kGoodbyeTime);
  auto leaving = wire_.shut_down();
  co_await std::move(leaving);
  deadline_.set_never();
  auto joining = fibers_.join();
  co_await std::move(joining);
}

void Http2Session::spawn_ready() {
  for (const StreamPtr& stream : std::exchange(ready_, {})) {
    if (stream->closed) continue;
    if (running_ >= kMostRunning) {
      nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    ++running_;
    stream->cancel = fibers_.spawn_cancellable(fibers_.executor(), serve_stream(stream));
    if (!stream->cancel) --running_;
  }
}

// Sends what nghttp2 has to say, sleeps when that is nothing, ends the connection when it is over.
Task<void> Http2Session::write_loop() {
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!closed_) {
    if (!gather()) break;
    if (out_.empty()) {
      const bool over = stopping_ && streams_.empty() && running_ == 0;
      if (over || (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0)) {
        break;
      }
      if (out_.capacity() > 4096) std::string().swap(out_);
      auto sleeping = wake_.wait();
      co_await std::move(sleeping);
      continue;
    }
    writing_ = true;
    write_began_ = deadline_.now();
    auto writing = wire_.write_all(out_);
    const auto [error, count] = co_await std::move(writing);
    writing_ = false;
    out_.clear();
    if (error) break;
  }
  closed_ = true;
  ErrorCode ignored;
  wire_.socket().cancel(ignored);  // the reader
}

// Up to one flight into out_. False: nghttp2 cannot go on.
bool Http2Session::gather() {
  while (out_.size() < kFlight) {
    const std::uint8_t* bytes = nullptr;
    const std::size_t before = out_.size();
    const ssize_t count = nghttp2_session_mem_send(session_, &bytes);
    if (count < 0) return false;
    out_.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    if (out_.size() == before) break;
  }
  return true;
}

Task<void> Http2Session::serve_stream(StreamPtr stream) {
  co_await asio::this_coro::throw_if_cancelled(false);
  bool cancelled = false;
  Response response;
  if (stream->refusal != 0) {
    response = server_.refusal(stream->refusal, stream->refusal_text);
  } else {
    stream->request.peer = peer_;
    received_ -= std::min(received_, stream->request.body.size());
    auto calling = server_.call(std::move(stream->request), cancelled);
    response = co_await std::move(calling);
  }
  if (!cancelled && !stream->closed) {
    if (response.upgrade) response = server_.refusal(400, "HTTP/2 connections cannot be upgraded");
    const bool streams = response.stream != nullptr && !stream->is_head;
    const bool has_body = !stream->is_head && !has_no_body(response.status);
    submit(stream, response, has_body);
    if (has_body && !streams) stream->give(std::move(response.body));
    stream->ended = !streams;
    wake_.notify();
    if (streams) {
      auto pumping = pump(stream, std::move(response.stream));
      co_await std::move(pumping);
    }
  }
  --running_;
  if (stopping_) wake_.notify();
}

// One batch of chunks at a time: the next is asked for when the peer has taken the last.
Task<void> Http2Session::pump(StreamPtr stream, std::unique_ptr<BodyStream> source) {
  stream->pumping = true;
  try {
    while (!stream->closed && !stopping_) {
      auto taking = source->next();
      co_await asio::this_coro::throw_if_cancelled(true);
      std::vector<Chunk> chunks = co_await std::move(taking);
      co_await asio::this_coro::throw_if_cancelled(false);
      if (chunks.empty() || stream->closed) break;
      stream->progress = deadline_.now();
      stream->give(std::move(chunks));
      if (std::exchange(stream->deferred, false)) nghttp2_session_resume_data(session_, stream->id);
      wake_.notify();
      while (stream->available > 0 && !stream->closed) {
        auto draining = stream->drained.wait();
        co_await std::move(draining);
      }
    }
  } catch (const std::exception&) {
    // Cancelled, or the source failed: either way nothing more comes.
  }
  co_await asio::this_coro::throw_if_cancelled(false);
  stream->pumping = false;
  stream->ended = true;
  if (!stream->closed && std::exchange(stream->deferred, false)) {
    nghttp2_session_resume_data(session_, stream->id);
  }
  wake_.notify();
}

void Http2Session::begin_stream(std::int32_t id) {
  auto stream = std::make_shared<Stream>(id, fibers_.executor());
  stream->progress = deadline_.now();
  streams_.emplace(id, std::move(stream));
}

void Http2Session::take_header(Stream& stream, std::string_view name, std::string_view value) {
  stream.head_bytes += name.size() + value.size() + kFieldOverhead;
  if (stream.head_bytes > server_.options.max_header_bytes ||
      stream.request.headers.fields().size() >= kMaxHeaderFields) {
    stream.refusal = 431;
    stream.refusal_text = "request header fields too large";
  } else if (name == ":method") {
    stream.request.method = value;
    stream.is_head = value == "HEAD";
  } else if (name == ":path") {
    set_target(stream.request, value);
  } else if (name == ":authority") {
    stream.request.headers.add("Host", std::string(value));
  } else if (!name.starts_with(':')) {
    stream.request.headers.add(std::string(name), std::string(value));
  }
}

void Http2Session::take_data(Stream& stream, std::string_view bytes) {
  if (stream.started || stream.refusal != 0) return;
  stream.progress = deadline_.now();
  std::string& body = stream.request.body;
  if (body.size() + bytes.size() > server_.options.max_body_bytes) {
    stream.refusal = 413;
    stream.refusal_text =
        "request entity too large: limit is " + std::to_string(server_.options.max_body_bytes);
  } else if (received_ + bytes.size() > kMaxReceived) {
    stream.refusal = 429;
    stream.refusal_text = "too many large requests at once on this connection";
  } else {
    received_ += bytes.size();
    body.append(bytes);
    return;
  }
  received_ -= std::min(received_, body.size());
  std::string().swap(body);
}

void Http2Session::request_is_whole(const StreamPtr& stream) {
  if (std::exchange(stream->started, true)) return;
  ready_.push_back(stream);
}

void Http2Session::stream_closed(std::int32_t id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const StreamPtr stream = found->second;
  streams_.erase(found);
  if (!stream->started) received_ -= std::min(received_, stream->request.body.size());
  stream->closed = true;
  stream->available = 0;
  stream->chunks.clear();
  stream->drained.notify();
  if (stream->pumping) stream->cancel();
}

void Http2Session::submit(const StreamPtr& stream, const Response& response, bool has_body) {
  std::vector<std::pair<std::string, std::string>> fields;
  fields.reserve(response.headers.fields().size() + 2);
  fields.emplace_back(":status", std::to_string(response.status));
  for (const auto& [name, value] : response.headers.fields()) {
    if (!is_hop_by_hop(name)) fields.emplace_back(lower(name), printable(value));
  }
  if (response.stream && response.stream_size) {
    fields.emplace_back("content-length", std::to_string(*response.stream_size));
  } else if (!response.stream && !has_no_body(response.status)) {
    std::size_t size = 0;
    for (const Chunk& chunk : response.body) size += chunk.bytes.size();
    fields.emplace_back("content-length", std::to_string(size));
  }
  std::vector<nghttp2_nv> pairs;
  pairs.reserve(fields.size());
  for (auto& [name, value] : fields) {
    pairs.push_back({reinterpret_cast<std::uint8_t*>(name.data()),
                     reinterpret_cast<std::uint8_t*>(value.data()), name.size(), value.size(),
                     NGHTTP2_NV_FLAG_NONE});
  }
  nghttp2_data_provider provider{};
  provider.source.ptr = stream.get();  // in streams_ as long as nghttp2 knows it
  provider.read_callback = Callbacks::offer;
  stream->submitted = true;
  stream->progress = deadline_.now();
  nghttp2_submit_response(session_, stream->id, pairs.data(), pairs.size(), has_body ? &provider : nullptr);
}

ssize_t Http2Session::offer_data(Stream& stream, std::size_t room, std::uint32_t& flags) {
  if (stream.available == 0 && !stream.ended) {
    stream.deferred = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  const std::size_t count = std::min(room, stream.available);
  if (count > 0) flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (stream.ended && count == stream.available) flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(count);
}

void Http2Session::append_data(Stream& stream, std::string_view frame_head, std::size_t count) {
  out_.append(frame_head);
  stream.available -= std::min(stream.available, count);
  stream.progress = deadline_.now();
  while (count > 0 && stream.next < stream.chunks.size()) {
    const std::string_view rest = stream.chunks[stream.next].bytes.substr(stream.offset);
    const std::string_view part = rest.substr(0, count);
    out_.append(part);
    count -= part.size();
    stream.offset += part.size();
    if (part.size() == rest.size()) {
      ++stream.next;
      stream.offset = 0;
    }
  }
  if (stream.available == 0) stream.drained.notify();
}

void Http2Session::begin_stop() {
  if (stopping_ || closed_ || session_ == nullptr) return;
  stopping_ = true;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                        NGHTTP2_NO_ERROR, nullptr, 0);
  for (const auto& [id, stream] : streams_) {
    if (stream->pumping) stream->cancel();
  }
  wake_.notify();
}

void Http2Session::abandon() {
  closed_ = true;
  fibers_.cancel();
  wake_.notify();
}

void Http2Session::end_all() {
  closed_ = true;
  while (!streams_.empty()) stream_closed(streams_.begin()->first);
  wake_.notify();
}

// Something under way is looked at often, an idle connection once.
void Http2Session::schedule() {
  const ServerOptions& options = server_.options;
  deadline_.set_after(streams_.empty() && !writing_
                          ? options.idle_timeout
                          : std::min(options.header_timeout, options.write_timeout) / 4);
}

bool Http2Session::check_deadline(SteadyTime now) {
  const ServerOptions& options = server_.options;
  if (writing_ && now - write_began_ >= options.write_timeout) return false;
  const bool idle = streams_.empty() && !writing_ && running_ == 0;
  if (idle && now - last_heard_ >= options.idle_timeout) return false;
  for (const auto& [id, stream] : streams_) {
    const bool waits_for_request = !stream->started;
    const bool waits_for_reader = stream->submitted && stream->available > 0;
    const Duration patience = waits_for_request ? options.header_timeout : options.write_timeout;
    if ((waits_for_request || waits_for_reader) && now - stream->progress >= patience) {
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    }
  }
  schedule();
  wake_.notify();
  return true;
}

Http2Session::StreamPtr Http2Session::find(std::int32_t id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second;
}

}  // namespace flotilla::http
