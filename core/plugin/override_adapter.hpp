// SPDX-License-Identifier: Apache-2.0
// A plugin component of kind flotilla.override/1 (sdk/include/flotilla/abi/override.h) as a rule kind.
#pragma once

#include <memory>

#include "core/base/result.hpp"
#include "core/overrides/rule.hpp"
#include "core/plugin/instance.hpp"

namespace flotilla::plugin {

// Errors: Invalid, when the component is of another kind or lacks a function.
Result<std::shared_ptr<const overrides::RuleKind>> adapt_override(std::shared_ptr<Instance> instance);

}  // namespace flotilla::plugin
