// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/controller_writes.hpp"

#include "core/apiserver/admission/quota.hpp"
#include "core/apiserver/admission/webhooks.hpp"
#include "core/apiserver/policy/judge.hpp"

namespace flotilla::apiserver {
namespace {

AttributesPtr attributes_of(const Server& server, const store::StoredKind& kind, Json object, bool dry_run) {
  auto out = std::make_shared<AdmissionAttributes>();
  out->served = server.catalog.served();
  out->resource = out->served->registry.find_resource(kind.gvk.group, kind.gvk.version, kind.resource);
  if (!out->resource) return nullptr;
  out->kind = kind.gvk;
  out->name = api::name_of(object);
  out->ns = out->is_namespace() ? out->name : std::string(api::namespace_of(object));
  out->user.name = "system:kube-controller-manager";
  out->user.groups = {std::string(kAuthenticated)};
  out->options = Json::object({{"kind", "CreateOptions"}, {"apiVersion", "meta.k8s.io/v1"}});
  out->dry_run = dry_run;
  out->object = std::move(object);
  return out;
}

Task<Result<Json>> admit(Server* server, store::StoredKind kind, Json object, bool dry_run) {
  const AttributesPtr asked = attributes_of(*server, kind, object, dry_run);
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
  if (may_have_quota(server->store, *asked->resource)) {
    auto charging = charge_quotas(server->store, asked, server->now());
    if (auto done = co_await std::move(charging); !done) co_return std::move(done).error();
  }
  co_return std::move(asked->object);
}

}  // namespace

store::LateAdmission controller_admission(Server& server) {
  store::LateAdmission late;
  late.wanted = [&server](const store::StoredKind& kind) {
    if (server.webhooks.webhooks() || server.policies.policies()) return true;
    static const store::Collection kQuotas = store::collection_of("", "resourcequotas");
    return kind.namespaced && kind.resource != "events" && server.store.count(kQuotas) > 0;
  };
  late.run = [&server](store::StoredKind kind, Json object, bool dry_run) {
    return admit(&server, std::move(kind), std::move(object), dry_run);
  };
  return late;
}

}  // namespace flotilla::apiserver
