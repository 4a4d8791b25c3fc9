// SPDX-License-Identifier: Apache-2.0
// The two rounds of webhooks that a write goes through (k8s-api 11.1): mutating ones one after the other,
// validating ones at the same time.
#pragma once

#include <set>

#include "core/apiserver/admission/webhook_registry.hpp"
#include "core/async/executor.hpp"
#include "core/async/fiber_scope.hpp"

namespace flotilla::apiserver {

struct WebhookContext {
  const Executor& executor;
  const store::Store& store;
  FiberScope& fibers;
  const Authorizer& authorizer;
};

// What the second round of mutating webhooks needs to know of the first.
struct Reinvocation {
  bool again = false;  // a second round
  bool wanted = false;
  Json last_output;
  std::set<const Webhook*> called, due;
};
using ReinvocationPtr = std::shared_ptr<Reinvocation>;

// Changes attributes->object. Errors: what the client is answered.
Task<Status> run_mutating_webhooks(WebhookContext context, std::shared_ptr<const Webhooks> webhooks,
                                   AttributesPtr attributes, ReinvocationPtr reinvocation);
Task<Status> run_validating_webhooks(WebhookContext context, std::shared_ptr<const Webhooks> webhooks,
                                     AttributesPtr attributes);

}  // namespace flotilla::apiserver
