// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/webhook_endpoint.hpp"

#include "core/apiserver/admission/service_resolver.hpp"
#include "core/apiserver/errors.hpp"
#include "core/base/base64.hpp"
#include "core/http/url.hpp"

namespace flotilla::apiserver {
namespace {

// What is said of the webhook's address, and what is asked there.
struct Place {
  std::string shown;     // "https://svc.ns.svc:443/path?timeout=10s"
  std::string base_url;  // scheme, host and port
  std::string target;    // path and query
  std::string server_name;
};

Result<Place> place_of(const WebhookEndpoint& endpoint, const store::Store& store,
                       std::int64_t timeout_seconds) {
  Place place;
  const std::string query = "?timeout=" + std::to_string(timeout_seconds) + "s";
  if (!endpoint.url.empty()) {
    const auto url = http::Url::parse(endpoint.url);
    if (!url) return url.error();
    place.base_url = url->scheme + "://" + url->authority();
    place.target = (url->path.empty() ? "/" : url->path) + query;
    place.shown = place.base_url + place.target;
    return place;
  }
  place.server_name = endpoint.service_name + "." + endpoint.service_ns + ".svc";
  place.target = (endpoint.service_path.empty() ? "/" : endpoint.service_path) + query;
  place.shown = "https://" + place.server_name + ":" + std::to_string(endpoint.service_port) + place.target;
  auto address = resolve_service(store, endpoint.service_ns, endpoint.service_name, endpoint.service_port);
  if (!address && endpoint.by_cluster_address) {
    auto fixed = cluster_address(store, endpoint.service_ns, endpoint.service_name, endpoint.service_port);
    if (fixed) address = std::move(*fixed);
  }
  if (!address)
    return Error(address.error().code(), "Post " + quoted(place.shown) + ": " + address.error().message());
  place.base_url = "https://" + address->authority();
  return place;
}

std::shared_ptr<http::Client> client_of(const Executor& executor, const WebhookEndpoint& endpoint,
                                        const Place& place) {
  const auto held = endpoint.kept.load(std::memory_order_acquire);
  if (held && held->base_url == place.base_url) return held->client;
  http::ClientOptions options;
  options.base_url = place.base_url;
  options.ca_pem = endpoint.ca_pem;
  options.server_name = place.server_name;
  options.max_connections = 64;
  options.max_body_bytes = endpoint.max_answer_bytes;
  auto fresh = std::make_shared<KeptClient>();
  fresh->base_url = place.base_url;
  fresh->client = std::make_shared<http::Client>(executor, std::move(options));
  endpoint.kept.store(fresh, std::memory_order_release);
  return fresh->client;
}

std::string lower_first(std::string text) {
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

// A kept connection that the webhook has closed in between is no failure.
bool is_stale(const Error& error) {
  return error.is(Code::Unavailable) && !error.message().starts_with("connect to ");
}

}  // namespace

void WebhookEndpoint::read(const api::Json& client_config) {
  const api::Json& service = client_config["service"];
  url = client_config["url"].as_string();
  service_ns = service["namespace"].as_string();
  service_name = service["name"].as_string();
  service_path = service["path"].as_string();
  service_port = service["port"].as_int(443);
  ca_pem = base64_decode(client_config["caBundle"].as_string()).value_or("");
}

std::string go_transport_error(const Error& error) {
  if (error.is(Code::Timeout)) return "context deadline exceeded";
  std::string text = error.message();
  constexpr std::string_view kConnect = "connect to ";
  if (!text.starts_with(kConnect)) return lower_first(std::move(text));
  text.erase(0, kConnect.size());
  const auto colon = text.find(": ");
  if (colon == std::string::npos) return "dial tcp " + text;
  const std::string where = text.substr(0, colon);
  const std::string why = lower_first(text.substr(colon + 2));
  if (error.is(Code::Unauthorized) || why.find("certificate") != std::string::npos)
    return "tls: failed to verify certificate: x509: " + why;
  return "dial tcp " + where + ": connect: " + why;
}

std::string go_status_error(int status, std::string_view body) {
  if (const auto parsed = api::Json::parse(body); parsed && (*parsed)["kind"].as_string() == "Status") {
    const std::string_view message = (*parsed)["message"].as_string();
    if (!message.empty()) return std::string(message);
  }
  switch (status) {
    case 400:
      return "the server rejected our request for an unknown reason";
    case 401:
      return "the server has asked for the client to provide credentials";
    case 403:
      return std::string(body);
    case 404:
      return "the server could not find the requested resource";
    case 405:
      return "the server does not allow this method on the requested resource";
    case 503:
      return "the server is currently unable to handle the request";
    case 429:
      return "the server has received too many requests and has asked us to try again later";
    default:
      break;
  }
  if (status >= 500) {
    while (body.ends_with('\n')) body.remove_suffix(1);
    return "an error on the server (" + quoted(body.empty() ? "unknown" : body.substr(0, 2048)) +
           ") has prevented the request from succeeding";
  }
  return "the server responded with the status code " + std::to_string(status) +
         " but did not return more information";
}

Task<Result<std::string>> post_review(const Executor& executor, const store::Store& store,
                                      std::shared_ptr<const WebhookEndpoint> endpoint, std::string review,
                                      std::int64_t timeout_seconds) {
  const auto place = place_of(*endpoint, store, timeout_seconds);
  if (!place) co_return place.error();
  const auto client = client_of(executor, *endpoint, *place);
  http::ClientRequest request;
  request.method = "POST";
  request.target = place->target;
  request.headers.set("Accept", "application/json, */*");
  request.headers.set("Content-Type", "application/json");
  request.headers.set("User-Agent", "kube-apiserver-admission");
  request.body = std::move(review);
  request.timeout = std::chrono::seconds(timeout_seconds);
  for (int attempt = 0;; ++attempt) {
    http::ClientRequest copy = request;
    auto sending = client->send(std::move(copy));
    auto answer = co_await std::move(sending);
    if (!answer && attempt == 0 && is_stale(answer.error())) continue;
    if (!answer) {
      co_return Error(Code::Internal,
                      "Post " + quoted(place->shown) + ": " + go_transport_error(answer.error()));
    }
    if (answer->status < 200 || answer->status > 299)
      co_return Error(Code::Internal, go_status_error(answer->status, answer->body));
    co_return std::move(answer->body);
  }
}

}  // namespace flotilla::apiserver
