// SPDX-License-Identifier: Apache-2.0
#include "rpc.hpp"

#include <algorithm>
#include <deque>
#include <fstream>
#include <limits>
#include <sstream>

namespace flotilla::plugins::storage::etcd {
namespace {

constexpr std::int64_t kIdle = 3600'000'000'000;

std::string read_pem(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || text.str().empty())
    throw sdk::Failure(FLT_FAILED_PRECONDITION, path + ": cannot be read; etcd's TLS needs it");
  return text.str();
}

grpc_channel_credentials* credentials(const GrpcLibrary& grpc, const TlsFiles& tls) {
  if (!tls.enabled) return grpc.grpc_insecure_credentials_create();
  const std::string authority = tls.authority.empty() ? "" : read_pem(tls.authority);
  const std::string certificate = tls.certificate.empty() ? "" : read_pem(tls.certificate);
  const std::string key = tls.key.empty() ? "" : read_pem(tls.key);
  grpc_ssl_pem_key_cert_pair pair{key.c_str(), certificate.c_str()};
  return grpc.grpc_ssl_credentials_create_ex(authority.empty() ? nullptr : authority.c_str(),
                                             certificate.empty() ? nullptr : &pair, nullptr, nullptr);
}

grpc_arg number(const char* key, std::int64_t value) {
  grpc_arg arg{};
  arg.type = GRPC_ARG_INTEGER;
  arg.key = const_cast<char*>(key);
  arg.value.integer = static_cast<int>(value);
  return arg;
}

grpc_arg text(const char* key, const std::string& value) {
  grpc_arg arg{};
  arg.type = GRPC_ARG_STRING;
  arg.key = const_cast<char*>(key);
  arg.value.string = const_cast<char*>(value.c_str());
  return arg;
}

}  // namespace

Channel::Channel(const GrpcLibrary& grpc, const std::string& address, const ChannelOptions& options)
    : grpc_(grpc) {
  std::vector<grpc_arg> args = {
      number(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, -1),
      number(GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1),
      number(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
      number(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
      number(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100),
      number(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, options.dial_timeout_ms),
      number(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, std::max<std::int64_t>(options.dial_timeout_ms, 2000)),
      number(GRPC_ARG_KEEPALIVE_TIME_MS, options.keep_alive_ms),
      number(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, options.keep_alive_timeout_ms),
      number(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0)};
  if (options.tls.enabled && !options.tls.server_name.empty())
    args.push_back(text(GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, options.tls.server_name));
  const grpc_channel_args all{args.size(), args.data()};
  grpc_channel_credentials* used = credentials(grpc, options.tls);
  if (used == nullptr)
    throw sdk::Failure(FLT_FAILED_PRECONDITION, "etcd's TLS: the certificate and its key do not fit");
  channel_ = grpc.grpc_channel_create(("dns:///" + address).c_str(), used, &all);
  grpc.grpc_channel_credentials_release(used);
}

Channel::~Channel() {
  grpc_.grpc_channel_destroy(channel_);
}

// What both forms of calls have: the handle, and the metadata they begin with.
class Operation {
 public:
  Operation(const GrpcLibrary& grpc, std::shared_ptr<Channel> channel, const Metadata& metadata)
      : grpc_(grpc), channel_(std::move(channel)) {
    for (const auto& [key, value] : metadata) {
      grpc_metadata entry{};
      entry.key = grpc.slice(key);
      entry.value = grpc.slice(value);
      metadata_.push_back(entry);
    }
    grpc.grpc_metadata_array_init(&initial_);
    grpc.grpc_metadata_array_init(&trailing_);
  }
  ~Operation() {
    for (grpc_metadata& entry : metadata_) {
      grpc_.grpc_slice_unref(entry.key);
      grpc_.grpc_slice_unref(entry.value);
    }
    grpc_.grpc_metadata_array_destroy(&initial_);
    grpc_.grpc_metadata_array_destroy(&trailing_);
    if (has_details_) grpc_.grpc_slice_unref(details_);
    if (call_ != nullptr) grpc_.grpc_call_unref(call_);
  }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  grpc_call* begin(const char* method, gpr_timespec deadline, grpc_completion_queue* queue) {
    const grpc_slice path = grpc_.slice(method);
    call_ = grpc_.grpc_channel_create_call(channel_->raw(), nullptr, GRPC_PROPAGATE_DEFAULTS, queue, path,
                                           nullptr, deadline, nullptr);
    grpc_.grpc_slice_unref(path);
    return call_;
  }
  grpc_op send_metadata() {
    grpc_op op{};
    op.op = GRPC_OP_SEND_INITIAL_METADATA;
    op.data.send_initial_metadata.count = metadata_.size();
    op.data.send_initial_metadata.metadata = metadata_.data();
    return op;
  }
  static grpc_op send(grpc_byte_buffer* message) {
    grpc_op op{};
    op.op = GRPC_OP_SEND_MESSAGE;
    op.data.send_message.send_message = message;
    return op;
  }
  static grpc_op send_close() {
    grpc_op op{};
    op.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    return op;
  }
  grpc_op receive_metadata() {
    grpc_op op{};
    op.op = GRPC_OP_RECV_INITIAL_METADATA;
    op.data.recv_initial_metadata.recv_initial_metadata = &initial_;
    return op;
  }
  static grpc_op receive(grpc_byte_buffer** message) {
    grpc_op op{};
    op.op = GRPC_OP_RECV_MESSAGE;
    op.data.recv_message.recv_message = message;
    return op;
  }
  grpc_op receive_status() {
    grpc_op op{};
    op.op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    op.data.recv_status_on_client.trailing_metadata = &trailing_;
    op.data.recv_status_on_client.status = &status_;
    op.data.recv_status_on_client.status_details = &details_;
    has_details_ = true;
    return op;
  }
  void start(const grpc_op* ops, std::size_t count, RpcLoop::Tag* tag) {
    grpc_.grpc_call_start_batch(call_, ops, count, tag, nullptr);
  }
  RpcAnswer ending() const {
    return {static_cast<int>(status_), std::string(GrpcLibrary::view(details_)), {}};
  }
  void cancel() { grpc_.grpc_call_cancel(call_, nullptr); }

 private:
  const GrpcLibrary& grpc_;
  const std::shared_ptr<Channel> channel_;
  std::vector<grpc_metadata> metadata_;
  grpc_metadata_array initial_;
  grpc_metadata_array trailing_;
  grpc_status_code status_ = GRPC_STATUS_UNKNOWN;
  grpc_slice details_{};
  bool has_details_ = false;
  grpc_call* call_ = nullptr;
};

class Unary final : public RpcLoop::Tag {
 public:
  Unary(RpcLoop& loop, std::shared_ptr<Channel> channel, const Metadata& metadata,
        std::function<void(RpcAnswer)> done)
      : loop_(loop), operation_(loop.grpc(), std::move(channel), metadata), done_(std::move(done)) {}

  void start(const char* method, std::string request, std::int64_t timeout_ms) {
    grpc_call* call = operation_.begin(method, after_ns(timeout_ms * 1'000'000), loop_.queue_);
    if (!loop_.enter(this, call)) {
      done_({FLT_UNAVAILABLE, "the connection to etcd is being closed", {}});
      delete this;
      return;
    }
    const GrpcLibrary& grpc = loop_.grpc();
    grpc_byte_buffer* message = grpc.buffer(std::move(request));
    const grpc_op ops[] = {operation_.send_metadata(),     Operation::send(message),
                           Operation::send_close(),        operation_.receive_metadata(),
                           Operation::receive(&received_), operation_.receive_status()};
    operation_.start(ops, std::size(ops), this);
    // This may be gone already.
    grpc.grpc_byte_buffer_destroy(message);
  }

  void happened(bool) override {
    RpcAnswer answer = operation_.ending();
    if (received_ != nullptr) {
      answer.body = loop_.grpc().text(received_);
      loop_.grpc().grpc_byte_buffer_destroy(received_);
    } else if (answer.ok()) {
      answer = {FLT_INTERNAL, "etcd sent an answer without a message", {}};
    }
    done_(std::move(answer));
    loop_.leave(this);
    delete this;
  }

 private:
  RpcLoop& loop_;
  Operation operation_;
  std::function<void(RpcAnswer)> done_;
  grpc_byte_buffer* received_ = nullptr;
};

// Alive while a batch is on its way or somebody holds it.
class Bidirectional final : public RpcStream, public std::enable_shared_from_this<Bidirectional> {
 public:
  Bidirectional(RpcLoop& loop, std::shared_ptr<Channel> channel, const Metadata& metadata, Handlers handlers)
      : loop_(loop), operation_(loop.grpc(), std::move(channel), metadata), handlers_(std::move(handlers)) {}

  bool start(const char* method) {
    grpc_call* call = operation_.begin(
        method, {std::numeric_limits<std::int64_t>::max(), 0, GPR_CLOCK_REALTIME}, loop_.queue_);
    if (!loop_.enter(this, call)) return false;
    std::lock_guard lock(mutex_);
    const grpc_op first[] = {operation_.send_metadata(), operation_.receive_metadata()};
    operation_.start(first, 2, new Step(shared_from_this(), &Bidirectional::ignored));
    const grpc_op last[] = {operation_.receive_status()};
    operation_.start(last, 1, new Step(shared_from_this(), &Bidirectional::ended));
    return true;
  }

  void send(std::string message) override {
    std::lock_guard lock(mutex_);
    outgoing_.push_back(std::move(message));
    if (!sending_) send_next();
  }
  void want() override {
    std::lock_guard lock(mutex_);
    if (over_) return;
    const grpc_op op[] = {Operation::receive(&received_)};
    operation_.start(op, 1, new Step(shared_from_this(), &Bidirectional::arrived));
  }
  void cancel() override { operation_.cancel(); }

 private:
  struct Step final : RpcLoop::Tag {
    Step(std::shared_ptr<Bidirectional> of, void (Bidirectional::*then)(bool))
        : stream(std::move(of)), next(then) {}
    void happened(bool ok) override {
      ((*stream).*next)(ok);
      delete this;
    }
    std::shared_ptr<Bidirectional> stream;
    void (Bidirectional::*next)(bool);
  };

  // With the mutex held.
  void send_next() {
    if (over_ || outgoing_.empty()) return;
    sending_ = true;
    grpc_byte_buffer* message = loop_.grpc().buffer(std::move(outgoing_.front()));
    outgoing_.pop_front();
    const grpc_op op[] = {Operation::send(message)};
    operation_.start(op, 1, new Step(shared_from_this(), &Bidirectional::sent));
    loop_.grpc().grpc_byte_buffer_destroy(message);
  }

  void ignored(bool) {}
  void sent(bool ok) {
    std::lock_guard lock(mutex_);
    sending_ = false;
    if (ok) send_next();
  }
  void arrived(bool) {
    if (received_ == nullptr) return;  // the end comes
    std::string body = loop_.grpc().text(received_);
    loop_.grpc().grpc_byte_buffer_destroy(received_);
    received_ = nullptr;
    handlers_.message(std::move(body));
  }
  void ended(bool) {
    {
      std::lock_guard lock(mutex_);
      over_ = true;
    }
    handlers_.end(operation_.ending());
    loop_.leave(this);
  }

  RpcLoop& loop_;
  Operation operation_;
  const Handlers handlers_;
  grpc_byte_buffer* received_ = nullptr;  // of the one want() that is on its way
  std::mutex mutex_;                      // all below
  std::deque<std::string> outgoing_;
  bool sending_ = false;
  bool over_ = false;
};

RpcLoop::RpcLoop(const flt_host_t* host)
    : host_(host), grpc_(host), queue_(grpc_.grpc_completion_queue_create_for_next(nullptr)) {
  thread_ = std::thread([this] { run(); });
}

RpcLoop::~RpcLoop() {
  stop();
  grpc_.grpc_completion_queue_destroy(queue_);
}

void RpcLoop::call(std::shared_ptr<Channel> channel, const char* method, std::string request,
                   const Metadata& metadata, std::int64_t timeout_ms, std::function<void(RpcAnswer)> done) {
  auto* unary = new Unary(*this, std::move(channel), metadata, std::move(done));
  unary->start(method, std::move(request), timeout_ms);
}

std::shared_ptr<RpcStream> RpcLoop::open(std::shared_ptr<Channel> channel, const char* method,
                                         const Metadata& metadata, RpcStream::Handlers handlers) {
  auto stream = std::make_shared<Bidirectional>(*this, std::move(channel), metadata, std::move(handlers));
  return stream->start(method) ? stream : nullptr;
}

void RpcLoop::after(std::int64_t delay_ms, std::function<void()> work) {
  timers_.emplace(host_->clock->monotonic_ns(host_) + delay_ms * 1'000'000, std::move(work));
}

void RpcLoop::run() {
  for (;;) {
    const std::int64_t wait = run_timers();
    const grpc_event event = grpc_.grpc_completion_queue_next(queue_, after_ns(wait), nullptr);
    if (event.type == GRPC_QUEUE_SHUTDOWN) return;
    if (event.type == GRPC_OP_COMPLETE) static_cast<Tag*>(event.tag)->happened(event.success != 0);
  }
}

std::int64_t RpcLoop::run_timers() {
  while (!timers_.empty()) {
    const std::int64_t left = timers_.begin()->first - host_->clock->monotonic_ns(host_);
    if (left > 0) return left;
    const std::function<void()> work = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    work();
  }
  return kIdle;
}

bool RpcLoop::enter(void* owner, grpc_call* call) {
  std::lock_guard lock(mutex_);
  if (!stopping_) live_.emplace(owner, call);
  return !stopping_;
}

void RpcLoop::leave(void* owner) {
  std::lock_guard lock(mutex_);
  live_.erase(owner);
  left_.notify_all();
}

void RpcLoop::stop() {
  {
    std::unique_lock lock(mutex_);
    if (!thread_.joinable()) return;
    stopping_ = true;
    for (const auto& [owner, call] : live_) grpc_.grpc_call_cancel(call, nullptr);
    left_.wait(lock, [this] { return live_.empty(); });
  }
  grpc_.grpc_completion_queue_shutdown(queue_);
  thread_.join();
  // What waits for its time finds that nothing can be begun, and says so.
  for (auto& [time, work] : std::exchange(timers_, {})) work();
  timers_.clear();
}

}  // namespace flotilla::plugins::storage::etcd
