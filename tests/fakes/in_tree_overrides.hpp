// SPDX-License-Identifier: Apache-2.0
// The override rules of plugins/override, linked in and adopted: what the daemon has after loading them,
// without a daemon and without loading.
#pragma once

#include "core/overrides/rule_registry.hpp"

namespace flotilla::fakes {

// Made once per process.
const overrides::RuleRegistry& in_tree_overrides();

}  // namespace flotilla::fakes
