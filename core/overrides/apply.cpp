// SPDX-License-Identifier: Apache-2.0
#include "core/overrides/apply.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace flotilla::overrides {
namespace {

using api::Json;
using Indexes = std::vector<std::uint32_t>;

struct Contribution {
  const CompiledPolicy* policy;
  const ClusterRule* rule;
};

std::vector<const CompiledPolicy*> in_order(const Json& manifest, Policies policies) {
  std::vector<std::pair<api::MatchPrecision, const CompiledPolicy*>> matches;
  for (const auto& policy : policies) {
    const api::MatchPrecision precision = policy->match(manifest);
    if (precision != api::MatchPrecision::None) matches.emplace_back(precision, policy.get());
  }
  std::sort(matches.begin(), matches.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first, a.second->name()) < std::tie(b.first, b.second->name());
  });
  std::vector<const CompiledPolicy*> ordered;
  for (const auto& match : matches) ordered.push_back(match.second);
  return ordered;
}

Status check_identity(const Json& before, const Json& after) {
  const auto same = [&](std::initializer_list<std::string_view> path) {
    return before.at(path) == after.at(path);
  };
  if (same({"apiVersion"}) && same({"kind"}) && same({"metadata", "name"}) &&
      same({"metadata", "namespace"})) {
    return {};
  }
  return invalid("an override must not change apiVersion, kind, metadata.name or metadata.namespace");
}

Result<Json> patched(const Json& manifest, const PatchGroup& group) {
  Json result = manifest;
  switch (group.kind) {
    case PatchGroup::Kind::JsonPatch:
      if (Status applied = result.apply_json_patch(group.patch); !applied) return std::move(applied).error();
      break;
    case PatchGroup::Kind::MergePatch:
      result.apply_merge_patch(group.patch);
      break;
    case PatchGroup::Kind::Full:
      result = group.patch;
      break;
  }
  if (Status checked = check_identity(manifest, result); !checked) return std::move(checked).error();
  return result;
}

// Runs one phase (cluster policies, or those of the namespace) over what the phase before left.
class Phase {
 public:
  Phase(std::span<const Target> targets, Json Outcome::*record, const StepWitness& witness, Overridden& out)
      : targets_(targets), record_(record), witness_(witness), out_(out) {}

  void run(Outcome start, Policies policies) {
    const std::vector<const CompiledPolicy*> ordered = in_order(start.manifest, policies);
    if (ordered.empty()) return out_.outcomes.push_back(std::move(start));
    // Clusters that the same rules mean go on together.
    std::map<std::vector<bool>, Indexes> alike;
    for (const std::uint32_t target : start.targets) alike[meant(ordered, target)].push_back(target);
    for (auto& [signature, members] : alike) {
      Outcome branch{start.manifest, std::move(members), start.applied_cluster_overrides,
                     start.applied_overrides};
      apply(std::move(branch), contributions(ordered, signature), 0, 0);
    }
  }

 private:
  std::vector<bool> meant(const std::vector<const CompiledPolicy*>& policies, std::uint32_t target) const {
    std::vector<bool> signature;
    for (const CompiledPolicy* policy : policies) {
      for (const ClusterRule& rule : policy->rules())
        signature.push_back(rule.means(*targets_[target].cluster));
    }
    return signature;
  }

  static std::vector<Contribution> contributions(const std::vector<const CompiledPolicy*>& policies,
                                                 const std::vector<bool>& signature) {
    std::vector<Contribution> list;
    std::size_t bit = 0;
    for (const CompiledPolicy* policy : policies) {
      for (const ClusterRule& rule : policy->rules()) {
        if (signature[bit++]) list.push_back({policy, &rule});
      }
    }
    return list;
  }

  // Applies what is left from step `step` of contribution `at`; branches where a rule tells clusters apart.
  void apply(Outcome branch, const std::vector<Contribution>& list, std::size_t at, std::size_t step) {
    for (; at < list.size(); ++at, step = 0) {
      const auto& [policy, rule] = list[at];
      if (rule->fault) return fail(std::move(branch), *rule->fault, list[at], {});
      for (; step < rule->steps.size(); ++step) {
        auto groups = ask(*rule->steps[step], branch);
        if (!groups) return retry_apart(std::move(branch), std::move(groups).error(), list, at, step);
        if (split(branch, *groups, list, at, step)) return;
      }
      note(branch.*record_, *policy, *rule);
    }
    out_.outcomes.push_back(std::move(branch));
  }

  // By the names of the policies, whatever the order they applied in; rules of one policy in theirs.
  static void note(Json& record, const CompiledPolicy& policy, const ClusterRule& rule) {
    const auto later = [&](const Json& entry) { return entry["policyName"].as_string() > policy.name(); };
    const auto entries = record.elements();
    const auto place = std::find_if(entries.begin(), entries.end(), later) - entries.begin();
    record.insert_at(static_cast<std::size_t>(place),
                     Json::object({{"policyName", policy.name()}, {"overriders", rule.overriders}}));
  }

  // Groups in the indexes of all targets.
  Result<std::vector<PatchGroup>> ask(const Rule& rule, const Outcome& branch) const {
    std::vector<Target> asked;
    for (const std::uint32_t target : branch.targets) asked.push_back(targets_[target]);
    auto groups = rule.apply(branch.manifest, asked);
    if (!groups) return groups;
    std::vector<bool> seen(asked.size());
    for (PatchGroup& group : *groups) {
      for (std::uint32_t& target : group.targets) {
        if (target >= asked.size() || seen[target])
          return internal("an override rule answered for a wrong cluster");
        seen[target] = true;
        target = branch.targets[target];
      }
    }
    return groups;
  }

  // Patches the branch in place where all its targets get the same; else goes on with each part and says so.
  bool split(Outcome& branch, const std::vector<PatchGroup>& groups, const std::vector<Contribution>& list,
             std::size_t at, std::size_t step) {
    Indexes rest = branch.targets;
    bool branched = false;
    for (const PatchGroup& group : groups) {
      if (group.targets.empty()) continue;
      auto manifest = patched(branch.manifest, group);
      const bool whole = group.targets.size() == branch.targets.size();
      if (manifest) tell(list[at], step, group.targets, branch.manifest, *manifest);
      if (whole && manifest) {
        branch.manifest = std::move(*manifest);
        return false;
      }
      branched = true;
      std::erase_if(rest, [&](std::uint32_t target) {
        return std::find(group.targets.begin(), group.targets.end(), target) != group.targets.end();
      });
      if (!manifest) {
        fail({branch.manifest, group.targets, {}, {}}, std::move(manifest).error(), list[at],
             list[at].rule->fields[step]);
        continue;
      }
      apply({std::move(*manifest), group.targets, branch.applied_cluster_overrides, branch.applied_overrides},
            list, at, step + 1);
    }
    if (!branched) return false;
    if (!rest.empty()) {
      branch.targets = std::move(rest);
      apply(std::move(branch), list, at, step + 1);
    }
    return true;
  }

  void tell(const Contribution& by, std::size_t step, const Indexes& targets, const Json& before,
            const Json& after) const {
    if (!witness_) return;
    const auto rule = static_cast<std::size_t>(by.rule - by.policy->rules().data());
    witness_({*by.policy, rule, by.rule->fields[step], targets, before, after});
  }

  // A rule that fails for one cluster must not take the others with it.
  void retry_apart(Outcome branch, Error error, const std::vector<Contribution>& list, std::size_t at,
                   std::size_t step) {
    if (branch.targets.size() == 1)
      return fail(std::move(branch), std::move(error), list[at], list[at].rule->fields[step]);
    for (const std::uint32_t target : branch.targets) {
      apply({branch.manifest, {target}, branch.applied_cluster_overrides, branch.applied_overrides}, list, at,
            step);
    }
  }

  // Who reads it has to find the rule and the object.
  void fail(Outcome branch, Error error, const Contribution& by, std::string_view field) {
    const Json& manifest = branch.manifest;
    const std::string_view ns = manifest.at({"metadata", "namespace"}).as_string();
    std::string place(manifest["kind"].as_string());
    place += ' ' + (ns.empty() ? "" : std::string(ns) + "/") +
             std::string(manifest.at({"metadata", "name"}).as_string()) + ": ";
    const std::string& home = by.policy->name_space();
    place += home.empty() ? "ClusterOverridePolicy " : "OverridePolicy " + home + "/";
    place += by.policy->name() + ": " + by.rule->place;
    if (!field.empty()) place += "." + std::string(field);
    out_.failures.push_back({std::move(branch.targets), std::move(error).context(place)});
  }

  std::span<const Target> targets_;
  Json Outcome::*record_;
  const StepWitness& witness_;
  Overridden& out_;
};

}  // namespace

Overridden apply_overrides(const Json& manifest, std::span<const Target> targets, Policies cluster_policies,
                           Policies policies, const StepWitness& witness) {
  Outcome start{manifest, {}, {}, {}};
  for (std::uint32_t i = 0; i < targets.size(); ++i) start.targets.push_back(i);
  Overridden first;
  Phase(targets, &Outcome::applied_cluster_overrides, witness, first).run(std::move(start), cluster_policies);

  const std::string_view name_space = manifest.at({"metadata", "namespace"}).as_string();
  if (name_space.empty() || policies.empty()) return first;
  std::vector<std::shared_ptr<const CompiledPolicy>> local;
  for (const auto& policy : policies) {
    if (policy->name_space() == name_space) local.push_back(policy);
  }
  Overridden second;
  second.failures = std::move(first.failures);
  Phase phase(targets, &Outcome::applied_overrides, witness, second);
  for (Outcome& outcome : first.outcomes) phase.run(std::move(outcome), local);
  return second;
}

}  // namespace flotilla::overrides
