// SPDX-License-Identifier: Apache-2.0
// What the daemon takes from its plugins: one storage backend, every driver, every override rule, and of
// the scheduling policies those that its schedulers ask.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/cluster/cluster_driver.hpp"
#include "core/cluster/replica_estimator.hpp"
#include "core/config/settings.hpp"
#include "core/controllers/scheduler_profiles.hpp"
#include "core/overrides/rule_registry.hpp"
#include "core/plugin/registry.hpp"
#include "core/plugin/scheduler_adapter.hpp"
#include "core/scheduler/policy.hpp"
#include "core/store/storage_backend.hpp"

namespace flotilla::daemon {

// For the whole process.
void apply_log_settings(const config::LogSettings& settings);

// Errors: what the plugin or its configuration says. `state_dir` is where it may write.
Result<std::unique_ptr<store::StorageBackend>> make_storage(const plugin::Registry& plugins,
                                                            const config::Settings& settings,
                                                            const std::string& state_dir);

// What one scheduler asks.
struct NamedPolicySet {
  std::string name;
  scheduler::Policies policies;
};

// A component that cannot be used is left out and logged: the daemon serves on.
struct FleetComponents {
  std::vector<std::shared_ptr<plugin::Instance>> instances;  // started, to be stopped
  std::vector<std::shared_ptr<cluster::ClusterDriver>> drivers;
  overrides::RuleRegistry rules;
  std::vector<std::shared_ptr<cluster::ReplicaEstimator>> estimators;  // that have to be asked
  // Per scheduler, the one of the setting controllers.scheduler_name first.
  std::vector<std::unique_ptr<NamedPolicySet>> schedulers;
};
// Instances of the scheduling policies alone, added to `instances`: a set of its own per profile.
Result<std::vector<std::unique_ptr<NamedPolicySet>>> make_schedulers(
    const plugin::Registry& plugins, const std::vector<controllers::SchedulerProfile>& profiles,
    const plugin::SchedulerPolicyLimits& limits, std::vector<std::shared_ptr<plugin::Instance>>& instances);
// All estimators that are installed, unless controllers.enable_scheduler_estimator is off or says so of one.
std::vector<std::shared_ptr<cluster::ReplicaEstimator>> make_estimators(
    const plugin::Registry& plugins, const controllers::Options& options,
    std::vector<std::shared_ptr<plugin::Instance>>& instances);
// Those in which a call still hangs are left as they are: it may come back to them.
void leave_stuck(std::vector<std::unique_ptr<NamedPolicySet>>& schedulers);
// The drivers alone, for an agent. From a thread that may block, as the next.
FleetComponents make_drivers(const plugin::Registry& plugins);
Result<FleetComponents> make_fleet_components(const plugin::Registry& plugins,
                                              const controllers::Options& options,
                                              const plugin::SchedulerPolicyLimits& limits);

}  // namespace flotilla::daemon
