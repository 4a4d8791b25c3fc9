// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/accesses.hpp"

#include <cstdlib>
#include <tuple>

namespace flotilla::daemon {
namespace {

constexpr const char* kAccount = "/var/run/secrets/kubernetes.io/serviceaccount/";

auto parts(const ctl::Access& access) {
  return std::tie(access.server, access.ca_pem, access.client_certificate_pem, access.client_key_pem,
                  access.bearer_token, access.basic_user, access.basic_password, access.server_name,
                  access.proxy_url, access.insecure_skip_verify);
}

Result<ctl::Access> read_kubeconfig(const std::string& path, const std::string& context) {
  const auto kubeconfig = ctl::Kubeconfig::read(path);
  if (!kubeconfig) return kubeconfig.error();
  return kubeconfig->access(context);
}

// What a pod is given: environment and projected files.
Result<ctl::Access> read_pod() {
  const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
  const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
  if (host == nullptr || port == nullptr) {
    return Error(Code::Invalid, "the agent runs in no cluster: --kubeconfig names the one that it serves");
  }
  Result<std::string> token = ctl::read_file(std::string(kAccount) + "token");
  if (!token) return std::move(token).error();
  Result<std::string> ca = ctl::read_file(std::string(kAccount) + "ca.crt");
  if (!ca) return std::move(ca).error();
  ctl::Access access;
  const bool is_ipv6 = std::string_view(host).find(':') != std::string_view::npos;
  access.server = "https://" + (is_ipv6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" + port;
  access.bearer_token = token->substr(0, token->find_last_not_of(" \r\n\t") + 1);
  access.ca_pem = *std::move(ca);
  return access;
}

}  // namespace

http::ClientOptions client_options(const ctl::Access& access) {
  http::ClientOptions options;
  options.base_url = access.server;
  options.ca_pem = access.ca_pem;
  options.client_certificate_pem = access.client_certificate_pem;
  options.client_key_pem = access.client_key_pem;
  options.bearer_token = access.bearer_token;
  options.basic_user = access.basic_user;
  options.basic_password = access.basic_password;
  options.server_name = access.server_name;
  options.proxy_url = access.proxy_url;
  options.insecure_skip_verify = access.insecure_skip_verify;
  return options;
}

cluster::ClusterEndpoint endpoint_of(const std::string& cluster, const ctl::Access& access) {
  cluster::ClusterEndpoint endpoint;
  endpoint.cluster = cluster;
  endpoint.api_endpoint = access.server;
  endpoint.ca_pem = access.ca_pem;
  endpoint.client_certificate_pem = access.client_certificate_pem;
  endpoint.client_key_pem = access.client_key_pem;
  endpoint.bearer_token = access.bearer_token;
  endpoint.proxy_url = access.proxy_url;
  endpoint.insecure_skip_verify = access.insecure_skip_verify;
  return endpoint;
}

Result<ctl::Access> KeptAccess::get() const {
  std::lock_guard lock(mutex_);
  if (known_) return *known_;
  return fault_ ? *fault_ : Error(Code::Unavailable, "not read yet");
}

// A file that is just being written, or is gone, leaves what was known.
bool KeptAccess::refresh() {
  Result<ctl::Access> read = read_();
  std::lock_guard lock(mutex_);
  if (!read) {
    fault_ = std::move(read).error();
    return false;
  }
  const bool differs = !known_ || parts(*known_) != parts(*read);
  known_ = *std::move(read);
  return differs;
}

KeptAccess::Read read_control_plane(const config::AgentSettings& settings) {
  return [path = settings.karmada_kubeconfig, context = settings.karmada_context] {
    return read_kubeconfig(path, context);
  };
}

KeptAccess::Read read_member(const config::AgentSettings& settings) {
  if (settings.kubeconfig.empty()) return read_pod;
  return [path = settings.kubeconfig, context = settings.context] { return read_kubeconfig(path, context); };
}

}  // namespace flotilla::daemon
