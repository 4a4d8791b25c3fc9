// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/apiserver/webhook_endpoint.hpp"

namespace flotilla::apiserver {

// Who converts a definition's objects between its versions.
struct ConversionWebhook {
  WebhookEndpoint endpoint;
  std::string review_version = "v1";
};

}  // namespace flotilla::apiserver
