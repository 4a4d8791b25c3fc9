// SPDX-License-Identifier: Apache-2.0
#include "core/api/quota_usage.hpp"

#include <utility>

#include "core/api/object.hpp"

namespace flotilla::api {

namespace {

// Adds what `owner` asks for in replicaRequirements.resourceRequest, so many times.
Status add_requests(ResourceList& usage, const Json& owner, std::int64_t times) {
  if (times == 0) return {};
  Result<ResourceList> requests =
      ResourceList::from_json(owner.at({"replicaRequirements", "resourceRequest"}));
  if (!requests) return std::move(requests).context("resourceRequest");
  requests->multiply(times);
  usage.add(*requests);
  return {};
}

Error quota_exceeded(const Json& quota, std::string_view resource, const Quantity& sum,
                     const Quantity& limit) {
  std::string text = "FederatedResourceQuota(" + key_of(quota).text() + ") exceeded for resource " +
                     std::string(resource) + ": requested sum " + sum.to_string() + ", limit " +
                     limit.to_string() + ".";
  ErrorDetails details;
  details.reason = kQuotaExceeded;
  return Error(Code::Forbidden, std::move(text), std::move(details));
}

Result<Json> with_change(const Json& quota, const ResourceList& change, bool limited) {
  Result<ResourceList> overall = ResourceList::from_json(quota.at({"spec", "overall"}));
  if (!overall) return std::move(overall).error();
  Result<ResourceList> used = ResourceList::from_json(quota.at({"status", "overallUsed"}));
  if (!used) return std::move(used).error();
  bool touched = false;
  for (const auto& [name, limit] : overall->amounts()) {
    Quantity delta = change.amount(name);
    if (delta.is_zero()) continue;
    touched = true;
    Quantity sum = used->amount(name) + delta;
    if (limited && sum > limit) return quota_exceeded(quota, name, sum, limit);
    used->set(name, sum);
  }
  if (!touched) return Json();
  Json charged = quota;
  charged.make({"status", "overallUsed"}) = used->to_json();
  return charged;
}

}  // namespace

Result<ResourceList> quota_usage(const Json& binding_spec) {
  auto clusters = binding_spec["clusters"].elements();
  auto components = binding_spec["components"].elements();
  ResourceList usage;
  if (components.empty()) {
    std::int64_t replicas = 0;
    for (const Json& cluster : clusters) replicas += cluster["replicas"].as_int();
    if (Status added = add_requests(usage, binding_spec, replicas); !added) return std::move(added).error();
    return usage;
  }
  for (const Json& component : components) {
    std::int64_t times = component["replicas"].as_int() * static_cast<std::int64_t>(clusters.size());
    if (Status added = add_requests(usage, component, times); !added) return std::move(added).error();
  }
  return usage;
}

Result<ResourceList> quota_change(const Json& before, const Json& after) {
  Result<ResourceList> change = quota_usage(after);
  if (!change) return change;
  Result<ResourceList> known = quota_usage(before);
  if (!known) return known;
  change->subtract(*known);
  return change;
}

Result<Json> charge_quota(const Json& quota, const ResourceList& change) {
  return with_change(quota, change, true);
}

Result<Json> refund_quota(const Json& quota, const ResourceList& change) {
  ResourceList back;
  back.subtract(change);
  return with_change(quota, back, false);
}

}  // namespace flotilla::api
