// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/kube/role_aggregation_reconciler.hpp"

#include <algorithm>

#include "core/api/selector.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using api::ObjectPtr;
using reconcile::Key;
using reconcile::Outcome;

constexpr std::string_view kGroup = "rbac.authorization.k8s.io";

store::Collection roles() {
  return store::collection_of(kGroup, "clusterroles");
}

bool selects(const Json& aggregation, const Json& labels) {
  const auto selectors = aggregation["clusterRoleSelectors"].elements();
  return std::any_of(selectors.begin(), selectors.end(), [&](const Json& selector) {
    const auto parsed = api::LabelSelector::from_json(selector);
    return parsed && parsed->matches(labels);
  });
}

Json gather(const std::vector<ObjectPtr>& all, const api::Object& own, const Json& aggregation) {
  Json rules = Json::array();
  for (const ObjectPtr& other : all) {
    const auto content = other->content();
    if (other->name() == own.name() || !selects(aggregation, (*content)["metadata"]["labels"])) continue;
    for (const Json& rule : (*content)["rules"].elements()) {
      const auto have = std::as_const(rules).elements();
      if (std::find(have.begin(), have.end(), rule) == have.end()) rules.push_back(rule);
    }
  }
  return rules;
}

}  // namespace

RoleAggregationReconciler::RoleAggregationReconciler(KubeContext& context)
    : context_(context),
      loop_(context.executor, "cluster-role-aggregation", *this, {.metrics = context.metrics}) {
  context.informers.on(roles(), [this](const store::Event&) { loop_.enqueue({roles(), {"", ""}}); });
}

Task<Outcome> RoleAggregationReconciler::reconcile(Key) {
  const store::Snapshot all = context_.store.list(roles());
  const auto resource = context_.resources()->find_resource(kGroup, "v1", "clusterroles");
  if (!resource) co_return Outcome::done();
  const store::StoredKind kind = store::StoredKind::of(*resource);
  for (const ObjectPtr& role : all.objects) {
    const auto content = role->content();
    const Json& aggregation = (*content)["aggregationRule"];
    if (!aggregation.is_object() || role->deleting()) continue;
    const Json rules = gather(all.objects, *role, aggregation);
    if (rules == (*content)["rules"]) continue;
    store::Writer::Change change = [rules](Json& object) -> Result<bool> {
      object.set("rules", rules);
      return true;
    };
    auto writing = context_.writer.modify(kind, store::Part::Main, role->key(), std::move(change));
    auto written = co_await std::move(writing);
    if (!written && !written.error().is(Code::NotFound)) {
      co_return Outcome::retry(std::move(written).error());
    }
  }
  co_return Outcome::done();
}

}  // namespace flotilla::controllers
