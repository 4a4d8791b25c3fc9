// SPDX-License-Identifier: Apache-2.0
// The ResourceBinding (ClusterResourceBinding, for cluster-scoped templates) that a template and the policy
// which claims it ask for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/api/feature_gates.hpp"
#include "core/api/json.hpp"
#include "core/base/result.hpp"
#include "core/interpreter/interpreter.hpp"

namespace flotilla::controllers {

// The value of a PriorityClass. Errors: NotFound.
using FindPriorityClass = std::function<Result<std::int64_t>(const std::string& name)>;

// What of spec the interpreter says: replicas and replicaRequirements, or components. Empty where it has no
// say. Errors: what it cannot understand.
Result<api::Json> scale_of(const api::Json& object, const interpreter::Interpreter& interpreter,
                           const api::FeatureGates& gates);

// As it is created. The template need not carry the claim yet. Errors: NotFound, for the priority class;
// Invalid, for a source of priorities that there is none for.
Result<api::Json> build_binding(const api::Json& object, const api::Json& policy, const api::Json& scale,
                                const FindPriorityClass& find_priority_class,
                                const api::FeatureGates& gates = {});
// The same with the scale asked for. Errors: also those of scale_of.
Result<api::Json> build_binding(const api::Json& object, const api::Json& policy,
                                const interpreter::Interpreter& interpreter,
                                const FindPriorityClass& find_priority_class,
                                const api::FeatureGates& gates = {});

// `existing` brought up to `desired`: labels, annotations and finalizers merged, owner replaced, and of spec
// all but what the scheduler and others decide (clusters, gracefulEvictionTasks, requiredBy,
// rescheduleTriggeredAt). Equal to `existing` when nothing is to be written. Errors: Conflict, when
// `existing` still belongs to an earlier template of the same name, which garbage collection has to finish
// first.
Result<api::Json> update_binding(const api::Json& existing, const api::Json& desired);

}  // namespace flotilla::controllers
