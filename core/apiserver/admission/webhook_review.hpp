// SPDX-License-Identifier: Apache-2.0
// The AdmissionReview that a webhook is asked with, and what its answer means (k8s-api 11.3).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/apiserver/admission/webhook.hpp"

namespace flotilla::apiserver {

// `version`: in which the webhook wants to see the objects.
Json admission_review(const Webhook& webhook, const AdmissionAttributes& attributes, const Resource& version,
                      const std::string& uid);

struct WebhookAnswer {
  bool allowed = false;
  std::string patch;  // a JSON patch; empty: no change
  Json status;        // why it was refused
  std::vector<std::string> warnings;
  std::map<std::string, std::string> annotations;
};
// Errors: Internal with the bare reason, as it stands behind "failed calling webhook".
Result<WebhookAnswer> read_answer(const Webhook& webhook, std::string_view body, const std::string& uid);

// `admission webhook "x" denied the request: ...` with the code and the details that the webhook gave.
Error denied(const Webhook& webhook, const Json& status);

}  // namespace flotilla::apiserver
