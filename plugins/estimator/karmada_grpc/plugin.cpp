// SPDX-License-Identifier: Apache-2.0
// The estimators that Karmada runs beside each member, asked over gRPC: one channel per cluster, one thread
// that takes what they answer. The only file that sees gRPC.
#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <flotilla/sdk/estimator.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "messages.hpp"
#include "service.grpc.pb.h"
#include "settings.hpp"

namespace flotilla::estimator {
namespace {

using Service = ::github::com::karmada_io::karmada::pkg::estimator::service::Estimator;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kUsualTimeout = 3 * kSecond;
// The host shall have our answer before it gives up on us.
constexpr std::int64_t kMargin = 50'000'000;
constexpr int kFirstReconnectMs = 500, kLongestReconnectMs = 10'000;
constexpr unsigned kCertificateRefreshSeconds = 60;

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::shared_ptr<grpc::ChannelCredentials> credentials(const Settings& settings) {
  if (!settings.tls()) return grpc::InsecureChannelCredentials();
  namespace tls = grpc::experimental;
  tls::TlsChannelCredentialsOptions options;
  if (!settings.ca_file.empty() || !settings.cert_file.empty()) {
    options.set_certificate_provider(std::make_shared<tls::FileWatcherCertificateProvider>(
        settings.key_file, settings.cert_file, settings.ca_file, kCertificateRefreshSeconds));
  }
  if (!settings.ca_file.empty()) options.watch_root_certs();
  if (!settings.cert_file.empty()) options.watch_identity_key_cert_pairs();
  if (settings.insecure_skip_verify) {
    options.set_verify_server_certs(false);
    options.set_certificate_verifier(std::make_shared<tls::NoOpCertificateVerifier>());
    options.set_check_call_host(false);
  }
  return tls::TlsCredentials(options);
}

// One call of the host: complete when the last cluster has answered.
struct Batch {
  Batch(sdk::Call owned, std::size_t clusters)
      : call(std::move(owned)), estimates(clusters), left(clusters) {}
  sdk::Call call;
  std::vector<sdk::Estimate> estimates;
  std::size_t left;
};

// One question to one cluster; its address is gRPC's tag.
struct Rpc {
  virtual ~Rpc() = default;
  virtual std::int64_t value() const = 0;
  grpc::ClientContext context;
  grpc::Status status;
  std::shared_ptr<Batch> batch;
  std::size_t place = 0;
  std::string address;

  sdk::Estimate estimate() const {
    if (status.ok()) return {.value = std::max<std::int64_t>(value(), FLT_ESTIMATE_UNKNOWN)};
    // An older estimator does not have the method: it knows nothing.
    if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) return {};
    const bool late = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
    const std::string why = late ? "no answer in time" : status.error_message();
    return {.status = static_cast<flt_status_t>(status.error_code()),
            .message = address + ": " + (why.empty() ? "failed" : why)};
  }
};

template <typename Response>
struct TypedRpc final : Rpc {
  using Read = std::int32_t (*)(const Response&);
  explicit TypedRpc(Read the_read) : read(the_read) {}
  std::int64_t value() const override { return read(response); }
  Read read;
  Response response;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader;
};

class KarmadaEstimator {
 public:
  static constexpr sdk::EstimatorInfo kInfo = {
      .name = "karmada_grpc",
      .summary = "Asks the karmada-scheduler-estimator beside each member",
      .config_schema = kSchema,
      .exec = FLT_EXEC_BLOCKING};  // answers come later, but many first connections at once take a while

  KarmadaEstimator(const flt_host_t* host, std::string_view config)
      : host_(host), settings_(Settings::parse(config)) {}
  ~KarmadaEstimator() { end(); }

  void start(sdk::Call& call) {
    // What goes wrong is in the answers; gRPC would write it to the daemon's stderr as well.
    gpr_set_log_verbosity(static_cast<gpr_log_severity>(GPR_LOG_SEVERITY_ERROR + 1));
    queue_ = std::make_unique<grpc::CompletionQueue>();
    credentials_ = credentials(settings_);
    taker_ = std::thread([this] { take(); });
    call.succeed(nullptr);
  }
  void stop(std::int64_t, sdk::Call& call) {
    end();
    call.succeed(nullptr);
  }

  void max_available_replicas(const sdk::RoomRequest& request, sdk::Call& call) {
    const pb::MaxAvailableReplicasRequest common = replicas_request(request);
    const auto make = [&](std::size_t i) {
      pb::MaxAvailableReplicasRequest own = common;
      own.set_cluster(std::string(request.cluster(i)));
      add_assumed(request.assumed_json(i), *own.mutable_assumedworkloads());
      return own;
    };
    const auto read = [](const pb::MaxAvailableReplicasResponse& answer) { return answer.maxreplicas(); };
    ask<pb::MaxAvailableReplicasResponse>(request, request.object(), call, make,
                                          &Service::Stub::PrepareAsyncMaxAvailableReplicas, read);
  }

  void max_available_component_sets(const sdk::RoomRequest& request, sdk::Call& call) {
    const pb::MaxAvailableComponentSetsRequest common = sets_request(request);
    const auto make = [&](std::size_t i) {
      pb::MaxAvailableComponentSetsRequest own = common;
      own.set_cluster(std::string(request.cluster(i)));
      add_assumed(request.assumed_json(i), *own.mutable_assumedworkloads());
      return own;
    };
    const auto read = [](const pb::MaxAvailableComponentSetsResponse& answer) { return answer.maxsets(); };
    ask<pb::MaxAvailableComponentSetsResponse>(request, request.object(), call, make,
                                               &Service::Stub::PrepareAsyncMaxAvailableComponentSets, read);
  }

  void unschedulable_replicas(const sdk::UnschedulableRequest& request, sdk::Call& call) {
    const pb::UnschedulableReplicasRequest common = unschedulable_request(request);
    const auto make = [&](std::size_t i) {
      pb::UnschedulableReplicasRequest own = common;
      own.set_cluster(std::string(request.cluster(i)));
      return own;
    };
    const auto read = [](const pb::UnschedulableReplicasResponse& answer) {
      return answer.unschedulablereplicas();
    };
    ask<pb::UnschedulableReplicasResponse>(request, {}, call, make,
                                           &Service::Stub::PrepareAsyncGetUnschedulableReplicas, read);
  }

 private:
  struct Channel {
    std::string address;
    std::unique_ptr<Service::Stub> stub;
    std::int64_t used = 0;
  };

  // Starts one call per cluster; `make(i)` is its request, `prepare` the stub's method.
  template <typename Response, typename Request, typename Make, typename Prepare>
  void ask(const Request& request, std::string_view object, sdk::Call& call, const Make& make,
           Prepare prepare, typename TypedRpc<Response>::Read read) {
    const std::int64_t timeout = time_left(call);
    std::vector<std::unique_ptr<TypedRpc<Response>>> calls;
    std::lock_guard lock(mutex_);
    if (!queue_ || stopping_) throw sdk::Failure(FLT_CANCELLED, "the estimator is being stopped");
    forget_idle();
    const auto batch = std::make_shared<Batch>(std::move(call), request.size());
    try {
      for (std::size_t i = 0; i < request.size(); ++i) {
        auto rpc = std::make_unique<TypedRpc<Response>>(read);
        Channel& channel = channel_of(request.cluster(i));
        rpc->batch = batch;
        rpc->place = i;
        rpc->address = channel.address;
        rpc->context.set_deadline(gpr_time_from_nanos(timeout, GPR_TIMESPAN));
        if (!object.empty() && is_printable(object)) rpc->context.AddMetadata("object", std::string(object));
        rpc->reader = (channel.stub.get()->*prepare)(&rpc->context, make(i), queue_.get());
        calls.push_back(std::move(rpc));
      }
    } catch (...) {
      call = std::move(batch->call);  // whoever catches this completes it
      throw;
    }
    for (auto& each : calls) {
      TypedRpc<Response>* rpc = each.release();
      running_.insert(rpc);
      rpc->reader->StartCall();
      rpc->reader->Finish(&rpc->response, &rpc->status, static_cast<Rpc*>(rpc));
    }
  }

  std::int64_t time_left(const sdk::Call& call) const {
    const std::int64_t deadline = call.deadline();
    if (deadline == 0) return kUsualTimeout;
    const std::int64_t left = deadline - now();
    return std::max(left - std::min(kMargin, left / 8), kSecond / 100);
  }

  std::int64_t now() const { return host_->clock->monotonic_ns(host_); }

  // Under the mutex, as all that follows but take() and end().
  Channel& channel_of(std::string_view cluster) {
    Channel& channel = channels_[std::string(cluster)];
    channel.used = now();
    if (channel.stub) return channel;
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(settings_.keepalive_seconds * 1000));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kLongestReconnectMs);
    // Channels of one address would else share a connection for ever, the broken one included.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    if (!settings_.server_name.empty()) arguments.SetSslTargetNameOverride(settings_.server_name);
    channel.address = settings_.address_of(cluster);
    channel.stub = Service::NewStub(grpc::CreateCustomChannel(channel.address, credentials_, arguments));
    return channel;
  }

  void forget_idle() {
    const std::int64_t oldest = now() - settings_.idle_seconds * kSecond;
    std::erase_if(channels_, [&](const auto& channel) { return channel.second.used < oldest; });
  }

  // The thread that takes answers.
  void take() {
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) {
      const std::unique_ptr<Rpc> rpc(static_cast<Rpc*>(tag));
      const std::shared_ptr<Batch> batch = rpc->batch;
      bool last = false;
      {
        std::lock_guard lock(mutex_);
        running_.erase(rpc.get());
        batch->estimates[rpc->place] = rpc->estimate();
        last = --batch->left == 0;
      }
      if (last)
        batch->call.run([&](sdk::Call& call) { sdk::succeed_with_estimates(call, batch->estimates); });
    }
  }

  void end() {
    {
      std::lock_guard lock(mutex_);
      if (!queue_ || stopping_) return;
      stopping_ = true;
      for (Rpc* rpc : running_) rpc->context.TryCancel();
      queue_->Shutdown();
    }
    taker_.join();
    channels_.clear();
  }

  const flt_host_t* host_;
  const Settings settings_;
  std::unique_ptr<grpc::CompletionQueue> queue_;
  std::shared_ptr<grpc::ChannelCredentials> credentials_;
  std::thread taker_;
  std::mutex mutex_;  // all below
  bool stopping_ = false;
  std::map<std::string, Channel> channels_;
  std::set<Rpc*> running_;
};

}  // namespace
}  // namespace flotilla::estimator

FLT_PLUGIN((flotilla::sdk::PluginInfo{.id = "io.flotilla.estimator.karmada-grpc",
                                      .version = "0.1.0",
                                      .name = "Karmada's estimators over gRPC"}),
           &flotilla::sdk::estimator_component<flotilla::estimator::KarmadaEstimator>)
