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

// As it is created. The template need not carry the claim yet. Errors: what the interpreter cannot
// understand; NotFound, for the priority class; Invalid, for a source of priorities that there is none for.
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
