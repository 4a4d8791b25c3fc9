// SPDX-License-Identifier: Apache-2.0
// The one door through which Works leave clusters: asks why, holds what must not go yet, records the cause in
// the commit that removes. docs/design/guarded-removal.md
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/api/removal_cause.hpp"
#include "core/controllers/controller.hpp"
#include "core/controllers/removal/delete_budget.hpp"
#include "core/controllers/removal/removal_plan.hpp"
#include "core/controllers/world_index.hpp"

namespace flotilla::controllers {

class RemovalGuard {
 public:
  // By cluster, ascending.
  using Holds = std::vector<std::pair<std::string, Hold>>;

  RemovalGuard(Context& context, WorkIndex& works);

  // A Work in a cluster that `binding` does not want any more. Nullopt: it goes or has gone. A hold is
  // written on the Work. Errors: Conflict (the binding has changed meanwhile). Thread: from one strand.
  Task<Result<std::optional<Hold>>> release(BindingScope scope, ObjectPtr binding, ObjectKey work);
  // A Work that somebody asked to remove.
  Task<Status> remove(ObjectKey work, api::RemovalCause cause);
  // The same where somebody else removes it, as garbage collection does: the Work learns why.
  Task<Status> announce(ObjectKey work, api::RemovalCause cause);
  // What would hold the Work in `cluster` were it to go for `cause`, budgets apart. Thread: any.
  std::optional<Hold> hold_of(const BindingScope& scope, const Json& binding, std::string_view cluster,
                              const api::RemovalCause& cause) const;
  // The condition RemovalHeld or EvictionHeld of the binding and the event of that name; no holds take the
  // condition away.
  Task<Status> report(BindingScope scope, ObjectPtr binding, std::string_view condition, Holds holds);

 private:
  struct Account;  // of a policy or a cluster
  bool is_ready(const std::string& cluster) const;
  std::vector<Copy> copies_of(const BindingScope& scope, const Json& binding) const;
  std::string required_by(const Json& binding, std::string_view cluster) const;
  std::optional<Hold> spend(const Json& binding, const std::string& cluster, const api::RemovalCause& cause);
  std::vector<Account> accounts_of(const Json& binding, const std::string& cluster,
                                   const api::RemovalCause& cause);
  std::int64_t works_of_policy(std::string_view label, std::string_view id) const;
  BudgetLimits limits() const;
  // Breakers that had tripped before this daemon started, as events on policies and clusters tell.
  void recall_breakers(WallTime now);

  Context& context_;
  WorkIndex& works_;
  std::map<std::string, DeleteBudget> budgets_;
  bool recalled_ = false;
};

}  // namespace flotilla::controllers
