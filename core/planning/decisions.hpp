// SPDX-License-Identifier: Apache-2.0
// The decisions about bindings that are kept (core/controllers/decision_keys.hpp), as people and programs
// read them: PlacementDecision of flotilla.io/v1alpha1 for ResourceBindings, ClusterPlacementDecision for
// ClusterResourceBindings. They are not stored as objects: docs/design/decision-record.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/api/schema/registry.hpp"
#include "core/planning/sources.hpp"
#include "core/scheduler/decision_record.hpp"

namespace flotilla::planning {

struct KeptDecision {
  scheduler::DecisionRecord record;
  Revision revision;  // of the commit that wrote it, and its binding
};

// Those of one binding, oldest first.
struct Decisions {
  ObjectPtr binding;
  std::vector<KeptDecision> kept;
  std::shared_ptr<const std::vector<std::string>> names;

  std::string name(scheduler::NameNumber number) const {
    return number < names->size() ? (*names)[number] : "unknown-" + std::to_string(number);
  }
};
using DecisionsPtr = std::shared_ptr<const Decisions>;

// Waits until storage has what memory knows. What cannot be read is left out and logged.
// Errors: of the storage.
Task<Result<DecisionsPtr>> read_decisions(store::Store* store, ObjectPtr binding);

// "0/5", top reasons first: {policy, reason, count, clusters}.
Json verdicts_to_json(const Decisions& decisions, const scheduler::DecisionRecord& record,
                      bool with_clusters);
// The object. Without `whole`: what a list shows, no word about single clusters but the targets.
Json decision_to_json(const Decisions& decisions, const KeptDecision& decision, bool whole);
// What is otherwise between two decisions, inputs and outcome: {from, to, inputs: [...], clusters: [...]}.
Json decision_changes(const Decisions& decisions, const KeptDecision& from, const KeptDecision& to);

// placementdecisions and clusterplacementdecisions: get and list.
std::vector<api::ResourcePtr> decision_resources();
// What an object of theirs looks like, as a CustomResourceDefinition would say it.
Json decision_schema();

struct DecisionQuery {
  std::string resource, ns, name;
  std::string binding;  // of this one alone; empty: of all
  std::size_t limit = 0;
  std::string from;  // metadata.continue of the page before
};
// GET and LIST. Errors: NotFound.
Task<Result<Json>> answer_decisions(store::Store* store, DecisionQuery query);

}  // namespace flotilla::planning
