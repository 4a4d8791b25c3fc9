// SPDX-License-Identifier: Apache-2.0
// What an operator can say to the controllers: Karmada's flags of the same names, with its defaults. Keys of
// the configuration: controllers.*
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/feature_gates.hpp"
#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"

namespace flotilla::controllers {

struct Options {
  // Karmada's --controllers: "*" are all that are on by default, "name" one more, "-name" one less.
  std::vector<std::string> controllers = {"*"};
  int workers = 4;
  std::string scheduler_name = "default-scheduler";
  bool enable_empty_workload_propagation = false;
  // Room by the nodes of members, beside their resource summaries, and estimators that are asked.
  bool enable_scheduler_estimator = false;
  bool disable_scheduler_estimator_in_pull_mode = false;
  Duration scheduler_estimator_timeout = std::chrono::seconds(3);  // for all clusters together
  Duration scheduler_estimator_keep = std::chrono::seconds(2);  // how long an answer is good for others too
  Duration scheduler_estimator_rest = std::chrono::seconds(1);  // after a failure, doubled up to
  Duration scheduler_estimator_max_rest = std::chrono::seconds(10);
  // What estimators are told that have such settings; scheduler_estimators says more, per estimator.
  std::int64_t scheduler_estimator_port = 10352;
  std::string scheduler_estimator_service_prefix = "karmada-scheduler-estimator";
  std::string scheduler_estimator_service_namespace = "karmada-system";
  std::string scheduler_estimator_ca_file;
  std::string scheduler_estimator_cert_file;
  std::string scheduler_estimator_key_file;
  bool insecure_skip_estimator_verify = false;
  api::Json scheduler_estimators;  // configuration by name
  // Karmada's --plugins for scheduler_name, what scores count, and further schedulers: scheduler_profiles.hpp
  std::vector<std::string> scheduler_plugins = {"*"};
  api::Json scheduler_weights;
  api::Json scheduler_profiles;
  // Bindings that could not be scheduled: how long until the next try, doubled up to the longest; those for
  // which there was no room at the latest after `again`. Promised room is given back after the TTL.
  Duration scheduler_backoff = std::chrono::seconds(1);
  Duration scheduler_max_backoff = std::chrono::seconds(10);
  Duration scheduler_unschedulable_again = std::chrono::minutes(5);
  Duration scheduler_assumption_ttl = std::chrono::minutes(5);
  Duration scheduler_policy_deadline = std::chrono::seconds(1);  // of one call of a policy
  // The descheduler, which runs where `controllers` names it.
  Duration descheduling_interval = std::chrono::minutes(2);
  Duration unschedulable_threshold = std::chrono::minutes(5);
  std::string skipped_propagating_apis;
  std::string skipped_propagating_namespaces = "kube-.*";
  // Clusters.
  Duration cluster_status_update_frequency = std::chrono::seconds(10);
  Duration cluster_success_threshold = std::chrono::seconds(30);
  Duration cluster_failure_threshold = std::chrono::seconds(30);
  Duration cluster_monitor_period = std::chrono::seconds(5);
  Duration cluster_monitor_grace_period = std::chrono::seconds(40);
  Duration cluster_startup_grace_period = std::chrono::seconds(60);
  bool enable_cluster_resource_modeling = true;
  // Agents of pull clusters.
  Duration cluster_lease_duration = std::chrono::seconds(40);
  double cluster_lease_renew_interval_fraction = 0.25;
  Duration cert_rotation_checking_interval = std::chrono::minutes(5);
  double cert_rotation_remaining_time_threshold = 0.2;
  // Eviction.
  bool enable_taint_manager = true;
  bool enable_no_execute_taint_eviction = false;
  std::string no_execute_taint_eviction_purge_mode = "Gracefully";  // or Directly
  bool allow_no_execute_taint_policy = false;
  double resource_eviction_rate = 0.5;  // per second and worker; 0: one in 30 minutes
  Duration graceful_eviction_timeout = std::chrono::minutes(10);
  // Guarded removal: docs/design/guarded-removal.md
  Duration removal_undo_window{0};
  std::int64_t removal_budget = 200;  // of one policy or cluster within the window; 0: no bound
  double removal_budget_share = 0.5;  // of what was there; both must be exceeded
  Duration removal_budget_window = std::chrono::minutes(10);
  // Quota and autoscaling.
  Duration federated_resource_quota_sync_period = std::chrono::minutes(5);
  Duration horizontal_pod_autoscaler_sync_period = std::chrono::seconds(15);
  Duration horizontal_pod_autoscaler_downscale_stabilization = std::chrono::minutes(5);
  Duration horizontal_pod_autoscaler_cpu_initialization_period = std::chrono::minutes(5);
  Duration horizontal_pod_autoscaler_initial_readiness_delay = std::chrono::seconds(30);
  double horizontal_pod_autoscaler_tolerance = 0.1;

  api::FeatureGates feature_gates;
};

// Whether `name` runs: switched on or off by name, else `by_default` where "*" is listed.
bool is_enabled(const Options& options, std::string_view name, bool by_default = true);

// Errors: Invalid, names the key and what is wrong with it.
Status check(const Options& options);

}  // namespace flotilla::controllers
