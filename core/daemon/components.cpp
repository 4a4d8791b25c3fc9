// SPDX-License-Identifier: Apache-2.0
#include "core/daemon/components.hpp"

#include <flotilla/abi/entry.h>

#include <algorithm>

#include "core/base/log.hpp"
#include "core/daemon/wait.hpp"
#include "core/plugin/driver_adapter.hpp"
#include "core/plugin/estimator_adapter.hpp"
#include "core/plugin/override_adapter.hpp"
#include "core/plugin/scheduler_adapter.hpp"
#include "core/plugin/storage_adapter.hpp"

namespace flotilla::daemon {
namespace {

const Logger kLog("daemon");
using InstancePtr = std::shared_ptr<plugin::Instance>;

// A started instance, or null with a line in the log.
InstancePtr start_component(const plugin::Registry& plugins, std::string_view kind, const std::string& name,
                            plugin::InstanceOptions options = {}) {
  const auto refuse = [&](const Error& error) {
    kLog.error("plugin component left out", {{"kind", kind}, {"name", name}, {"error", error.message()}});
    return InstancePtr();
  };
  Result<InstancePtr> instance = plugins.instantiate(kind, name, std::move(options));
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

LogLevel level_of(std::string_view word) {
  if (word == "debug") return LogLevel::Debug;
  if (word == "warn") return LogLevel::Warn;
  if (word == "error") return LogLevel::Error;
  return word == "off" ? LogLevel::Off : LogLevel::Info;
}

// Those that were put aside too: a scheduler that names one goes without it.
std::vector<std::string> names_of_policies(const plugin::Registry& plugins) {
  std::vector<std::string> names = plugins.names(FLT_KIND_SCHEDULER);
  for (const plugin::PluginRecord& record : plugins.records()) {
    if (record.state != plugin::PluginState::Quarantined) continue;
    for (const plugin::ComponentRecord& component : record.components) {
      const bool known = std::find(names.begin(), names.end(), component.name) != names.end();
      if (component.kind == FLT_KIND_SCHEDULER && !known) names.push_back(component.name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void apply_log_settings(const config::LogSettings& settings) {
  set_log_level(level_of(settings.level));
  set_log_format(settings.format == "json" ? LogFormat::Json : LogFormat::Text);
}

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
    const plugin::SchedulerPolicyLimits& limits, std::vector<InstancePtr>& instances) {
  std::vector<std::unique_ptr<NamedPolicySet>> schedulers;
  const std::vector<std::string> available = names_of_policies(plugins);
  for (const controllers::SchedulerProfile& profile : profiles) {
    auto chosen = controllers::choose_plugins(profile, available);
    if (!chosen) return chosen.error();
    auto set = std::make_unique<NamedPolicySet>();
    set->name = profile.name;
    for (const controllers::ChosenPlugin& each : *chosen) {
      const InstancePtr instance = start_component(plugins, FLT_KIND_SCHEDULER, each.name);
      if (!instance) continue;
      auto policy = plugin::make_scheduler_policy(instance, limits);
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

void leave_stuck(std::vector<std::unique_ptr<NamedPolicySet>>& schedulers) {
  for (auto& each : schedulers)
    if (each->policies.stuck()) static_cast<void>(each.release());
}

namespace {

// Karmada's flags, for every estimator whose schema has settings of these names; what is said for it by name
// comes on top.
api::Json estimator_config(const flt_component_t& component, const controllers::Options& options) {
  api::Json config = api::Json::object();
  if (component.config_schema == nullptr) return config;
  const auto schema = api::Json::parse(component.config_schema);
  if (!schema) return config;
  const std::pair<const char*, api::Json> flags[] = {
      {"port", options.scheduler_estimator_port},
      {"service_prefix", options.scheduler_estimator_service_prefix},
      {"service_namespace", options.scheduler_estimator_service_namespace},
      {"ca_file", options.scheduler_estimator_ca_file},
      {"cert_file", options.scheduler_estimator_cert_file},
      {"key_file", options.scheduler_estimator_key_file},
      {"insecure_skip_verify", options.insecure_skip_estimator_verify}};
  for (const auto& [name, value] : flags) {
    if (std::as_const(*schema)["properties"].contains(name)) config.set(name, value);
  }
  for (const auto& [name, value] : options.scheduler_estimators[component.name].members())
    config.set(name, value);
  return config;
}

}  // namespace

std::vector<std::shared_ptr<cluster::ReplicaEstimator>> make_estimators(const plugin::Registry& plugins,
                                                                        const controllers::Options& options,
                                                                        std::vector<InstancePtr>& instances) {
  std::vector<std::shared_ptr<cluster::ReplicaEstimator>> estimators;
  if (!options.enable_scheduler_estimator) return estimators;
  for (const auto& [name, config] : options.scheduler_estimators.members()) {
    if (plugins.find(FLT_KIND_ESTIMATOR, name) == nullptr)
      kLog.error("there is no such estimator; it is not asked", {{"name", name}});
  }
  for (const std::string& name : plugins.names(FLT_KIND_ESTIMATOR)) {
    const api::Json& said = options.scheduler_estimators[name];
    if (said.is_bool() && !said.as_bool()) continue;
    plugin::InstanceOptions wanted;
    wanted.config = estimator_config(*plugins.find(FLT_KIND_ESTIMATOR, name), options);
    const InstancePtr instance = start_component(plugins, FLT_KIND_ESTIMATOR, name, std::move(wanted));
    if (!instance) continue;
    auto estimator = plugin::adapt_estimator(instance);
    if (!estimator) {
      kLog.error("plugin component left out",
                 {{"kind", FLT_KIND_ESTIMATOR}, {"name", name}, {"error", estimator.error().message()}});
      continue;
    }
    estimators.push_back(*std::move(estimator));
    instances.push_back(instance);
  }
  return estimators;
}

FleetComponents make_drivers(const plugin::Registry& plugins) {
  FleetComponents fleet;
  each_component(plugins, FLT_KIND_DRIVER, fleet.instances, [&](const InstancePtr& instance) -> Status {
    auto driver = plugin::adapt_driver(instance);
    if (!driver) return driver.error();
    fleet.drivers.push_back(std::move(*driver));
    return {};
  });
  return fleet;
}

Result<FleetComponents> make_fleet_components(const plugin::Registry& plugins,
                                              const controllers::Options& options,
                                              const plugin::SchedulerPolicyLimits& limits) {
  FleetComponents fleet = make_drivers(plugins);
  overrides::RuleRegistry::Kinds kinds;
  each_component(plugins, FLT_KIND_OVERRIDE, fleet.instances, [&](const InstancePtr& instance) -> Status {
    auto kind = plugin::adapt_override(instance);
    if (!kind) return kind.error();
    kinds.push_back(std::move(*kind));
    return {};
  });
  fleet.estimators = make_estimators(plugins, options, fleet.instances);
  auto profiles = controllers::scheduler_profiles(options);
  if (!profiles) return profiles.error();
  auto schedulers = make_schedulers(plugins, *profiles, limits, fleet.instances);
  if (!schedulers) return schedulers.error();
  fleet.schedulers = *std::move(schedulers);
  Result<overrides::RuleRegistry> rules = overrides::RuleRegistry::make(std::move(kinds));
  if (!rules) return std::move(rules).context("override rules");
  fleet.rules = std::move(*rules);
  return fleet;
}

}  // namespace flotilla::daemon
