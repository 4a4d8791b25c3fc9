// SPDX-License-Identifier: Apache-2.0
// From a component of kind flotilla.scheduler/1 to a scheduler::Policy.
#pragma once

#include <memory>

#include "core/base/result.hpp"
#include "core/plugin/instance.hpp"
#include "core/scheduler/policy.hpp"

namespace flotilla::plugin {

// The policy keeps the instance. It is bound at the first table it is shown. Errors: Invalid for a component
// of another kind; Unsupported for one with steps that this host does not hand out yet (prepare, select,
// assign).
Result<std::unique_ptr<scheduler::Policy>> make_scheduler_policy(std::shared_ptr<Instance> instance);

}  // namespace flotilla::plugin
