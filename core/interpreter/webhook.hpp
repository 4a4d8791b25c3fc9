// SPDX-License-Identifier: Apache-2.0
// What ResourceInterpreterWebhookConfiguration objects say, and the words that are exchanged with a webhook.
// How they travel is the daemon's business.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.hpp"
#include "core/interpreter/question.hpp"

namespace flotilla::interpreter {

struct InterpreterWebhook {
  std::string uid;          // configuration/name, /n behind for the n-th of that name
  api::Json client_config;  // url or service, and caBundle
  api::Json rules;
  std::int64_t timeout_seconds = 10;

  bool matches(std::string_view api_version, std::string_view kind, Operation operation) const;
};

// Of one ResourceInterpreterWebhookConfiguration; those that do not speak v1alpha1 are left out.
std::vector<InterpreterWebhook> read_webhooks(const api::Json& configuration);

// The one with the smallest uid answers. Nothing of it can be asked here: it says where, and the one who has
// a network asks.
class WebhookInterpreter : public Interpreter {
 public:
  explicit WebhookInterpreter(std::vector<InterpreterWebhook> webhooks);

  // Null where none is for it.
  const InterpreterWebhook* find(std::string_view api_version, std::string_view kind,
                                 Operation operation) const;
  const InterpreterWebhook* find(const Question& question) const;
  const std::vector<InterpreterWebhook>& all() const { return webhooks_; }

  using Interpreter::supports;
  bool supports(std::string_view api_version, std::string_view kind, Operation operation) const override;
  bool may_block(std::string_view api_version, std::string_view kind, Operation operation) const override;
  Result<Replicas> interpret_replicas(const api::Json& object) const override;
  Result<api::Json> interpret_components(const api::Json& object) const override;
  Result<api::Json> revise_replica(const api::Json& object, std::int64_t replicas) const override;
  Result<api::Json> retain(const api::Json& desired, const api::Json& observed) const override;
  Result<api::Json> reflect_status(const api::Json& object) const override;
  Result<api::Json> aggregate_status(const api::Json& object, std::span<const api::Json> items,
                                     WallTime now) const override;
  Result<bool> interpret_health(const api::Json& object) const override;
  Result<api::Json> dependencies(const api::Json& object) const override;

 private:
  std::vector<InterpreterWebhook> webhooks_;  // by uid
};

// The ResourceInterpreterContext that is sent.
api::Json webhook_request(const Question& question, std::string_view uid);

// What came back to the request of that uid. Errors: Invalid, what is missing or wrong; the webhook's own
// words where it was not successful.
Result<Answer> read_webhook_response(const Question& question, std::string_view uid, std::string_view body);

}  // namespace flotilla::interpreter
