// SPDX-License-Identifier: Apache-2.0
// The table of what is natively known about each kind, and the rules it is made of. Internal to this room.
#pragma once

#include <span>
#include <string_view>

#include "core/api/json.hpp"
#include "core/base/clock.hpp"
#include "core/base/result.hpp"
#include "core/interpreter/interpreter.hpp"

namespace flotilla::interpreter {

using ReplicasRule = Result<Replicas> (*)(const api::Json& object, const NativeOptions& options);
using RetainRule = Status (*)(api::Json& desired, const api::Json& observed);
using ReflectRule = Result<api::Json> (*)(const api::Json& object);
using AggregateRule = Result<api::Json> (*)(const api::Json& object, std::span<const api::Json> items,
                                            WallTime now);
using HealthRule = Result<bool> (*)(const api::Json& object);
using DependencyRule = api::Json (*)(const api::Json& object);

// Null and empty where nothing is natively known.
struct NativeKind {
  std::string_view api_version;
  std::string_view kind;
  ReplicasRule replicas = nullptr;
  std::string_view revised_field = {};  // the member of spec that ReviseReplica sets
  RetainRule retain = nullptr;
  ReflectRule reflect = nullptr;  // null: the whole status
  AggregateRule aggregate = nullptr;
  HealthRule healthy = nullptr;
  DependencyRule dependencies = nullptr;
};

const NativeKind* find_native_kind(std::string_view api_version, std::string_view kind);

// native_replicas.cpp
Result<Replicas> replicas_of_workload(const api::Json& object, const NativeOptions& options);
Result<Replicas> replicas_of_job(const api::Json& object, const NativeOptions& options);
Result<Replicas> replicas_of_pod(const api::Json& object, const NativeOptions& options);
Result<api::Json> revise_field(const api::Json& object, std::string_view field, std::int64_t replicas);

// native_retain.cpp
Status retain_deployment(api::Json& desired, const api::Json& observed);
Status retain_pod(api::Json& desired, const api::Json& observed);
Status retain_service(api::Json& desired, const api::Json& observed);
Status retain_service_account(api::Json& desired, const api::Json& observed);
Status retain_claim(api::Json& desired, const api::Json& observed);
Status retain_volume(api::Json& desired, const api::Json& observed);
Status retain_job(api::Json& desired, const api::Json& observed);
Status retain_secret(api::Json& desired, const api::Json& observed);

// native_reflect.cpp
Result<api::Json> reflect_whole(const api::Json& object);
Result<api::Json> reflect_deployment(const api::Json& object);
Result<api::Json> reflect_replica_set(const api::Json& object);
Result<api::Json> reflect_stateful_set(const api::Json& object);
Result<api::Json> reflect_daemon_set(const api::Json& object);
Result<api::Json> reflect_job(const api::Json& object);
Result<api::Json> reflect_service(const api::Json& object);
Result<api::Json> reflect_disruption_budget(const api::Json& object);
Result<api::Json> reflect_autoscaler(const api::Json& object);

// native_aggregate.cpp, native_aggregate_job.cpp
Result<api::Json> aggregate_deployment(const api::Json& object, std::span<const api::Json> items,
                                       WallTime now);
Result<api::Json> aggregate_replica_set(const api::Json& object, std::span<const api::Json> items,
                                        WallTime now);
Result<api::Json> aggregate_stateful_set(const api::Json& object, std::span<const api::Json> items,
                                         WallTime now);
Result<api::Json> aggregate_daemon_set(const api::Json& object, std::span<const api::Json> items,
                                       WallTime now);
Result<api::Json> aggregate_disruption_budget(const api::Json& object, std::span<const api::Json> items,
                                              WallTime now);
Result<api::Json> aggregate_autoscaler(const api::Json& object, std::span<const api::Json> items,
                                       WallTime now);
Result<api::Json> aggregate_pod(const api::Json& object, std::span<const api::Json> items, WallTime now);
Result<api::Json> aggregate_volume(const api::Json& object, std::span<const api::Json> items, WallTime now);
Result<api::Json> aggregate_claim(const api::Json& object, std::span<const api::Json> items, WallTime now);
Result<api::Json> aggregate_service(const api::Json& object, std::span<const api::Json> items, WallTime now);
Result<api::Json> aggregate_ingress(const api::Json& object, std::span<const api::Json> items, WallTime now);
Result<api::Json> aggregate_job(const api::Json& object, std::span<const api::Json> items, WallTime now);
Result<api::Json> aggregate_cron_job(const api::Json& object, std::span<const api::Json> items, WallTime now);

// native_health.cpp
Result<bool> healthy_deployment(const api::Json& object);
Result<bool> healthy_replica_set(const api::Json& object);
Result<bool> healthy_daemon_set(const api::Json& object);
Result<bool> healthy_service(const api::Json& object);
Result<bool> healthy_ingress(const api::Json& object);
Result<bool> healthy_claim(const api::Json& object);
Result<bool> healthy_pod(const api::Json& object);
Result<bool> healthy_disruption_budget(const api::Json& object);

// native_dependencies.cpp
api::Json dependencies_of_workload(const api::Json& object);
api::Json dependencies_of_stateful_set(const api::Json& object);
api::Json dependencies_of_cron_job(const api::Json& object);
api::Json dependencies_of_pod(const api::Json& object);
api::Json dependencies_of_ingress(const api::Json& object);
api::Json dependencies_of_service_import(const api::Json& object);

}  // namespace flotilla::interpreter
