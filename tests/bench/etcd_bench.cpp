// SPDX-License-Identifier: Apache-2.0
// Commits to a real etcd on this machine: by the plugin, and by a client that does nothing but send the same
// transactions over gRPC. Both in turns, so that what else happens to the machine happens to both; then what
// a store makes of it.
#include <flotilla/abi/entry.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/async/fiber_scope.hpp"
#include "core/plugin/storage_adapter.hpp"
#include "core/store/store.hpp"
#include "plugins/storage/etcd/grpc_library.hpp"
#include "plugins/storage/etcd/messages.hpp"
#include "tests/bench/bench.hpp"
#include "tests/fakes/etcd_server.hpp"

extern "C" {
extern const flt_plugin_v1_t flt_plugin_storage_etcd;
}

namespace flotilla::bench {
namespace {

namespace etcd = plugins::storage::etcd;

constexpr std::size_t kValueBytes = 1024;
constexpr int kRounds = 3;

// So many commits, `clients` at any time. `send(i, done)` begins commit i.
class ClosedLoop {
 public:
  using Send = std::function<void(int i, std::function<void()> done)>;
  ClosedLoop(const Clock& clock, int clients, int total, Send send)
      : clock_(clock), clients_(clients), total_(total), send_(std::move(send)) {}

  void run(std::vector<Duration>& times, Duration& took) {
    const SteadyTime start = clock_.steady_now();
    for (int i = 0; i < clients_; ++i) next();
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [this] { return static_cast<int>(times_.size()) == total_; });
    took += clock_.steady_now() - start;
    times.insert(times.end(), times_.begin(), times_.end());
  }

 private:
  void next() {
    const int i = begun_++;
    if (i >= total_) return;
    const SteadyTime before = clock_.steady_now();
    send_(i, [this, before] {
      bool last = false;
      {
        std::lock_guard lock(mutex_);
        times_.push_back(clock_.steady_now() - before);
        last = static_cast<int>(times_.size()) == total_;
        if (last) finished_.notify_all();
      }
      if (!last) next();
    });
  }

  const Clock& clock_;
  const int clients_;
  const int total_;
  const Send send_;
  std::atomic<int> begun_{0};
  std::mutex mutex_;
  std::condition_variable finished_;
  std::vector<Duration> times_;
};

// As little as a client can be: one connection, one thread, no look at the answers but their status.
class PlainClient {
 public:
  PlainClient(const etcd::GrpcLibrary& grpc, const std::string& endpoint) : grpc_(grpc) {
    queue_ = grpc_.grpc_completion_queue_create_for_next(nullptr);
    grpc_channel_credentials* none = grpc_.grpc_insecure_credentials_create();
    channel_ = grpc_.grpc_channel_create(endpoint.c_str(), none, nullptr);
    grpc_.grpc_channel_credentials_release(none);
    thread_ = std::thread([this] { run(); });
  }
  ~PlainClient() {
    grpc_.grpc_channel_destroy(channel_);
    grpc_.grpc_completion_queue_shutdown(queue_);
    thread_.join();
    grpc_.grpc_completion_queue_destroy(queue_);
  }

  void send(std::string transaction, std::function<void()> done) {
    auto* call = new Call{std::move(done)};
    grpc_.grpc_metadata_array_init(&call->initial);
    grpc_.grpc_metadata_array_init(&call->trailing);
    const grpc_slice path = grpc_.slice(etcd::kTxn);
    call->handle = grpc_.grpc_channel_create_call(channel_, nullptr, GRPC_PROPAGATE_DEFAULTS, queue_, path,
                                                  nullptr, etcd::after_ns(60'000'000'000), nullptr);
    grpc_.grpc_slice_unref(path);
    grpc_byte_buffer* message = grpc_.buffer(std::move(transaction));
    grpc_op ops[6] = {};
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = message;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &call->initial;
    ops[4].op = GRPC_OP_RECV_MESSAGE;
    ops[4].data.recv_message.recv_message = &call->received;
    ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[5].data.recv_status_on_client.trailing_metadata = &call->trailing;
    ops[5].data.recv_status_on_client.status = &call->status;
    ops[5].data.recv_status_on_client.status_details = &call->details;
    grpc_.grpc_call_start_batch(call->handle, ops, 6, call, nullptr);
    grpc_.grpc_byte_buffer_destroy(message);
  }
  int failures() const { return failures_; }

 private:
  struct Call {
    std::function<void()> done;
    grpc_call* handle = nullptr;
    grpc_metadata_array initial{};
    grpc_metadata_array trailing{};
    grpc_byte_buffer* received = nullptr;
    grpc_status_code status = GRPC_STATUS_UNKNOWN;
    grpc_slice details{};
  };

  void run() {
    for (;;) {
      const grpc_event event =
          grpc_.grpc_completion_queue_next(queue_, etcd::after_ns(3600'000'000'000), nullptr);
      if (event.type == GRPC_QUEUE_SHUTDOWN) return;
      if (event.type != GRPC_OP_COMPLETE) continue;
      const std::unique_ptr<Call> call(static_cast<Call*>(event.tag));
      if (call->status != GRPC_STATUS_OK) ++failures_;
      if (call->received != nullptr) grpc_.grpc_byte_buffer_destroy(call->received);
      grpc_.grpc_slice_unref(call->details);
      grpc_.grpc_metadata_array_destroy(&call->initial);
      grpc_.grpc_metadata_array_destroy(&call->trailing);
      grpc_.grpc_call_unref(call->handle);
      call->done();
    }
  }

  const etcd::GrpcLibrary& grpc_;
  grpc_completion_queue* queue_;
  grpc_channel* channel_;
  std::thread thread_;
  std::atomic<int> failures_{0};
};

// The plugin, as a daemon has it.
class Backend {
 public:
  explicit Backend(const std::string& config) {
    plugin::InstanceOptions options;
    options.config = api::Json::parse(config).value();
    auto instance =
        plugin::Instance::create(environment_, *flt_plugin_storage_etcd.components[0], std::move(options));
    backend_ = *plugin::make_storage_backend(*instance);
  }
  ~Backend() {
    if (backend_) run(stop(this));
  }
  Status start() {
    run(begin(this));
    return started_;
  }
  void run(Task<void> fiber) {
    scope_.spawn_on(executor_.strand(), std::move(fiber));
    scope_.join_blocking();
  }
  store::StorageBackend& operator*() { return *backend_; }
  std::unique_ptr<store::StorageBackend> take() { return std::move(backend_); }
  Executor& executor() { return executor_; }

 private:
  static Task<void> begin(Backend* self) {
    auto starting = self->backend_->start();
    self->started_ = co_await std::move(starting);
  }
  static Task<void> stop(Backend* self) {
    auto stopping = self->backend_->stop();
    co_await std::move(stopping);
  }

  SystemClock clock_;
  Executor executor_{clock_};
  plugin::HostEnvironment environment_{executor_, "flotilla bench"};
  FiberScope scope_{executor_.strand(), "bench"};
  std::unique_ptr<store::StorageBackend> backend_;
  Status started_;
};

struct Measured {
  std::vector<Duration> times;
  Duration took{};
};

Result<void> compare(const fakes::EtcdCluster& server, int clients, int each, std::vector<Line>& lines) {
  const SystemClock clock;
  const std::string value(kValueBytes, 'v');
  const etcd::GrpcLibrary grpc(nullptr);
  PlainClient plain(grpc, server.endpoint());
  Backend backend(server.config("/bench/plugin"));
  if (Status started = backend.start(); !started) return std::move(started).error();
  Measured direct;
  Measured through;
  std::atomic<int> failures{0};
  int serial = clients * 1'000'000;
  for (int round = -1; round < kRounds; ++round) {
    Measured warm;  // the first round of both does not count
    const int total = round < 0 ? std::min(each, 500) : each;
    const int first = serial += total;
    Measured& one = round < 0 ? warm : direct;
    ClosedLoop(clock, clients, total, [&](int i, std::function<void()> done) {
      const std::string key = "/bench/plain/data//configmaps/bench/object-" + std::to_string(first + i);
      etcd::TxnWriter transaction;
      transaction.guard(key, 0);
      transaction.put(key, value, 0, false);
      plain.send(transaction.take(), std::move(done));
    }).run(one.times, one.took);
    Measured& other = round < 0 ? warm : through;
    ClosedLoop(clock, clients, total, [&](int i, std::function<void()> done) {
      const std::string key = "/configmaps/bench/object-" + std::to_string(first + i);
      store::Commit commit;
      commit.guards.push_back({key, Revision(0)});
      commit.operations.push_back({key, value, false});
      (*backend).commit(std::move(commit),
                        [&failures, done = std::move(done)](Result<store::CommitResult> made) {
                          if (!made || !made->succeeded) ++failures;
                          done();
                        });
    }).run(other.times, other.took);
  }
  if (failures + plain.failures() != 0)
    return internal(std::to_string(failures + plain.failures()) + " commits failed");
  const std::string suffix = ", " + std::to_string(clients) + (clients == 1 ? " client" : " clients");
  lines.push_back(summarize("transactions, plain client" + suffix, std::move(direct.times), direct.took));
  const double rate = lines.back().rate_per_s;
  lines.push_back(summarize("commits, plugin" + suffix, std::move(through.times), through.took));
  lines.back().work += " (" + std::to_string(static_cast<int>(lines.back().rate_per_s / rate * 100)) + " %)";
  return {};
}

}  // namespace

Result<std::vector<Line>> run_store_etcd() {
  try {
    const fakes::EtcdCluster server({.members = 1, .heartbeat_ms = 100, .election_ms = 1000});
    std::vector<Line> lines;
    for (const auto& [clients, each] : {std::pair{1, 500}, std::pair{32, 5000}, std::pair{128, 10'000}}) {
      if (auto done = compare(server, clients, each, lines); !done) return std::move(done).error();
    }
    return lines;
  } catch (const std::exception& failure) {
    return internal(failure.what());
  }
}

}  // namespace flotilla::bench
