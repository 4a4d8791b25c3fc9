// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <nlohmann/json.hpp>

namespace flotilla::plugins::storage::etcd {
namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& why) {
  throw sdk::Failure(FLT_INVALID_ARGUMENT, why);
}

// Takes the scheme away. 1: https, 0: http, -1: none.
int take_scheme(std::string& endpoint) {
  for (const auto& [scheme, tls] : {std::pair{"https://", 1}, std::pair{"http://", 0}}) {
    if (!endpoint.starts_with(scheme)) continue;
    endpoint.erase(0, std::string_view(scheme).size());
    return tls;
  }
  return -1;
}

void read_endpoints(const Json& config, EtcdOptions& options) {
  const bool has_tls = config.contains("tls");
  int tls = has_tls ? 1 : -1;
  const Json endpoints = config.value("endpoints", Json::array());
  if (!endpoints.is_array()) refuse("configuration: endpoints is not a list");
  for (const Json& entry : endpoints) {
    std::string endpoint = entry.get<std::string>();
    const int scheme = take_scheme(endpoint);
    while (endpoint.ends_with('/')) endpoint.pop_back();
    if (endpoint.find(':') == std::string::npos) refuse("endpoints: " + endpoint + " has no port");
    if (scheme == 0 && has_tls) refuse("endpoints: " + endpoint + " is http, but tls is configured");
    if (scheme >= 0 && tls >= 0 && scheme != tls) refuse("endpoints: some are https and some http");
    if (scheme >= 0) tls = scheme;
    options.endpoints.push_back(std::move(endpoint));
  }
  if (options.endpoints.empty()) refuse("endpoints: at least one is needed, for example [127.0.0.1:2379]");
  options.channel.tls.enabled = tls == 1;
}

void read_tls(const Json& config, TlsFiles& tls) {
  const Json& given = config.contains("tls") ? config["tls"] : Json::object();
  tls.authority = given.value("caFile", "");
  tls.certificate = given.value("certFile", "");
  tls.key = given.value("keyFile", "");
  tls.server_name = given.value("serverName", "");
  if (tls.certificate.empty() != tls.key.empty())
    refuse("tls: certFile and keyFile belong together, one is missing");
}

}  // namespace

std::string EtcdOptions::names() const {
  std::string all;
  for (const std::string& endpoint : endpoints) all += (all.empty() ? "" : ", ") + endpoint;
  return all;
}

EtcdOptions parse_options(std::string_view config_json) {
  const Json config = Json::parse(config_json, nullptr, false);
  if (!config.is_object()) refuse("the configuration is not a JSON object");
  EtcdOptions options;
  try {
    read_endpoints(config, options);
    read_tls(config, options.channel.tls);
    options.prefix = config.value("prefix", options.prefix);
    if (!options.prefix.ends_with('/')) options.prefix += '/';
    options.user = config.value("user", "");
    options.password_file = config.value("passwordFile", "");
    if (options.user.empty() != options.password_file.empty())
      refuse("user and passwordFile belong together, one is missing");
    options.channel.dial_timeout_ms = config.value("dialTimeoutMs", options.channel.dial_timeout_ms);
    options.channel.keep_alive_ms = config.value("keepAliveMs", options.channel.keep_alive_ms);
    options.channel.keep_alive_timeout_ms =
        config.value("keepAliveTimeoutMs", options.channel.keep_alive_timeout_ms);
    options.request_timeout_ms = config.value("requestTimeoutMs", options.request_timeout_ms);
    options.max_ops = config.value("maxOpsPerCommit", options.max_ops);
    options.max_request_bytes = config.value("maxRequestBytes", options.max_request_bytes);
  } catch (const Json::exception& error) {
    refuse(std::string("configuration: ") + error.what());
  }
  return options;
}

}  // namespace flotilla::plugins::storage::etcd
