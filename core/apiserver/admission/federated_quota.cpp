// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/admission/federated_quota.hpp"

#include "core/api/karmada.hpp"
#include "core/api/quota_usage.hpp"

namespace flotilla::apiserver {
namespace {

using api::Json;
using api::ObjectPtr;
using api::ResourceList;

const store::Collection kQuotas = store::collection_of("policy.karmada.io", "federatedresourcequotas");
constexpr int kConflictTries = 64;

bool is_nothing(const ResourceList& change) {
  for (const auto& [name, amount] : change.amounts()) {
    if (!amount.is_zero()) return false;
  }
  return true;
}

enum class Booking { Charge, Refund };

// One quota's status, again when it changed meanwhile.
Task<Status> book(store::Store& store, api::ObjectKey key, ResourceList change, Booking booking) {
  for (int tries = 1;; ++tries) {
    const ObjectPtr quota = store.get(kQuotas, key.ns, key.name);
    if (!quota) co_return Status();
    const auto content = quota->content();
    auto next = booking == Booking::Charge ? api::charge_quota(*content, change)
                                           : api::refund_quota(*content, change);
    if (!next) co_return std::move(next).error();
    if (next->is_null()) co_return Status();
    auto updating = store.update(kQuotas, *std::move(next), quota->revision(), store::Durability::Derived);
    const auto updated = co_await std::move(updating);
    if (updated) co_return Status();
    if (!updated.error().is(Code::Conflict) || tries == kConflictTries) co_return updated.error();
  }
}

}  // namespace

bool pays_federated_quota(const store::Store& store, std::string_view group, std::string_view resource) {
  return resource == "resourcebindings" && group == api::groups::kWork && store.count(kQuotas) > 0;
}

Task<Status> charge_federated_quotas(store::Store& store, std::string ns, Json before, Json after,
                                     bool dry_run) {
  auto change = api::quota_change(before["spec"], after["spec"]);
  if (!change) co_return std::move(change).context("federated quota");
  if (is_nothing(*change)) co_return Status();
  const auto quotas = store.list(kQuotas, ns).objects;
  for (std::size_t i = 0; i < quotas.size(); ++i) {
    if (dry_run) {
      const auto content = quotas[i]->content();
      if (auto asked = api::charge_quota(*content, *change); !asked) co_return std::move(asked).error();
      continue;
    }
    auto charging = book(store, quotas[i]->key(), *change, Booking::Charge);
    const Status charged = co_await std::move(charging);
    if (charged) continue;
    for (std::size_t paid = 0; paid < i; ++paid) {
      auto refunding = book(store, quotas[paid]->key(), *change, Booking::Refund);
      const Status refunded = co_await std::move(refunding);
      if (!refunded) break;  // the next recalculation finds it
    }
    co_return charged;
  }
  co_return Status();
}

Task<void> refund_federated_quotas(store::Store& store, std::string ns, Json before, Json after) {
  const auto change = api::quota_change(before["spec"], after["spec"]);
  if (!change || is_nothing(*change)) co_return;
  for (const ObjectPtr& quota : store.list(kQuotas, ns).objects) {
    auto refunding = book(store, quota->key(), *change, Booking::Refund);
    const Status refunded = co_await std::move(refunding);
    if (!refunded) co_return;  // the next recalculation finds it
  }
}

}  // namespace flotilla::apiserver
