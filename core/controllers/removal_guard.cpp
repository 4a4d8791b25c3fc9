// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/removal_guard.hpp"

#include <algorithm>
#include <utility>

#include "core/api/binding.hpp"
#include "core/api/conditions.hpp"
#include "core/api/names.hpp"
#include "core/cluster/registry.hpp"
#include "core/controllers/facts.hpp"
#include "core/controllers/templates.hpp"

namespace flotilla::controllers {
namespace {

constexpr std::size_t kManyBudgets = 4096;

// Whom a binding's placement comes from; kind null: nobody.
struct PolicyRef {
  const StoredKind* kind = nullptr;
  ObjectKey key;
  std::string_view label;  // that holds its permanent id
};

PolicyRef policy_of(const Json& binding) {
  namespace a = api::annotations;
  if (!api::label_of(binding, api::labels::kPropagationPolicyId).empty()) {
    return {&kinds::kPropagationPolicy,
            {std::string(api::annotation_of(binding, a::kPropagationPolicyNamespace)),
             std::string(api::annotation_of(binding, a::kPropagationPolicyName))},
            api::labels::kPropagationPolicyId};
  }
  if (!api::label_of(binding, api::labels::kClusterPropagationPolicyId).empty()) {
    return {&kinds::kClusterPropagationPolicy,
            {"", std::string(api::annotation_of(binding, a::kClusterPropagationPolicyName))},
            api::labels::kClusterPropagationPolicyId};
  }
  return {};
}

std::string text_of(const RemovalGuard::Holds& holds) {
  std::string text;
  for (const auto& [cluster, hold] : holds) text += (text.empty() ? "" : "; ") + cluster + ": " + hold.text();
  return text;
}

// False: the status says so already.
bool set_held(Json& conditions, std::string_view type, const RemovalGuard::Holds& holds, WallTime now) {
  if (!holds.empty()) {
    const std::string message = text_of(holds);
    return api::set_condition(conditions, {type, "True", holds.front().second.reason, message}, now);
  }
  const auto all = std::as_const(conditions).elements();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i]["type"].as_string() != type) continue;
    conditions.erase_at(i);
    return true;
  }
  return false;
}

constexpr const char *kTripped = "RemovalBreakerTripped", *kReset = "RemovalBreakerReset";

}  // namespace

struct RemovalGuard::Account {
  std::string name;  // "policy default/web", "cluster member1"
  ObjectPtr owner;   // whose annotation closes the breaker; null: gone
  std::function<std::int64_t()> works_left;
};

RemovalGuard::RemovalGuard(Context& context, WorkIndex& works) : context_(context), works_(works) {}

Task<Result<std::optional<Hold>>> RemovalGuard::release(BindingScope scope, ObjectPtr binding,
                                                        ObjectKey work_key) {
  using Answer = Result<std::optional<Hold>>;
  const ObjectPtr current = context_.get(scope.kind, binding->key());
  if (!current || current->generation() != binding->generation())
    co_return Answer(Error(Code::Conflict, "the binding has changed since its Works were looked at"));
  const ObjectPtr work = context_.get(kinds::kWork, work_key);
  const auto named = api::cluster_of_execution_namespace(work_key.ns);
  if (!work || work->deleting() || !named) co_return Answer(std::nullopt);
  const std::string cluster = *named;
  const auto content = current->content();
  const ObjectPtr cluster_object = context_.get(kinds::kCluster, {"", cluster});
  const auto cluster_content = cluster_object ? cluster_object->content() : nullptr;
  api::RemovalCause cause = removal_cause(*content, cluster, cluster_content.get(), context_.now());
  const auto known = api::removal_cause_of_work(*work->content());
  if (known && known->reason == cause.reason) cause.since = known->since;

  std::optional<Hold> hold = hold_of(scope, *content, cluster, cause);
  if (!hold) hold = spend(*content, cluster, cause);
  if (hold) {
    cause.held = hold->text();
    if (!known || !(to_json(*known) == to_json(cause))) {
      auto noting = announce(work_key, cause);
      const Status noted = co_await std::move(noting);
      if (!noted) co_return Answer(noted.error());
    }
    co_return Answer(std::move(hold));
  }
  const std::string text = cause.text();
  auto removing = remove(work_key, std::move(cause));
  const Status removed = co_await std::move(removing);
  if (!removed) co_return Answer(removed.error());
  context_.events.record(*content, reconcile::kNormal, "WorkRemoved",
                         "Work of cluster(" + cluster + ") is removed: " + text);
  co_return Answer(std::nullopt);
}

Task<Status> RemovalGuard::remove(ObjectKey work, api::RemovalCause cause) {
  store::DeleteOptions options;
  options.propagation = "Background";
  cause.held.clear();
  options.annotations.emplace_back(api::annotations::kRemovalCause, to_json(cause).dump());
  auto removing = context_.writer.remove(kinds::kWork, std::move(work), std::move(options));
  const auto removed = co_await std::move(removing);
  if (!removed && !removed.error().is(Code::NotFound)) co_return removed.error();
  co_return Status();
}

std::optional<Hold> RemovalGuard::hold_of(const BindingScope& scope, const Json& binding,
                                          std::string_view cluster, const api::RemovalCause& cause) const {
  if (api::is_asked_for(cause.reason)) return std::nullopt;
  const std::vector<Copy> copies = copies_of(scope, binding);
  const RemovalView view{cause,
                         cluster,
                         copies,
                         !api::targets_of(binding).empty(),
                         context_.informers.synced(),
                         required_by(binding, cluster),
                         context_.options.removal_undo_window};
  return hold_removal(view, context_.now());
}

// What a cluster said before this daemon started may not be so any more: it has to have answered since.
bool RemovalGuard::is_ready(const std::string& name) const {
  const ObjectPtr cluster = context_.get(kinds::kCluster, {"", name});
  if (!cluster || cluster->deleting()) return false;
  const auto content = cluster->content();
  if (!api::is_condition_true((*content)["status"]["conditions"], api::conditions::kReady)) return false;
  if ((*content)["spec"]["syncMode"].as_string() == "Pull") return true;  // its agent speaks for it
  const auto member = context_.clusters.find(name);
  return member && member->discovery();
}

std::vector<Copy> RemovalGuard::copies_of(const BindingScope& scope, const Json& binding) const {
  std::vector<Copy> copies;
  const auto targets = api::targets_of(binding);
  for (const ObjectKey& key : works_.of(scope, api::label_of(binding, scope.id_label))) {
    const ObjectPtr work = context_.get(kinds::kWork, key);
    const auto name = api::cluster_of_execution_namespace(key.ns);
    if (!work || work->deleting() || !name) continue;
    const bool wanted = std::any_of(targets.begin(), targets.end(),
                                    [&](const api::TargetCluster& target) { return target.name == *name; });
    copies.push_back(copy_of(*work->content(), *name, wanted, is_ready(*name)));
  }
  return copies;
}

// The binding that this one is there for and that still has a Work in the cluster.
std::string RemovalGuard::required_by(const Json& binding, std::string_view cluster) const {
  const std::string space = api::execution_namespace(cluster);
  for (const Json& one : binding["spec"]["requiredBy"].elements()) {
    const ObjectPtr independent =
        context_.get(kinds::kResourceBinding,
                     {std::string(one["namespace"].as_string()), std::string(one["name"].as_string())});
    if (!independent) continue;
    const std::string* id = independent->labels().find(api::labels::kResourceBindingId);
    if (id == nullptr) continue;
    for (const ObjectKey& key : works_.of(kNamespacedScope, *id)) {
      if (key.ns != space) continue;
      const ObjectPtr work = context_.get(kinds::kWork, key);
      if (work && !work->deleting()) return independent->key().text();
    }
  }
  return {};
}

BudgetLimits RemovalGuard::limits() const {
  const Options& options = context_.options;
  return {options.removal_budget, options.removal_budget_share, options.removal_budget_window};
}

// A person's edit of a policy counts against the policy, not against the clusters it leaves.
std::vector<RemovalGuard::Account> RemovalGuard::accounts_of(const Json& binding, const std::string& cluster,
                                                             const api::RemovalCause& cause) {
  std::vector<Account> accounts;
  if (const PolicyRef policy = policy_of(binding); policy.kind != nullptr) {
    const std::string id(api::label_of(binding, policy.label));
    accounts.push_back({"policy " + policy.key.text(), context_.get(*policy.kind, policy.key),
                        [this, label = policy.label, id] { return works_of_policy(label, id); }});
  }
  if (cause.reason != api::RemovalReason::PlacementChanged) {
    const auto works_left = [this, cluster] {
      const auto works =
          context_.store.list(kinds::kWork.collection(), api::execution_namespace(cluster)).objects;
      return static_cast<std::int64_t>(
          std::count_if(works.begin(), works.end(), [](const ObjectPtr& work) { return !work->deleting(); }));
    };
    accounts.push_back({"cluster " + cluster, context_.get(kinds::kCluster, {"", cluster}), works_left});
  }
  return accounts;
}

std::int64_t RemovalGuard::works_of_policy(std::string_view label, std::string_view id) const {
  std::int64_t works = 0;
  for (const BindingScope* scope : {&kNamespacedScope, &kClusterScope}) {
    for (const ObjectPtr& binding : context_.store.list(scope->kind.collection()).objects) {
      const std::string* claimed = binding->labels().find(label);
      const std::string* own = binding->labels().find(scope->id_label);
      if (claimed == nullptr || *claimed != id || own == nullptr) continue;
      for (const ObjectKey& key : works_.of(*scope, *own)) {
        const ObjectPtr work = context_.get(kinds::kWork, key);
        if (work && !work->deleting()) ++works;
      }
    }
  }
  return works;
}

std::optional<Hold> RemovalGuard::spend(const Json& binding, const std::string& cluster,
                                        const api::RemovalCause& cause) {
  const BudgetLimits limits = this->limits();
  if (api::is_asked_for(cause.reason) || limits.removals <= 0) return std::nullopt;
  const WallTime now = context_.now();
  if (!std::exchange(recalled_, true)) recall_breakers(now);
  if (budgets_.size() > kManyBudgets) {
    std::erase_if(budgets_, [&](const auto& one) { return one.second.is_idle(limits, now); });
  }
  const std::vector<Account> accounts = accounts_of(binding, cluster, cause);
  for (const Account& account : accounts) {
    std::shared_ptr<const Json> owner = account.owner ? account.owner->content() : nullptr;
    const std::string_view reset =
        owner ? api::annotation_of(*owner, api::annotations::kResetRemovalBreaker) : std::string_view();
    const DeleteBudget::Answer answer = budgets_[account.name].ask(limits, reset, account.works_left, now);
    if (answer.closed_now && owner) {
      context_.events.record(*owner, reconcile::kNormal, kReset,
                             "removals of " + account.name + " go on: its annotation changed");
    }
    if (answer.allowed) continue;
    const std::string message = "removals of " + account.name + " are held until " +
                                format_time(now + answer.left) + " or until its annotation " +
                                std::string(api::annotations::kResetRemovalBreaker) + " changes";
    if (answer.tripped_now && owner) {
      context_.events.record(*owner, reconcile::kWarning, kTripped,
                             "more than " + std::to_string(limits.removals) + " removals within " +
                                 format_duration(limits.window) + ": " + message);
    }
    return Hold{"BudgetSpent", message, std::min<Duration>(answer.left, std::chrono::seconds(5))};
  }
  for (const Account& account : accounts) budgets_[account.name].spend(now);
  return std::nullopt;
}

void RemovalGuard::recall_breakers(WallTime now) {
  struct Word {
    WallTime at;
    bool tripped = false;
    std::string reset;
  };
  std::map<std::string, Word> last;
  for (const ObjectPtr& event : context_.store.list(store::collection_of("", "events")).objects) {
    if (!mentions(*event, "\"RemovalBreaker")) continue;
    const auto content = event->content();
    const std::string_view reason = (*content)["reason"].as_string();
    const auto at = parse_time((*content)["lastTimestamp"].as_string());
    if (!at || *at + limits().window <= now || (reason != kTripped && reason != kReset)) continue;
    const Json& about = (*content)["involvedObject"];
    const ObjectKey key{std::string(about["namespace"].as_string()), std::string(about["name"].as_string())};
    const bool cluster = about["kind"].as_string() == "Cluster";
    const StoredKind& kind = cluster          ? kinds::kCluster
                             : key.ns.empty() ? kinds::kClusterPropagationPolicy
                                              : kinds::kPropagationPolicy;
    const ObjectPtr owner = context_.get(kind, key);
    if (!owner) continue;
    Word& word = last[(cluster ? "cluster " : "policy ") + key.text()];
    if (word.at > *at) continue;
    word = {*at, reason == kTripped,
            std::string(api::annotation_of(*owner->content(), api::annotations::kResetRemovalBreaker))};
  }
  for (const auto& [name, word] : last) {
    if (word.tripped) budgets_[name].remember_trip(word.at, word.reset);
  }
}

Task<Status> RemovalGuard::announce(ObjectKey work, api::RemovalCause cause) {
  const std::string text = to_json(cause).dump();
  auto noting =
      context_.writer.modify(kinds::kWork, Part::Main, std::move(work), [text](Json& object) -> Result<bool> {
        if (api::annotation_of(object, api::annotations::kRemovalCause) == text) return false;
        object.make({"metadata", "annotations", api::annotations::kRemovalCause}) = text;
        return true;
      });
  const auto noted = co_await std::move(noting);
  if (!noted && !noted.error().is(Code::NotFound)) co_return noted.error();
  co_return Status();
}

Task<Status> RemovalGuard::report(BindingScope scope, ObjectPtr binding, std::string_view condition,
                                  Holds holds) {
  const auto content = binding->content();
  const WallTime now = context_.now();
  Json probe = (*content)["status"]["conditions"];
  if (!set_held(probe, condition, holds, now)) co_return Status();
  const auto wanted = std::make_shared<const Holds>(std::move(holds));
  auto writing = context_.writer.modify(
      scope.kind, Part::Status, binding->key(), [wanted, condition, now](Json& object) -> Result<bool> {
        return set_held(object.make({"status", "conditions"}), condition, *wanted, now);
      });
  const auto written = co_await std::move(writing);
  if (!written) co_return written.error().is(Code::NotFound) ? Status() : Status(written.error());
  if (wanted->empty()) co_return Status();
  const std::string text = text_of(*wanted);
  context_.events.record(*content, reconcile::kWarning, condition, text);
  context_.events.record(template_reference(*content), reconcile::kWarning, condition, text);
  co_return Status();
}

}  // namespace flotilla::controllers
