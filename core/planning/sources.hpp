// SPDX-License-Identifier: Apache-2.0
// The room that answers questions about the fleet without changing it: what would a change do (plan), what is
// sent where and who wrote which line (render), what differs (diff), why is it so (why), how did it come
// about (timeline).
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "core/api/schema/registry.hpp"
#include "core/cluster/registry.hpp"
#include "core/controllers/all.hpp"
#include "core/interpreter/interpreter.hpp"
#include "core/overrides/rule_registry.hpp"
#include "core/scheduler/policy.hpp"
#include "core/store/writer.hpp"

namespace flotilla::planning {

using api::Json;
using api::ObjectKey;
using api::ObjectPtr;
using store::Collection;
using store::StoredKind;

// What the daemon has and this room looks at. Everything outlives it.
struct Sources {
  const Executor& executor;
  store::Store& store;
  const interpreter::Interpreter& interpreter;
  cluster::ClusterRegistry& clusters;
  // Not those of the scheduler that is at work: policies take one decision at a time.
  scheduler::Policies& policies;
  const overrides::RuleRegistry& rules;
  std::function<std::shared_ptr<const api::Registry>()> resources;
  controllers::Options options;
  const controllers::ControllerSet& controllers;
  // Karmada's admission over another store: that of a rehearsal.
  std::function<store::Admission(const store::Store&, const Clock&)> admission;
  const std::atomic<bool>* stopping = nullptr;        // set: give up
  controllers::Interpreters* interpreters = nullptr;  // where scripts and webhooks are asked

  std::vector<controllers::NamedPolicies> further_schedulers = {};

  ObjectPtr get(const StoredKind& kind, const ObjectKey& key) const {
    return store.get(kind.collection(), key.ns, key.name);
  }
};

}  // namespace flotilla::planning
