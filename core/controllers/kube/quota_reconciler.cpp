// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/kube/quota_reconciler.hpp"

#include <algorithm>

#include "core/api/limits/quota.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;
using api::ObjectPtr;
using api::ResourceList;
using reconcile::Key;
using reconcile::Outcome;
using store::Event;

const store::Collection kQuotas = store::collection_of("", "resourcequotas");
constexpr Duration kSoon = std::chrono::milliseconds(20);
constexpr Duration kLater = std::chrono::milliseconds(200);
constexpr Duration kQuiet = std::chrono::milliseconds(100);

ResourceList amounts_of(const Json& list) {
  auto read = ResourceList::from_json(list);
  return read ? *std::move(read) : ResourceList();
}

bool lowers(const Json& before, const Json& after) {
  const ResourceList old_used = amounts_of(before), new_used = amounts_of(after);
  return std::any_of(old_used.amounts().begin(), old_used.amounts().end(), [&](const auto& entry) {
    return new_used.amounts().contains(entry.first) && new_used.amount(entry.first) < entry.second;
  });
}

}  // namespace

QuotaReconciler::QuotaReconciler(KubeContext& context)
    : context_(context), loop_(context.executor, "resource-quota", *this, {.metrics = context.metrics}) {
  context.informers.on_any([this](const Event& event) { on_any(event); });
}

void QuotaReconciler::on_any(const Event& event) {
  if (!event.object || event.object->ns().empty()) return;
  if (event.collection == kQuotas) {
    // Who makes a quota may look at it before anything is counted, as with Kubernetes' controller. Changes
    // are mostly charges, one for every object that is made: they are counted together.
    constexpr auto kPatience = std::chrono::milliseconds(250);
    if (event.type != Event::Type::Deleted)
      loop_.enqueue_after({kQuotas, event.object->key()}, event.previous ? kLater : Duration(kPatience));
    return;
  }
  if (context_.store.count(kQuotas) == 0) return;
  const Duration delay = event.type == Event::Type::Deleted ? kSoon : kLater;
  for (const ObjectPtr& quota : context_.store.list(kQuotas, event.object->ns()).objects)
    loop_.enqueue_after({kQuotas, quota->key()}, delay);
}

Json QuotaReconciler::count(const Json& quota, const std::string& ns) const {
  const Json& hard = quota["spec"]["hard"];
  Json judged = quota;
  judged["status"].set("hard", hard);
  ResourceList used;
  for (const auto& [name, value] : hard.members()) used.set(name, api::Quantity());
  for (const store::Collection& collection : context_.store.collections()) {
    const std::string_view text = collection.get();
    const auto slash = text.rfind('/');
    const std::string_view group =
        slash == std::string_view::npos ? std::string_view() : text.substr(0, slash);
    const std::string_view resource = slash == std::string_view::npos ? text : text.substr(slash + 1);
    bool counted = false;
    for (const auto& [name, value] : hard.members())
      counted = counted || api::quota_counts(group, resource, name);
    if (!counted) continue;
    const ResourceList names = used;
    for (const ObjectPtr& object : context_.store.list(collection, ns).objects) {
      const auto content = object->content();
      if (!api::quota_matches(judged, group, resource, *content)) continue;
      const ResourceList cost = api::quota_cost(group, resource, *content, context_.executor.clock().now());
      used.add(api::quota_mask(cost, names));
    }
  }
  return Json::object({{"hard", hard}, {"used", used.to_json()}});
}

Task<Outcome> QuotaReconciler::reconcile(Key key) {
  ObjectPtr quota = context_.store.get(kQuotas, key.object.ns, key.object.name);
  if (!quota) co_return Outcome::done();
  Json status = count(*quota->content(), key.object.ns);
  if (lowers((*quota->content())["status"]["used"], status["used"])) {
    const Revision before = quota->revision();
    auto waiting = sleep_for(kQuiet);
    co_await std::move(waiting);
    quota = context_.store.get(kQuotas, key.object.ns, key.object.name);
    if (!quota) co_return Outcome::done();
    if (quota->revision() != before) co_return Outcome::again_in(kQuiet);
    status = count(*quota->content(), key.object.ns);
  }
  Json changed = *quota->content();
  if (std::as_const(changed)["status"] == status) co_return Outcome::done();
  changed.set("status", std::move(status));
  auto writing =
      context_.store.update(kQuotas, std::move(changed), quota->revision(), store::Durability::Derived);
  auto written = co_await std::move(writing);
  if (written || written.error().is(Code::NotFound)) co_return Outcome::done();
  if (written.error().is(Code::Conflict)) co_return Outcome::again_in(kSoon);
  co_return Outcome::retry(written.error());
}

}  // namespace flotilla::controllers
