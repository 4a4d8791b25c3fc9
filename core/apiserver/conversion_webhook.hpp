// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/http/http.hpp"

namespace flotilla::apiserver {

// Where a definition's objects are converted. Immutable, but for the connections that it keeps.
struct ConversionWebhook {
  struct Target {
    std::string base_url;
    std::shared_ptr<http::Client> client;
  };
  std::string url;  // empty: the service
  std::string service_ns, service_name, service_path;
  std::int64_t service_port = 443;
  std::string ca_pem;
  std::string review_version = "v1";
  mutable std::atomic<std::shared_ptr<const Target>> target;
};

}  // namespace flotilla::apiserver
