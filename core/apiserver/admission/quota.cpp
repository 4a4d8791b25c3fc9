// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/quota.hpp"

#include "core/api/limits/quota.hpp"
#include "core/apiserver/errors.hpp"

namespace flotilla::apiserver {
namespace {

const store::Collection kQuotas = store::collection_of("", "resourcequotas");
constexpr int kConflictTries = 64;

using api::ResourceList;

Error forbid(const AdmissionAttributes& attributes, const std::string& why) {
  return object_forbidden({attributes.resource->group, attributes.resource->resource}, attributes.name, why);
}

ResourceList amounts_of(const Json& list) {
  auto read = ResourceList::from_json(list);
  return read ? *std::move(read) : ResourceList();
}

std::string names_text(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

// What the request adds; empty: nothing that a quota could count.
ResourceList added(const AdmissionAttributes& attributes, WallTime now) {
  const Resource& resource = *attributes.resource;
  ResourceList cost = api::quota_cost(resource.group, resource.resource, attributes.object, now);
  if (attributes.verb == Verb::Update)
    cost.subtract(api::quota_cost(resource.group, resource.resource, attributes.old_object, now));
  ResourceList out;
  for (const auto& [name, amount] : cost.amounts()) {
    if (!amount.is_zero()) out.set(name, amount);
  }
  return out;
}

// Whether the quota's names can be counted for this object at all. Errors: Forbidden.
Status check_countable(const AdmissionAttributes& attributes, const api::Object& quota, const Json& content) {
  const Resource& resource = *attributes.resource;
  std::vector<std::string> names, unknown;
  for (const auto& [name, amount] : content["status"]["hard"].members()) {
    if (!api::quota_counts(resource.group, resource.resource, name)) continue;
    names.emplace_back(name);
    if (!content["status"]["used"].contains(name)) unknown.emplace_back(name);
  }
  if (resource.group.empty() && resource.resource == "pods") {
    const std::string missing = api::quota_missing(attributes.object, names);
    if (!missing.empty()) return forbid(attributes, "failed quota: " + quota.name() + ": " + missing);
  }
  if (!unknown.empty()) {
    return forbid(attributes,
                  "status unknown for quota: " + quota.name() + ", resources: " + names_text(unknown));
  }
  return {};
}

// The quota's used amounts with the charge. Errors: Forbidden.
Result<ResourceList> charge(const AdmissionAttributes& attributes, const api::Object& quota,
                            const Json& content, const ResourceList& cost) {
  const ResourceList hard = amounts_of(content["status"]["hard"]);
  const ResourceList used = amounts_of(content["status"]["used"]);
  const ResourceList asked = api::quota_mask(cost, hard);
  ResourceList next = used;
  next.add(asked);
  ResourceList exceeded;
  for (const auto& [name, amount] : asked.amounts()) {
    if (amount.sign() > 0 && next.amount(name) > hard.amount(name)) exceeded.set(name, amount);
  }
  if (exceeded.empty()) return next;
  return forbid(attributes, "exceeded quota: " + quota.name() + ", requested: " + api::quota_text(exceeded) +
                                ", used: " + api::quota_text(api::quota_mask(used, exceeded)) +
                                ", limited: " + api::quota_text(api::quota_mask(hard, exceeded)));
}

}  // namespace

bool may_have_quota(const store::Store& store, const Resource& resource) {
  return resource.namespaced && resource.resource != "events" && store.count(kQuotas) > 0;
}

Task<Status> charge_quotas(store::Store& store, AttributesPtr attributes, WallTime now) {
  const Resource& resource = *attributes->resource;
  const bool counted_on_update = resource.group.empty() && (resource.resource == "services" ||
                                                            resource.resource == "persistentvolumeclaims");
  const bool charged =
      attributes->verb == Verb::Create || (attributes->verb == Verb::Update && counted_on_update);
  if (!charged || !attributes->subresource.empty() || attributes->ns.empty()) co_return Status();
  const ResourceList cost = added(*attributes, now);
  if (cost.empty()) co_return Status();
  for (const api::ObjectPtr& listed : store.list(kQuotas, attributes->ns).objects) {
    api::ObjectPtr quota = listed;
    for (int attempt = 0;; ++attempt) {
      const auto content = quota->content();
      if (!api::quota_matches(*content, resource.group, resource.resource, attributes->object)) break;
      if (auto countable = check_countable(*attributes, *quota, *content); !countable)
        co_return std::move(countable).error();
      auto next = charge(*attributes, *quota, *content, cost);
      if (!next) co_return std::move(next).error();
      if (attributes->dry_run || next->amounts() == amounts_of((*content)["status"]["used"]).amounts()) break;
      Json changed = *content;
      changed.make({"status", "used"}) = next->to_json();
      auto updating =
          store.update(kQuotas, std::move(changed), quota->revision(), store::Durability::Derived);
      auto updated = co_await std::move(updating);
      if (updated) break;
      if (!updated.error().is(Code::Conflict) || attempt + 1 == kConflictTries)
        co_return std::move(updated).error();
      quota = store.get(kQuotas, attributes->ns, listed->name());
      if (!quota) break;
    }
  }
  co_return Status();
}

}  // namespace flotilla::apiserver
