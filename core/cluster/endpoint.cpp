// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/endpoint.hpp"

#include "core/api/secret_data.hpp"

namespace flotilla::cluster {
std::string driver_of(const Json& cluster) {
  const std::string_view named = api::annotation_of(cluster, kDriverAnnotation);
  return std::string(named.empty() ? kDefaultDriver : named);
}

Result<ClusterEndpoint> endpoint_of(const Json& cluster, const Json* secret) {
  const Json& spec = cluster["spec"];
  ClusterEndpoint endpoint;
  endpoint.cluster = api::name_of(cluster);
  endpoint.api_endpoint = spec["apiEndpoint"].as_string();
  endpoint.proxy_url = spec["proxyURL"].as_string();
  endpoint.insecure_skip_verify = spec["insecureSkipTLSVerification"].as_bool();
  const std::string_view settings = api::annotation_of(cluster, kDriverSettingsAnnotation);
  if (!settings.empty()) {
    auto parsed = Json::parse(settings);
    if (!parsed || !parsed->is_object()) {
      return invalid("cluster " + endpoint.cluster + ": annotation " +
                     std::string(kDriverSettingsAnnotation) + " is not a JSON object");
    }
    endpoint.settings = *std::move(parsed);
  }
  if (driver_of(cluster) != kDefaultDriver) return endpoint;

  if (endpoint.api_endpoint.empty())
    return invalid("cluster " + endpoint.cluster + ": spec.apiEndpoint is empty");
  if (secret == nullptr) {
    return invalid("cluster " + endpoint.cluster +
                   ": spec.secretRef names no secret that exists: join it again with flotillactl join");
  }
  const std::pair<std::string_view, std::string*> parts[] = {
      {"caBundle", &endpoint.ca_pem},
      {"token", &endpoint.bearer_token},
      {"client-certificate", &endpoint.client_certificate_pem},
      {"client-key", &endpoint.client_key_pem}};
  for (const auto& [key, target] : parts) {
    auto value = api::secret_value(*secret, key);
    if (!value) return value.error();
    *target = *std::move(value);
  }
  if (endpoint.bearer_token.empty() && endpoint.client_key_pem.empty()) {
    return invalid("secret " + api::key_of(*secret).text() +
                   ": neither data.token nor data.client-key is there");
  }
  return endpoint;
}

bool same_endpoint(const ClusterEndpoint& a, const ClusterEndpoint& b) {
  return a.api_endpoint == b.api_endpoint && a.ca_pem == b.ca_pem && a.bearer_token == b.bearer_token &&
         a.client_certificate_pem == b.client_certificate_pem && a.client_key_pem == b.client_key_pem &&
         a.proxy_url == b.proxy_url && a.insecure_skip_verify == b.insecure_skip_verify &&
         a.settings == b.settings;
}

}  // namespace flotilla::cluster
