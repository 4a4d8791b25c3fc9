// SPDX-License-Identifier: Apache-2.0
// Calls a webhook over HTTPS; connections are kept and used again.
#pragma once

#include "core/apiserver/admission/webhook_review.hpp"

namespace flotilla::apiserver {

// The whole exchange. Errors: Internal with the reason, as it stands behind "failed calling webhook".
Task<Result<WebhookAnswer>> call_webhook(const Executor& executor, const store::Store& store,
                                         WebhookPtr webhook, Json review, std::string uid);

// An error of our HTTP client in the words of Go's: "dial tcp 127.0.0.1:1: connect: connection refused".
std::string go_transport_error(const Error& error);
// What client-go says of an answer that is no success.
std::string go_status_error(int status, std::string_view body);

}  // namespace flotilla::apiserver
