// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/estimator_server.hpp"

#include <grpcpp/grpcpp.h>
#include <flotilla/sdk/json_view.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>
#include <vector>

#include "kubernetes.pb.h"
#include "service.grpc.pb.h"

namespace flotilla::fakes {
namespace {

namespace pb = ::github::com::karmada_io::karmada::pkg::estimator::pb;
namespace kube = ::flotilla::estimator::kubernetes;
using Service = ::github::com::karmada_io::karmada::pkg::estimator::service::Estimator::Service;

template <typename Requirements>
std::string text_of(const Requirements& requirements) {
  std::vector<std::string> parts;
  for (const auto& [name, bytes] : requirements.resourcerequestbytes()) {
    kube::Quantity quantity;
    parts.push_back(name + "=" + (quantity.ParseFromString(bytes) ? quantity.string() : "?"));
  }
  const pb::NodeClaim& claim = requirements.nodeclaim();
  for (const auto& [key, value] : claim.nodeselector()) parts.push_back("node:" + key + "=" + value);
  kube::NodeSelector selector;
  if (!selector.ParseFromString(claim.nodeaffinitybytes())) parts.push_back("affinity:?");
  for (const auto& term : selector.nodeselectorterms()) {
    for (const auto& each : term.matchexpressions())
      parts.push_back("affinity:" + each.key() + " " + each.operator_() + " " +
                      (each.values().empty() ? "" : each.values(0)));
    for (const auto& each : term.matchfields()) parts.push_back("field:" + each.key());
  }
  for (const std::string& bytes : claim.tolerationsbytes()) {
    kube::Toleration toleration;
    const bool read = toleration.ParseFromString(bytes);
    parts.push_back("tolerates:" +
                    (read ? toleration.key() + " " + toleration.operator_() + " " + toleration.effect() +
                                " " + std::to_string(toleration.tolerationseconds())
                          : "?"));
  }
  std::sort(parts.begin(), parts.end());
  std::string text = "[";
  for (const std::string& part : parts) text += (text.size() == 1 ? "" : ", ") + part;
  return text + "] priority=" + requirements.priorityclassname();
}

template <typename Components>
std::string components_of(const Components& components) {
  std::string text;
  for (const pb::Component& each : components)
    text += " " + each.name() + "*" + std::to_string(each.replicas()) + text_of(each.replicarequirements());
  return text;
}

template <typename Assumed>
std::string assumed_of(const Assumed& assumed) {
  std::string text;
  for (const pb::AssumedWorkload& each : assumed)
    text += " assumed " + each.namespace_() + components_of(each.components());
  return text;
}

class Answers final : public Service {
 public:
  explicit Answers(std::string folder) : folder_(std::move(folder)) {}

  grpc::Status MaxAvailableReplicas(grpc::ServerContext* context,
                                    const pb::MaxAvailableReplicasRequest* request,
                                    pb::MaxAvailableReplicasResponse* response) override {
    const pb::ReplicaRequirements& requirements = request->replicarequirements();
    note(*context, "MaxAvailableReplicas " + request->cluster() + " " + text_of(requirements) +
                       " ns=" + requirements.namespace_() + assumed_of(request->assumedworkloads()));
    std::int64_t value = 0;
    const grpc::Status status = answer(*context, request->cluster(), "replicas", value);
    response->set_maxreplicas(static_cast<std::int32_t>(value));
    return status;
  }
  grpc::Status MaxAvailableComponentSets(grpc::ServerContext* context,
                                         const pb::MaxAvailableComponentSetsRequest* request,
                                         pb::MaxAvailableComponentSetsResponse* response) override {
    note(*context, "MaxAvailableComponentSets " + request->cluster() + components_of(request->components()) +
                       " ns=" + request->namespace_() + assumed_of(request->assumedworkloads()));
    std::int64_t value = 0;
    const grpc::Status status = answer(*context, request->cluster(), "sets", value);
    response->set_maxsets(static_cast<std::int32_t>(value));
    return status;
  }
  grpc::Status GetUnschedulableReplicas(grpc::ServerContext* context,
                                        const pb::UnschedulableReplicasRequest* request,
                                        pb::UnschedulableReplicasResponse* response) override {
    const pb::ObjectReference& resource = request->resource();
    note(*context, "GetUnschedulableReplicas " + request->cluster() + " " + resource.apiversion() + " " +
                       resource.kind() + " " + resource.namespace_() + "/" + resource.name() + " " +
                       std::to_string(request->unschedulablethreshold()));
    std::int64_t value = 0;
    const grpc::Status status = answer(*context, request->cluster(), "unschedulable", value);
    response->set_unschedulablereplicas(static_cast<std::int32_t>(value));
    return status;
  }

 private:
  void note(const grpc::ServerContext& context, const std::string& line) {
    std::lock_guard lock(mutex_);
    std::ofstream log(folder_ + "/requests", std::ios::app);
    const auto object = context.client_metadata().find("object");
    log << line;
    if (object != context.client_metadata().end())
      log << " for " << std::string(object->second.data(), object->second.size());
    log << '\n';
  }

  grpc::Status answer(const grpc::ServerContext& context, const std::string& cluster, const char* what,
                      std::int64_t& value) {
    std::ifstream file(folder_ + "/" + cluster);
    if (!file) return {grpc::StatusCode::UNKNOWN, "cluster name does not match"};
    std::stringstream text;
    text << file.rdbuf();
    const std::string content = text.str();
    const sdk::JsonView said(content);
    wait(context, said["delay_ms"].integer());
    if (said["error"].is_string()) return {grpc::StatusCode::INTERNAL, said["error"].string()};
    if (said[what].absent()) return {grpc::StatusCode::UNIMPLEMENTED, "not implemented"};
    value = said[what].integer();
    return grpc::Status::OK;
  }

  static void wait(const grpc::ServerContext& context, std::int64_t milliseconds) {
    constexpr std::int64_t kStep = 5;
    for (; milliseconds > 0 && !context.IsCancelled(); milliseconds -= kStep)
      std::this_thread::sleep_for(std::chrono::milliseconds(kStep));
  }

  const std::string folder_;
  std::mutex mutex_;
};

std::shared_ptr<grpc::ServerCredentials> credentials(const EstimatorServer::Tls& tls) {
  if (tls.certificate_pem.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(tls.client_ca_pem.empty()
                                                ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                                : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = tls.client_ca_pem;
  options.pem_key_cert_pairs.push_back({tls.key_pem, tls.certificate_pem});
  return grpc::SslServerCredentials(options);
}

}  // namespace

struct EstimatorServer::State {
  explicit State(std::string folder) : answers(std::move(folder)) {}
  Answers answers;
  int port = 0;
  std::unique_ptr<grpc::Server> server;
};

EstimatorServer::EstimatorServer(std::string folder, const std::string& address, const Tls& tls)
    : state_(std::make_unique<State>(std::move(folder))) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, credentials(tls), &state_->port);
  builder.RegisterService(&state_->answers);
  state_->server = builder.BuildAndStart();
}

EstimatorServer::~EstimatorServer() {
  if (state_->server) state_->server->Shutdown(std::chrono::system_clock::time_point());
}

int EstimatorServer::port() const {
  return state_->port;
}

}  // namespace flotilla::fakes
