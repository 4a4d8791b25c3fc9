// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/webhook_client.hpp"

namespace flotilla::apiserver {

Task<Result<WebhookAnswer>> call_webhook(const Executor& executor, const store::Store& store,
                                         WebhookPtr webhook, Json review, std::string uid) {
  std::shared_ptr<const WebhookEndpoint> endpoint(webhook, &webhook->endpoint);
  auto posting = post_review(executor, store, std::move(endpoint), review.dump(), webhook->timeout_seconds);
  const auto answer = co_await std::move(posting);
  if (!answer) co_return Error(Code::Internal, "failed to call webhook: " + answer.error().message());
  co_return read_answer(*webhook, *answer, uid);
}

}  // namespace flotilla::apiserver
