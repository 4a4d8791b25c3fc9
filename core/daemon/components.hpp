// SPDX-License-Identifier: Apache-2.0
// What the daemon takes from its plugins: one storage backend, every driver, every override rule and every
// scheduling policy there is.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/cluster/cluster_driver.hpp"
#include "core/config/settings.hpp"
#include "core/overrides/rule_registry.hpp"
#include "core/plugin/registry.hpp"
#include "core/scheduler/policy.hpp"
#include "core/store/storage_backend.hpp"

namespace flotilla::daemon {

// Errors: what the plugin or its configuration says. `state_dir` is where it may write.
Result<std::unique_ptr<store::StorageBackend>> make_storage(const plugin::Registry& plugins,
                                                            const config::Settings& settings,
                                                            const std::string& state_dir);

// A component that cannot be used is left out and logged: the daemon serves on.
struct FleetComponents {
  std::vector<std::shared_ptr<plugin::Instance>> instances;  // started, to be stopped
  std::vector<std::shared_ptr<cluster::ClusterDriver>> drivers;
  overrides::RuleRegistry rules;
  scheduler::Policies policies;
};
// Instances of the scheduling policies alone, added to `instances`: a second set beside the scheduler's.
scheduler::Policies make_scheduling_policies(const plugin::Registry& plugins,
                                             std::vector<std::shared_ptr<plugin::Instance>>& instances);
// From a thread that may block.
Result<FleetComponents> make_fleet_components(const plugin::Registry& plugins);

}  // namespace flotilla::daemon
