// SPDX-License-Identifier: Apache-2.0
// One webhook of a MutatingWebhookConfiguration or ValidatingWebhookConfiguration, read once, and whether it
// wants a request (k8s-api 11.2). Thread: immutable, but for the connection that it keeps.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/api/selector.hpp"
#include "core/apiserver/admission/match_conditions.hpp"
#include "core/apiserver/webhook_endpoint.hpp"

namespace flotilla::apiserver {

// A rule of a webhook or of an admission policy.
struct MatchRule {
  std::vector<std::string> operations, groups, versions, resources;
  std::string scope = "*";

  static MatchRule read(const Json& rule);
  // As if the request were for `resource`: another version of the same objects.
  bool matches(const AdmissionAttributes& attributes, const Resource& resource) const;
};

// How its calls went; kept while a configuration changes.
struct WebhookStats {
  std::atomic<std::uint64_t> allowed{0}, rejected{0}, failed_open{0}, failed_closed{0};
  std::atomic<std::uint64_t> allowed_nanoseconds{0}, rejected_nanoseconds{0};
};

struct Webhook {
  std::string configuration, name;
  bool mutating = false;
  WebhookEndpoint endpoint;
  std::vector<MatchRule> rules;
  api::LabelSelector namespaces, objects;
  Status readable;  // why one of the selectors cannot be read
  bool equivalent = true;
  bool ignores_failure = false;
  bool reinvoked = false;
  bool dry_runs = false;
  std::string review_version = "v1";
  std::int64_t timeout_seconds = 10;
  MatchConditions conditions;
  std::shared_ptr<WebhookStats> stats = std::make_shared<WebhookStats>();

  static std::shared_ptr<Webhook> read(const std::string& configuration, const Json& webhook, bool mutating);
};
using WebhookPtr = std::shared_ptr<const Webhook>;

// The resource in whose version the webhook wants to see the request; null: it does not. Errors: NotFound
// (the namespace), Internal (a selector that cannot be read).
Result<ResourcePtr> wanted_version(const Webhook& webhook, const AdmissionAttributes& attributes,
                                   const store::Store& store);
// The same without selectors of objects and namespaces, for admission policies.
ResourcePtr matching_version(const std::vector<MatchRule>& rules, bool equivalent,
                             const AdmissionAttributes& attributes);
// Requests for webhook configurations and admission policies themselves are nobody's business.
bool is_exempt(const Resource& resource);
// Labels of the namespace that a namespaceSelector is held against. Null value: the request is in none.
Result<Json> namespace_labels(const AdmissionAttributes& attributes, const store::Store& store);

}  // namespace flotilla::apiserver
