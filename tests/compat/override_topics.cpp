// SPDX-License-Identifier: Apache-2.0
// overrides: what a manifest becomes for one cluster.
#include "core/overrides/apply.hpp"
#include "tests/compat/topic.hpp"
#include "tests/fakes/in_tree_overrides.hpp"

namespace flotilla::compat {
namespace {

using api::Json;

std::vector<std::shared_ptr<const overrides::CompiledPolicy>> compiled(const Json& list) {
  std::vector<std::shared_ptr<const overrides::CompiledPolicy>> policies;
  for (const Json& policy : list.elements()) {
    policies.push_back(std::make_shared<overrides::CompiledPolicy>(policy, fakes::in_tree_overrides()));
  }
  return policies;
}

Json answer_overrides(const Json& input) {
  const overrides::Target target{&input["cluster"], {}};
  overrides::Overridden done =
      overrides::apply_overrides(input["template"], {&target, 1}, compiled(input["clusterOverridePolicies"]),
                                 compiled(input["overridePolicies"]));
  if (!done.failures.empty()) {
    return Json::object({{"error", Json::object({{"message", done.failures[0].error.message()}})}});
  }
  overrides::Outcome& outcome = done.outcomes.at(0);
  return Json::object({{"object", std::move(outcome.manifest)},
                       {"appliedClusterOverrides", std::move(outcome.applied_cluster_overrides)},
                       {"appliedOverrides", std::move(outcome.applied_overrides)}});
}

constexpr Topic kTopics[] = {{"overrides", answer_overrides}};

}  // namespace

std::span<const Topic> override_topics() {
  return kTopics;
}

}  // namespace flotilla::compat
