// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/controller_writes.hpp"

#include <algorithm>

#include "core/apiserver/admission/federated_quota.hpp"
#include "core/apiserver/admission/quota.hpp"
#include "core/apiserver/admission/webhooks.hpp"
#include "core/apiserver/policy/judge.hpp"

namespace flotilla::apiserver {
namespace {

using Operation = store::AdmissionRequest::Operation;

Verb verb_of(Operation operation) {
  return operation == Operation::Create   ? Verb::Create
         : operation == Operation::Update ? Verb::Update
                                          : Verb::Delete;
}

std::string_view options_kind(Operation operation) {
  return operation == Operation::Create   ? "CreateOptions"
         : operation == Operation::Update ? "UpdateOptions"
                                          : "DeleteOptions";
}

AttributesPtr attributes_of(const Server& server, store::LateWrite write) {
  auto out = std::make_shared<AdmissionAttributes>();
  const store::StoredKind& kind = write.kind;
  out->served = server.catalog.served();
  out->resource = out->served->registry.find_resource(kind.gvk.group, kind.gvk.version, kind.resource);
  if (!out->resource) return nullptr;
  const Json& named = write.object.is_object() ? write.object : write.old_object;
  out->verb = verb_of(write.operation);
  out->kind = kind.gvk;
  out->subresource = std::move(write.subresource);
  out->name = api::name_of(named);
  out->ns = out->is_namespace() ? out->name : std::string(api::namespace_of(named));
  out->user.name = "system:kube-controller-manager";
  out->user.groups = {std::string(kAuthenticated)};
  out->options = Json::object({{"kind", options_kind(write.operation)}, {"apiVersion", "meta.k8s.io/v1"}});
  out->dry_run = write.dry_run;
  out->object = std::move(write.object);
  out->old_object = std::move(write.old_object);
  return out;
}

bool names(const std::vector<std::string>& list, std::string_view wanted) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& one) { return one == "*" || one == wanted; });
}

// Before anything is built: whether a rule could hold. Another version or group of the same objects may be
// meant, so only what no rule names is left out.
bool may_match(const MatchRule& rule, const store::StoredKind& kind, std::string_view operation,
               std::string_view subresource) {
  const bool shared = kind.resource == "events";
  if (!names(rule.operations, operation) || (!shared && !names(rule.groups, kind.gvk.group))) return false;
  return std::any_of(rule.resources.begin(), rule.resources.end(), [&](const std::string& one) {
    const std::string_view text = one;
    const auto slash = text.find('/');
    const std::string_view resource = text.substr(0, slash);
    const std::string_view sub = slash == text.npos ? std::string_view() : text.substr(slash + 1);
    return (resource == "*" || resource == kind.resource) && (sub == "*" || sub == subresource);
  });
}

bool may_match(const std::vector<WebhookPtr>& webhooks, const store::StoredKind& kind,
               std::string_view operation, std::string_view subresource) {
  return std::any_of(webhooks.begin(), webhooks.end(), [&](const WebhookPtr& webhook) {
    return std::any_of(webhook->rules.begin(), webhook->rules.end(),
                       [&](const MatchRule& rule) { return may_match(rule, kind, operation, subresource); });
  });
}

bool pays_federated(const Server& server, const Resource& resource, Operation operation,
                    std::string_view subresource) {
  return server.options.enforce_federated_quotas && operation != Operation::Delete && subresource.empty() &&
         pays_federated_quota(server.store, resource.group, resource.resource);
}

Task<Result<Json>> admit(Server* server, store::LateWrite write) {
  const Operation operation = write.operation;
  const Json object = write.object;
  const AttributesPtr asked = attributes_of(*server, std::move(write));
  if (!asked) co_return object;
  if (const auto webhooks = server->webhooks.webhooks()) {
    const WebhookContext context{server->executor, server->store, server->fibers, server->authorizer};
    const auto round = std::make_shared<Reinvocation>();
    auto mutating = run_mutating_webhooks(context, webhooks, asked, round);
    if (auto done = co_await std::move(mutating); !done) co_return std::move(done).error();
    if (round->wanted) {
      round->again = true;
      auto again = run_mutating_webhooks(context, webhooks, asked, round);
      if (auto done = co_await std::move(again); !done) co_return std::move(done).error();
    }
  }
  if (const auto policies = server->policies.policies()) {
    if (auto judged = judge_by_policies(*policies, *asked, server->store, server->authorizer); !judged)
      co_return std::move(judged).error();
  }
  if (const auto webhooks = server->webhooks.webhooks()) {
    const WebhookContext context{server->executor, server->store, server->fibers, server->authorizer};
    auto validating = run_validating_webhooks(context, webhooks, asked);
    if (auto done = co_await std::move(validating); !done) co_return std::move(done).error();
  }
  if (operation == Operation::Create && may_have_quota(server->store, *asked->resource)) {
    auto charging = charge_quotas(server->store, asked, server->now());
    if (auto done = co_await std::move(charging); !done) co_return std::move(done).error();
  }
  if (pays_federated(*server, *asked->resource, operation, asked->subresource)) {
    auto charging =
        charge_federated_quotas(server->store, asked->ns, asked->old_object, asked->object, asked->dry_run);
    if (auto done = co_await std::move(charging); !done) co_return std::move(done).error();
  }
  co_return std::move(asked->object);
}

Task<void> undo(Server* server, store::LateWrite write) {
  if (!server->options.enforce_federated_quotas || !write.subresource.empty()) co_return;
  if (!pays_federated_quota(server->store, write.kind.gvk.group, write.kind.resource)) co_return;
  const std::string ns(api::namespace_of(write.object));
  auto refunding =
      refund_federated_quotas(server->store, ns, std::move(write.old_object), std::move(write.object));
  co_await std::move(refunding);
}

}  // namespace

store::LateAdmission controller_admission(Server& server) {
  store::LateAdmission late;
  late.wanted = [&server](const store::StoredKind& kind, Operation operation, std::string_view subresource) {
    if (server.policies.policies()) return true;
    if (const auto webhooks = server.webhooks.webhooks()) {
      const std::string_view verb = verb_text(verb_of(operation));
      if (may_match(webhooks->mutating, kind, verb, subresource) ||
          may_match(webhooks->validating, kind, verb, subresource))
        return true;
    }
    if (server.options.enforce_federated_quotas && operation != Operation::Delete && subresource.empty() &&
        pays_federated_quota(server.store, kind.gvk.group, kind.resource)) {
      return true;
    }
    static const store::Collection kQuotas = store::collection_of("", "resourcequotas");
    return operation == Operation::Create && kind.namespaced && kind.resource != "events" &&
           server.store.count(kQuotas) > 0;
  };
  late.run = [&server](store::LateWrite write) { return admit(&server, std::move(write)); };
  late.undo = [&server](store::LateWrite write) { return undo(&server, std::move(write)); };
  return late;
}

}  // namespace flotilla::apiserver
