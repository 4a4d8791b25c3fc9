// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/cluster_proxy/member_access.hpp"

#include "core/api/secret_data.hpp"

namespace flotilla::apiserver {
namespace {

constexpr std::size_t kMaxConnections = 64;

Result<api::ObjectPtr> referenced_secret(const Json& reference, const FindSecret& find_secret) {
  const std::string name(reference["name"].as_string());
  api::ObjectPtr secret = find_secret(std::string(reference["namespace"].as_string()), name);
  if (!secret) return object_not_found({"", "secrets"}, name);
  return secret;
}

// Errors: there is none, which is all right where nobody verifies.
Result<std::string> authorities_of(const Json& cluster, const FindSecret& find_secret) {
  const Json& reference = cluster["spec"]["secretRef"];
  if (reference.is_null()) return std::string();  // the system's
  const auto secret = referenced_secret(reference, find_secret);
  if (!secret) return secret.error();
  const auto content = (*secret)->content();
  auto bundle = api::secret_value(*content, "caBundle");
  const std::string name(api::name_of(cluster));
  const std::string failed = "failed to get CA bundle for cluster " + name + ": ";
  if (!bundle) return unexpected(failed + bundle.error().message());
  if (bundle->empty() && !cluster["spec"]["insecureSkipTLSVerification"].as_bool())
    return unexpected(failed + "the CA bundle of cluster " + name + " is empty");
  return bundle;
}

Result<std::string> impersonator_token(const Json& cluster, const FindSecret& find_secret) {
  const std::string name(api::name_of(cluster));
  const Json& reference = cluster["spec"]["impersonatorSecretRef"];
  if (reference.is_null()) return unexpected("the impersonatorSecretRef of cluster " + name + " is nil");
  const auto secret = referenced_secret(reference, find_secret);
  if (!secret) return secret.error();
  const auto content = (*secret)->content();
  auto token = api::secret_value(*content, "token");
  const std::string failed = "failed to get impresonateToken for cluster " + name + ": ";  // their spelling
  if (!token) return unexpected(failed + token.error().message());
  if (token->empty()) return unexpected(failed + "the impresonate token of cluster " + name + " is empty");
  return token;
}

bool leads_there_too(const http::ClientOptions& a, const http::ClientOptions& b) {
  return a.base_url == b.base_url && a.ca_pem == b.ca_pem && a.proxy_url == b.proxy_url &&
         a.proxy_headers.fields() == b.proxy_headers.fields() &&
         a.insecure_skip_verify == b.insecure_skip_verify;
}

}  // namespace

Result<MemberAccess> read_member_access(const Json& cluster, const FindSecret& find_secret) {
  const Json& spec = cluster["spec"];
  auto authorities = authorities_of(cluster, find_secret);
  if (!authorities) return std::move(authorities).error();
  if (spec["apiEndpoint"].as_string().empty()) {
    return unexpected("API endpoint of cluster " + std::string(api::name_of(cluster)) +
                      " should not be empty");
  }
  auto token = impersonator_token(cluster, find_secret);
  if (!token) return std::move(token).error();
  MemberAccess access;
  access.options.base_url = spec["apiEndpoint"].as_string();
  access.options.ca_pem = *std::move(authorities);
  access.options.proxy_url = spec["proxyURL"].as_string();
  access.options.proxy_headers = proxy_headers_of(spec["proxyHeader"]);
  access.options.insecure_skip_verify = spec["insecureSkipTLSVerification"].as_bool();
  access.options.only_tls_1_3 = true;
  access.options.max_connections = kMaxConnections;
  access.token = *std::move(token);
  return access;
}

http::Headers proxy_headers_of(const Json& proxy_header) {
  http::Headers headers;
  for (const auto& [name, list] : proxy_header.members()) {
    std::string_view rest = list.as_string();
    for (;;) {
      const auto comma = rest.find(',');
      headers.add(std::string(name), std::string(rest.substr(0, comma)));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return headers;
}

void add_impersonation(http::Headers& headers, const UserInfo& user, const std::string& token) {
  headers.set("Impersonate-User", user.name);
  for (const std::string& group : user.groups) {
    if (group != kAuthenticated && group != kUnauthenticated) headers.add("Impersonate-Group", group);
  }
  headers.set("Authorization", "bearer " + token);
}

std::shared_ptr<http::Client> MemberClients::client(const Executor& executor, const std::string& cluster,
                                                    http::ClientOptions options) {
  for (;;) {
    auto all = all_.load(std::memory_order_acquire);
    if (all) {
      const auto known = all->find(cluster);
      if (known != all->end() && leads_there_too(known->second->options, options))
        return known->second->client;
    }
    auto kept = std::make_shared<Kept>();
    kept->options = options;
    kept->client = std::make_shared<http::Client>(executor, options);
    auto with = all ? std::make_shared<All>(*all) : std::make_shared<All>();
    (*with)[cluster] = kept;
    if (all_.compare_exchange_strong(all, with)) return kept->client;
  }
}

}  // namespace flotilla::apiserver
