// SPDX-License-Identifier: Apache-2.0
// Calls an admission webhook and reads its answer.
#pragma once

#include "core/apiserver/admission/webhook_review.hpp"

namespace flotilla::apiserver {

// The whole exchange. Errors: Internal with the reason, as it stands behind "failed calling webhook".
Task<Result<WebhookAnswer>> call_webhook(const Executor& executor, const store::Store& store,
                                         WebhookPtr webhook, Json review, std::string uid);

}  // namespace flotilla::apiserver
