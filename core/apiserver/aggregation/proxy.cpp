// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/service_resolver.hpp"
#include "core/apiserver/aggregation/aggregation.hpp"
#include "core/apiserver/aggregation/passing.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/webhook_endpoint.hpp"
#include "core/http/url.hpp"

namespace flotilla::apiserver {

void add_remote_user(http::Headers& headers, const UserInfo& user) {
  headers.add("X-Remote-User", user.name);
  if (!user.uid.empty()) headers.add("X-Remote-Uid", user.uid);
  for (const std::string& group : user.groups) headers.add("X-Remote-Group", group);
  for (const auto& [key, values] : user.extra) {
    for (const std::string& value : values) headers.add("X-Remote-Extra-" + http::percent_encode(key), value);
  }
}

Result<std::shared_ptr<http::Client>> client_of_remote(const Server& server, const RemoteVersion& remote) {
  const auto address = resolve_service(server.store, remote.service_ns, remote.service_name, remote.port);
  if (!address) return address.error();
  const std::string base = "https://" + address->authority();
  const auto held = remote.kept.load(std::memory_order_acquire);
  if (held && held->base_url == base) return held->client;
  http::ClientOptions options;
  options.base_url = base;
  options.ca_pem = remote.ca_pem;
  options.insecure_skip_verify = remote.insecure;
  options.server_name = remote.service_name + "." + remote.service_ns + ".svc";
  options.client_certificate_pem = server.options.proxy_identity.certificate_pem;
  options.client_key_pem = server.options.proxy_identity.key_pem;
  options.max_connections = 64;
  auto fresh = std::make_shared<KeptClient>();
  fresh->base_url = base;
  fresh->client = std::make_shared<http::Client>(server.executor, std::move(options));
  remote.kept.store(fresh, std::memory_order_release);
  return fresh->client;
}

Task<http::Response> serve_remote(ServerPtr server, CallPtr call, RemotePtr remote) {
  if (!remote->available) co_return text_response(503, "service unavailable\n");
  const auto client = client_of_remote(*server, *remote);
  if (!client) {
    co_return error_response(
        *call, Error(Code::Unavailable, "error trying to reach service: " + client.error().message()));
  }
  const http::Request& asked = call->request;
  http::ClientRequest request =
      forwarded_request(*call, asked.path + (asked.query.empty() ? "" : "?" + asked.query));
  add_remote_user(request.headers, call->user);
  auto passing = pass_on(call, *client, std::move(request));
  co_return co_await std::move(passing);
}

}  // namespace flotilla::apiserver
