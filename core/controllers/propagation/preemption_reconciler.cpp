// SPDX-License-Identifier: Apache-2.0
// What the detector does for policies that preempt others (gate PropagationPolicyPreemption).
#include <algorithm>

#include "core/controllers/propagation/detector_reconciler.hpp"

namespace flotilla::controllers {
namespace {

std::string title_of(const Claim& claim) {
  return claim.by_cluster_policy() ? "cluster propagation policy(" + claim.name + ")"
                                   : "propagation policy(" + claim.name_space + "/" + claim.name + ")";
}

std::string capitalised(std::string text) {
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

}  // namespace

// A policy that has become less important may lose templates to those between its old and its new priority,
// the most important first.
void DetectorReconciler::wake_preempting(const ClaimingPolicy& before, const ClaimingPolicy& after) {
  if (before.priority() <= after.priority()) return;
  std::vector<PolicyPtr> between;
  const auto policies = policies_.in(after.name_space());
  for (const PolicyPtr& policy : *policies) {
    if (policy->preempts() && policy->priority() > after.priority() && policy->priority() < before.priority())
      between.push_back(policy);
  }
  std::stable_sort(between.begin(), between.end(),
                   [](const PolicyPtr& a, const PolicyPtr& b) { return a->priority() > b->priority(); });
  const StoredKind& kind =
      after.cluster_scoped() ? kinds::kClusterPropagationPolicy : kinds::kPropagationPolicy;
  for (const PolicyPtr& policy : between) {
    loop_.enqueue({kind.collection(), {policy->name_space(), policy->name()}});
  }
}

// Each selector on its own: what fails for one does not hold up the others.
Task<Status> DetectorReconciler::preempt(PolicyPtr policy) {
  Status all;
  for (const api::ResourceSelector& selector : policy->selectors()) {
    auto one = preempt_one(policy, selector);
    Status done = co_await std::move(one);
    if (!done) all = std::move(done);
  }
  co_return all;
}

// The template by the selector's name (admission demands one), if it is claimed by a weaker policy.
Task<Status> DetectorReconciler::preempt_one(PolicyPtr policy, api::ResourceSelector selector) {
  if (selector.name().empty()) co_return Status();
  const auto kind = stored_kind(context_, api::Gvk::from(selector.api_version(), selector.kind()));
  if (!kind) co_return Status();
  const std::string& ns = policy->cluster_scoped() ? selector.name_space() : policy->name_space();
  const ObjectPtr object = context_.get(*kind, {kind->namespaced ? ns : "", selector.name()});
  if (!object || object->deleting()) co_return Status();
  const auto content = object->content();
  std::vector<PolicyPtr> found;  // keeps alive what find answers
  const auto find = [&](const std::string& name_space, const std::string& name) {
    found.push_back(policies_.find({name_space, name}));
    return found.back().get();
  };
  const auto takes = preempts(*policy, *content, find);
  if (!takes) co_return takes.error();
  if (!*takes) co_return Status();

  const auto held = claim_on(*content);
  auto claiming = claim_template(*kind, object->key(), policy->claim());
  const auto claimed = co_await std::move(claiming);
  counter_in(context_.metrics, "policy_preemption_total", "Templates taken from another policy.",
             {{"result", claimed.ok() ? "success" : "error"}})
      ->add();
  const std::string winner = capitalised(title_of(policy->claim()));
  if (!claimed) {
    context_.events.record(
        *content, reconcile::kWarning, "PreemptPolicyFailed",
        winner + " failed to preempt " + title_of(*held) + ": " + claimed.error().message());
    co_return claimed.error();
  }
  context_.events.record(*content, reconcile::kNormal, "PreemptPolicySucceed",
                         winner + " preempted " + title_of(*held) + " successfully");
  co_return Status();
}

}  // namespace flotilla::controllers
