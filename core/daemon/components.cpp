// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/components.hpp"

#include <flotilla/abi/entry.h>

#include "core/base/log.hpp"
#include "core/daemon/wait.hpp"
#include "core/plugin/driver_adapter.hpp"
#include "core/plugin/override_adapter.hpp"
#include "core/plugin/scheduler_adapter.hpp"
#include "core/plugin/storage_adapter.hpp"

namespace flotilla::daemon {
namespace {

const Logger kLog("daemon");
using InstancePtr = std::shared_ptr<plugin::Instance>;

// A started instance, or null with a line in the log.
InstancePtr start_component(const plugin::Registry& plugins, std::string_view kind, const std::string& name) {
  const auto refuse = [&](const Error& error) {
    kLog.error("plugin component left out", {{"kind", kind}, {"name", name}, {"error", error.message()}});
    return InstancePtr();
  };
  Result<InstancePtr> instance = plugins.instantiate(kind, name);
  if (!instance) return refuse(instance.error());
  auto starting = (*instance)->start();
  const Status started = wait_for(plugins.environment().executor(), std::move(starting));
  if (!started) return refuse(started.error());
  return *instance;
}

// Runs `adapt` over every component of a kind and keeps what works.
template <typename Adapt>
void each_component(const plugin::Registry& plugins, std::string_view kind, std::vector<InstancePtr>& into,
                    Adapt adapt) {
  for (const std::string& name : plugins.names(kind)) {
    const InstancePtr instance = start_component(plugins, kind, name);
    if (!instance) continue;
    if (const Status status = adapt(instance); !status) {
      kLog.error("plugin component left out",
                 {{"kind", kind}, {"name", name}, {"error", status.error().message()}});
      continue;
    }
    into.push_back(instance);
  }
}

}  // namespace

Result<std::unique_ptr<store::StorageBackend>> make_storage(const plugin::Registry& plugins,
                                                            const config::Settings& settings,
                                                            const std::string& state_dir) {
  plugin::InstanceOptions options;
  options.config = settings.storage.config;
  options.state_dir = state_dir;
  Result<InstancePtr> instance =
      plugins.instantiate(FLT_KIND_STORAGE, settings.storage_name(), std::move(options));
  if (!instance) return std::move(instance).context("storage");
  return plugin::make_storage_backend(std::move(*instance));
}

Result<std::vector<std::unique_ptr<NamedPolicySet>>> make_schedulers(
    const plugin::Registry& plugins, const std::vector<controllers::SchedulerProfile>& profiles,
    std::vector<InstancePtr>& instances) {
  std::vector<std::unique_ptr<NamedPolicySet>> schedulers;
  const std::vector<std::string> available = plugins.names(FLT_KIND_SCHEDULER);
  for (const controllers::SchedulerProfile& profile : profiles) {
    auto chosen = controllers::choose_plugins(profile, available);
    if (!chosen) return chosen.error();
    auto set = std::make_unique<NamedPolicySet>();
    set->name = profile.name;
    for (const controllers::ChosenPlugin& each : *chosen) {
      const InstancePtr instance = start_component(plugins, FLT_KIND_SCHEDULER, each.name);
      if (!instance) continue;
      auto policy = plugin::make_scheduler_policy(instance);
      if (!policy) {
        kLog.error("plugin component left out",
                   {{"kind", FLT_KIND_SCHEDULER}, {"name", each.name}, {"error", policy.error().message()}});
        continue;
      }
      set->policies.add(std::move(*policy), each.weight);
      instances.push_back(instance);
    }
    schedulers.push_back(std::move(set));
  }
  return schedulers;
}

Result<FleetComponents> make_fleet_components(const plugin::Registry& plugins,
                                              const controllers::Options& options) {
  FleetComponents fleet;
  each_component(plugins, FLT_KIND_DRIVER, fleet.instances, [&](const InstancePtr& instance) -> Status {
    auto driver = plugin::adapt_driver(instance);
    if (!driver) return driver.error();
    fleet.drivers.push_back(std::move(*driver));
    return {};
  });
  overrides::RuleRegistry::Kinds kinds;
  each_component(plugins, FLT_KIND_OVERRIDE, fleet.instances, [&](const InstancePtr& instance) -> Status {
    auto kind = plugin::adapt_override(instance);
    if (!kind) return kind.error();
    kinds.push_back(std::move(*kind));
    return {};
  });
  auto profiles = controllers::scheduler_profiles(options);
  if (!profiles) return profiles.error();
  auto schedulers = make_schedulers(plugins, *profiles, fleet.instances);
  if (!schedulers) return schedulers.error();
  fleet.schedulers = *std::move(schedulers);
  Result<overrides::RuleRegistry> rules = overrides::RuleRegistry::make(std::move(kinds));
  if (!rules) return std::move(rules).context("override rules");
  fleet.rules = std::move(*rules);
  return fleet;
}

}  // namespace flotilla::daemon
