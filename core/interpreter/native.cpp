// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>
#include <utility>

#include "core/interpreter/dependencies.hpp"
#include "core/interpreter/interpreter.hpp"
#include "core/interpreter/native_kinds.hpp"

namespace flotilla::interpreter {

namespace {

constexpr std::array kKinds = {
    NativeKind{.api_version = "apps/v1",
               .kind = "Deployment",
               .replicas = replicas_of_workload,
               .revised_field = "replicas",
               .retain = retain_deployment,
               .reflect = reflect_deployment,
               .aggregate = aggregate_deployment,
               .healthy = healthy_deployment,
               .dependencies = dependencies_of_workload},
    NativeKind{.api_version = "apps/v1",
               .kind = "ReplicaSet",
               .replicas = replicas_of_workload,
               .revised_field = "replicas",
               .reflect = reflect_replica_set,
               .aggregate = aggregate_replica_set,
               .healthy = healthy_replica_set,
               .dependencies = dependencies_of_workload},
    NativeKind{.api_version = "apps/v1",
               .kind = "StatefulSet",
               .replicas = replicas_of_workload,
               .revised_field = "replicas",
               .reflect = reflect_stateful_set,
               .aggregate = aggregate_stateful_set,
               .healthy = healthy_deployment,
               .dependencies = dependencies_of_stateful_set},
    NativeKind{.api_version = "apps/v1",
               .kind = "DaemonSet",
               .reflect = reflect_daemon_set,
               .aggregate = aggregate_daemon_set,
               .healthy = healthy_daemon_set,
               .dependencies = dependencies_of_workload},
    NativeKind{.api_version = "batch/v1",
               .kind = "Job",
               .replicas = replicas_of_job,
               .revised_field = "parallelism",
               .retain = retain_job,
               .reflect = reflect_job,
               .aggregate = aggregate_job,
               .dependencies = dependencies_of_workload},
    NativeKind{.api_version = "batch/v1",
               .kind = "CronJob",
               .aggregate = aggregate_cron_job,
               .dependencies = dependencies_of_cron_job},
    NativeKind{.api_version = "v1",
               .kind = "Pod",
               .replicas = replicas_of_pod,
               .retain = retain_pod,
               .aggregate = aggregate_pod,
               .healthy = healthy_pod,
               .dependencies = dependencies_of_pod},
    NativeKind{.api_version = "v1",
               .kind = "Service",
               .retain = retain_service,
               .reflect = reflect_service,
               .aggregate = aggregate_service,
               .healthy = healthy_service},
    NativeKind{.api_version = "networking.k8s.io/v1",
               .kind = "Ingress",
               .aggregate = aggregate_ingress,
               .healthy = healthy_ingress,
               .dependencies = dependencies_of_ingress},
    NativeKind{.api_version = "v1", .kind = "ServiceAccount", .retain = retain_service_account},
    NativeKind{.api_version = "v1", .kind = "Secret", .retain = retain_secret},
    NativeKind{.api_version = "v1",
               .kind = "PersistentVolume",
               .retain = retain_volume,
               .aggregate = aggregate_volume},
    NativeKind{.api_version = "v1",
               .kind = "PersistentVolumeClaim",
               .retain = retain_claim,
               .aggregate = aggregate_claim,
               .healthy = healthy_claim},
    NativeKind{.api_version = "policy/v1",
               .kind = "PodDisruptionBudget",
               .reflect = reflect_disruption_budget,
               .aggregate = aggregate_disruption_budget,
               .healthy = healthy_disruption_budget},
    NativeKind{.api_version = "autoscaling/v2",
               .kind = "HorizontalPodAutoscaler",
               .reflect = reflect_autoscaler,
               .aggregate = aggregate_autoscaler},
    NativeKind{.api_version = "multicluster.x-k8s.io/v1alpha1",
               .kind = "ServiceImport",
               .dependencies = dependencies_of_service_import},
};

const NativeKind* kind_of(const api::Json& object) {
  return find_native_kind(object["apiVersion"].as_string(), object["kind"].as_string());
}

Error unsupported(const api::Json& object, Operation operation) {
  return Error(Code::Unsupported, std::string(to_string(operation)) + " is not natively known for " +
                                      std::string(object["apiVersion"].as_string()) + " " +
                                      std::string(object["kind"].as_string()));
}

}  // namespace

const NativeKind* find_native_kind(std::string_view api_version, std::string_view kind) {
  for (const NativeKind& known : kKinds) {
    if (known.kind == kind && known.api_version == api_version) return &known;
  }
  return nullptr;
}

NativeInterpreter::NativeInterpreter(NativeOptions options) : options_(options) {}

bool NativeInterpreter::supports(std::string_view api_version, std::string_view kind,
                                 Operation operation) const {
  if (operation == Operation::InterpretStatus) return true;
  const NativeKind* known = find_native_kind(api_version, kind);
  if (known == nullptr) return false;
  switch (operation) {
    case Operation::InterpretReplica:
      return known->replicas != nullptr;
    case Operation::ReviseReplica:
      return !known->revised_field.empty();
    case Operation::Retain:
      return known->retain != nullptr;
    case Operation::AggregateStatus:
      return known->aggregate != nullptr;
    case Operation::InterpretHealth:
      return known->healthy != nullptr;
    case Operation::InterpretDependency:
      return known->dependencies != nullptr;
    case Operation::InterpretComponent:
    case Operation::InterpretStatus:
      break;
  }
  return false;
}

Result<Replicas> NativeInterpreter::interpret_replicas(const api::Json& object) const {
  const NativeKind* known = kind_of(object);
  if (known == nullptr || known->replicas == nullptr) {
    return unsupported(object, Operation::InterpretReplica);
  }
  return known->replicas(object, options_);
}

Result<api::Json> NativeInterpreter::interpret_components(const api::Json& object) const {
  return unsupported(object, Operation::InterpretComponent);
}

Result<api::Json> NativeInterpreter::revise_replica(const api::Json& object, std::int64_t replicas) const {
  const NativeKind* known = kind_of(object);
  if (known == nullptr || known->revised_field.empty()) return unsupported(object, Operation::ReviseReplica);
  return revise_field(object, known->revised_field, replicas);
}

Result<api::Json> NativeInterpreter::retain(const api::Json& desired, const api::Json& observed) const {
  const NativeKind* known = kind_of(desired);
  if (known == nullptr || known->retain == nullptr) return unsupported(desired, Operation::Retain);
  api::Json result = desired;
  Status done = known->retain(result, observed);
  if (!done) return std::move(done).error();
  return result;
}

Result<api::Json> NativeInterpreter::reflect_status(const api::Json& object) const {
  const NativeKind* known = kind_of(object);
  return known != nullptr && known->reflect != nullptr ? known->reflect(object) : reflect_whole(object);
}

Result<api::Json> NativeInterpreter::aggregate_status(const api::Json& object,
                                                      std::span<const api::Json> items, WallTime now) const {
  const NativeKind* known = kind_of(object);
  if (known == nullptr || known->aggregate == nullptr) {
    return unsupported(object, Operation::AggregateStatus);
  }
  return known->aggregate(object, items, now);
}

Result<bool> NativeInterpreter::interpret_health(const api::Json& object) const {
  const NativeKind* known = kind_of(object);
  if (known == nullptr || known->healthy == nullptr) return unsupported(object, Operation::InterpretHealth);
  return known->healthy(object);
}

Result<api::Json> NativeInterpreter::dependencies(const api::Json& object) const {
  const NativeKind* known = kind_of(object);
  if (known == nullptr || known->dependencies == nullptr) {
    return unsupported(object, Operation::InterpretDependency);
  }
  api::Json found = known->dependencies(object);
  Status valid = validate_dependencies(found);
  if (!valid) return std::move(valid).error();
  return found;
}

}  // namespace flotilla::interpreter
