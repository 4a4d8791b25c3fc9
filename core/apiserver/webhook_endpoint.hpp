// SPDX-License-Identifier: Apache-2.0
// Where a webhook is called, be it of admission or of conversion, and the exchange over HTTPS. Connections
// are kept and used again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/api/json.hpp"
#include "core/async/executor.hpp"
#include "core/async/task.hpp"
#include "core/http/http.hpp"
#include "core/store/store.hpp"

namespace flotilla::apiserver {

// The connections to where a service reference or a URL led when they were made.
struct KeptClient {
  std::string base_url;
  std::shared_ptr<http::Client> client;
};

// Immutable, but for the connections that it keeps.
struct WebhookEndpoint {
  std::string url;  // empty: the service
  std::string service_ns, service_name, service_path;
  std::int64_t service_port = 443;
  std::string ca_pem;
  // Services are reached by their cluster address where they have no endpoints: they run elsewhere.
  bool by_cluster_address = false;
  std::size_t max_answer_bytes = 16u << 20;
  mutable std::atomic<std::shared_ptr<const KeptClient>> kept;

  // `client_config` as it was validated.
  void read(const api::Json& client_config);
};

// POSTs `review` and gives back the body of the answer. Errors: Internal, or what resolving the service said;
// in the words of Go's client: "Post \"https://...\": dial tcp 127.0.0.1:1: connect: connection refused".
Task<Result<std::string>> post_review(const Executor& executor, const store::Store& store,
                                      std::shared_ptr<const WebhookEndpoint> endpoint, std::string review,
                                      std::int64_t timeout_seconds);

// An error of our HTTP client in the words of Go's: "dial tcp 127.0.0.1:1: connect: connection refused".
std::string go_transport_error(const Error& error);
// What client-go says of an answer that is no success.
std::string go_status_error(int status, std::string_view body);

}  // namespace flotilla::apiserver
