// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/webhooks.hpp"

#include <boost/asio/this_coro.hpp>

#include "core/api/defaulting/defaulting.hpp"
#include "core/api/patch/patch.hpp"
#include "core/api/schema/decode.hpp"
#include "core/apiserver/admission/webhook_client.hpp"
#include "core/apiserver/errors.hpp"
#include "core/apiserver/versions.hpp"
#include "core/apiserver/write/write_options.hpp"
#include "core/async/event.hpp"
#include "core/base/log.hpp"

namespace flotilla::apiserver {
namespace {

const Logger kLog("webhook");

// What became of one call. `failed`: the webhook could not be asked, so its failurePolicy decides.
struct Verdict {
  Status status;
  bool failed = false;
  bool changed = false;
};

Verdict call_failed(const Webhook& webhook, const std::string& why) {
  return {internal_error("failed calling webhook " + quoted(webhook.name) + ": " + why), true, false};
}

// The patched document as the API would read it: decoded, defaulted, in the version of the request.
Result<Json> take_patch(const AdmissionAttributes& attributes, const Resource& version, const Json& sent,
                        const std::string& patch) {
  auto patched = api::json_patch(sent, patch);
  if (!patched) {
    const std::string& why = patched.error().message();
    return internal_error(why.empty() ? "the patch of the webhook does not apply" : why);
  }
  Json object = std::move(patched->object);
  const bool whole = attributes.kind == attributes.resource->gvk();
  if (!whole) return object;
  auto decoded =
      api::decode(*version.schema, std::move(object), {.typed = version.traits.typed, .duplicates = nullptr});
  if (!decoded) return internal_error(decoded.error().message());
  object = std::move(decoded->object);
  api::set_defaults(version, object);
  return &version == attributes.resource.get() ? std::move(object)
                                               : convert(*attributes.resource, std::move(object));
}

void take_notes(const Webhook& webhook, AdmissionAttributes& attributes, WebhookAnswer& answer) {
  for (std::string& warning : answer.warnings) attributes.warnings.push_back(std::move(warning));
  for (auto& [key, value] : answer.annotations)
    attributes.annotations[webhook.name + "/" + key] = std::move(value);
}

Verdict judge(const Webhook& webhook, AdmissionAttributes& attributes, const Resource& version,
              const Json& review, Result<WebhookAnswer> answer) {
  if (!answer) return call_failed(webhook, answer.error().message());
  take_notes(webhook, attributes, *answer);
  if (!answer->allowed) return {denied(webhook, answer->status), false, false};
  if (answer->patch.empty()) return {};
  const auto operations = Json::parse(answer->patch);
  if (!operations) return {internal_error(operations.error().message()), false, false};
  if (operations->empty()) return {};
  if (!attributes.object.is_object()) {
    return {internal_error("admission webhook " + quoted(webhook.name) +
                           " attempted to modify the object, which is not supported for this operation"),
            false, false};
  }
  auto next = take_patch(attributes, version, review["request"]["object"], answer->patch);
  if (!next) return {std::move(next).error(), false, false};
  const bool changed = !(attributes.object == *next);
  attributes.object = *std::move(next);
  return {{}, false, changed};
}

void note_call(WebhookStats& stats, const Verdict& verdict, Duration took) {
  const auto nanoseconds = static_cast<std::uint64_t>(took.count());
  (verdict.status ? stats.allowed : stats.rejected).fetch_add(1, std::memory_order_relaxed);
  (verdict.status ? stats.allowed_nanoseconds : stats.rejected_nanoseconds)
      .fetch_add(nanoseconds, std::memory_order_relaxed);
}

Task<Verdict> call_one(WebhookContext context, WebhookPtr webhook, AttributesPtr attributes,
                       ResourcePtr version) {
  if (attributes->dry_run && !webhook->dry_runs) {
    co_return Verdict{
        Error(Code::BadRequest, "admission webhook " + quoted(webhook->name) + " does not support dry run"),
        false, false};
  }
  const SteadyTime began = context.executor.clock().steady_now();
  const std::string uid = new_uid();
  const Json review = admission_review(*webhook, *attributes, *version, uid);
  auto calling = call_webhook(context.executor, context.store, webhook, review, uid);
  auto answer = co_await std::move(calling);
  Verdict verdict = judge(*webhook, *attributes, *version, review, std::move(answer));
  note_call(*webhook->stats, verdict, context.executor.clock().steady_now() - began);
  co_return verdict;
}

// wanted_version() and then the webhook's own conditions. Errors: also Forbidden (a condition failed).
Result<ResourcePtr> chosen_version(const WebhookContext& context, const Webhook& webhook,
                                   const AdmissionAttributes& attributes) {
  auto version = wanted_version(webhook, attributes, context.store);
  if (!version || !*version || webhook.conditions.empty()) return version;
  const auto held = webhook.conditions.hold(attributes, context.authorizer);
  if (held) return *held ? version : ResourcePtr();
  if (webhook.ignores_failure) return ResourcePtr();
  return object_forbidden({attributes.resource->group, attributes.resource->resource}, attributes.name,
                          held.error().message());
}

// True: go on as if the webhook had agreed.
bool is_forgiven(const Webhook& webhook, const AdmissionAttributes& attributes, const Verdict& verdict) {
  if (verdict.status) return true;
  const bool open = verdict.failed && webhook.ignores_failure;
  if (verdict.failed) {
    (open ? webhook.stats->failed_open : webhook.stats->failed_closed)
        .fetch_add(1, std::memory_order_relaxed);
    kLog.warn(open ? "webhook failed, failing open" : "webhook failed, failing closed",
              {{"webhook", webhook.name},
               {"resource", attributes.resource->group_resource()},
               {"error", verdict.status.error().message()}});
  }
  return open;
}

bool is_due(const Reinvocation& round, const Webhook* webhook) {
  return !round.again || round.due.contains(webhook);
}

void call_again(Reinvocation& round) {
  round.due.insert(round.called.begin(), round.called.end());
  round.called.clear();
}

// Validating calls that run at the same time, all on the caller's strand.
struct Gathering {
  Event done;
  std::size_t left = 0;
  Status first;  // the first that said no
};

Task<void> call_beside(WebhookContext context, WebhookPtr webhook, AttributesPtr attributes,
                       ResourcePtr version, std::shared_ptr<Gathering> gathering) {
  auto calling = call_one(context, webhook, attributes, version);
  Verdict verdict = co_await std::move(calling);
  if (!is_forgiven(*webhook, *attributes, verdict) && gathering->first) gathering->first = verdict.status;
  --gathering->left;
  gathering->done.notify();
}

}  // namespace

Task<Status> run_mutating_webhooks(WebhookContext context, std::shared_ptr<const Webhooks> webhooks,
                                   AttributesPtr attributes, ReinvocationPtr reinvocation) {
  Reinvocation& round = *reinvocation;
  if (round.again && !(round.last_output == attributes->object)) call_again(round);
  for (const WebhookPtr& webhook : webhooks->mutating) {
    if (!is_due(round, webhook.get())) continue;
    auto version = chosen_version(context, *webhook, *attributes);
    if (!version) co_return std::move(version).error();
    if (!*version) continue;
    auto calling = call_one(context, webhook, attributes, *version);
    Verdict verdict = co_await std::move(calling);
    if (verdict.changed) {
      call_again(round);
      round.wanted = true;
    }
    if (webhook->reinvoked) round.called.insert(webhook.get());
    if (!is_forgiven(*webhook, *attributes, verdict)) co_return verdict.status;
  }
  round.last_output = attributes->object;
  co_return Status();
}

Task<Status> run_validating_webhooks(WebhookContext context, std::shared_ptr<const Webhooks> webhooks,
                                     AttributesPtr attributes) {
  std::vector<std::pair<WebhookPtr, ResourcePtr>> chosen;
  for (const WebhookPtr& webhook : webhooks->validating) {
    auto version = chosen_version(context, *webhook, *attributes);
    if (!version) co_return std::move(version).error();
    if (*version) chosen.emplace_back(webhook, *version);
  }
  if (chosen.empty()) co_return Status();
  if (chosen.size() == 1) {
    auto calling = call_one(context, chosen[0].first, attributes, chosen[0].second);
    Verdict verdict = co_await std::move(calling);
    co_return is_forgiven(*chosen[0].first, *attributes, verdict) ? Status() : verdict.status;
  }
  const AnyExecutor executor = co_await boost::asio::this_coro::executor;
  const auto gathering = std::make_shared<Gathering>();
  gathering->left = chosen.size();
  for (const auto& [webhook, version] : chosen) {
    auto calling = call_beside(context, webhook, attributes, version, gathering);
    if (!context.fibers.spawn_on(executor, std::move(calling)))
      co_return Error(Code::Unavailable, "the server is shutting down");
  }
  while (gathering->left > 0) {
    const auto seen = gathering->done.version();
    if (gathering->left == 0) break;
    auto waiting = gathering->done.wait_past(seen);
    if (!co_await std::move(waiting)) co_return Error(Code::Cancelled, "the request was given up");
  }
  co_return gathering->first;
}

}  // namespace flotilla::apiserver
