// SPDX-License-Identifier: Apache-2.0
#include "core/api/validation/validation.hpp"

#include "core/api/validation/kinds.hpp"

namespace flotilla::api {
namespace {

struct Entry {
  std::string_view group, kind;
  validation::KindRule rule;
};

constexpr Entry kRules[] = {
    {"", "ConfigMap", validation::config_map},
    {"", "Secret", validation::secret},
    {"", "Service", validation::service},
    {"", "Pod", validation::pod},
    {"", "PodTemplate", validation::pod_template},
    {"", "ReplicationController", validation::replication_controller},
    {"apps", "Deployment", validation::deployment},
    {"apps", "ReplicaSet", validation::replica_set},
    {"apps", "StatefulSet", validation::stateful_set},
    {"apps", "DaemonSet", validation::daemon_set},
    {"batch", "Job", validation::job},
    {"batch", "CronJob", validation::cron_job},
};

}  // namespace

FieldErrors validate(const Resource& resource, const Json& object, const Json& live,
                     std::string_view subresource) {
  FieldErrors errors;
  validate_metadata(resource, object, errors);
  if (!live.is_null()) {
    validate_metadata_update(object, live, errors);
    // Kubernetes checks typed kinds twice; clients see the causes twice and the message once.
    if (resource.traits.typed) validate_metadata_update(object, live, errors);
  }
  const validation::Subject subject{resource, FieldView(object, "", errors), live, subresource};
  for (const Entry& entry : kRules) {
    if (entry.rule && entry.group == resource.group && entry.kind == resource.kind) entry.rule(subject);
  }
  return errors;
}

}  // namespace flotilla::api
