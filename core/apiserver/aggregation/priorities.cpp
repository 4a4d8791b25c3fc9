// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/aggregation/priorities.hpp"

namespace flotilla::apiserver {
namespace {

struct GroupRow {
  std::string_view group;
  int priority;
};

constexpr GroupRow kGroups[] = {
    {"apiregistration.k8s.io", 20000},
    {"", 18000},
    {"apps", 17800},
    {"events.k8s.io", 17750},
    {"authentication.k8s.io", 17700},
    {"authorization.k8s.io", 17600},
    {"autoscaling", 17500},
    {"batch", 17400},
    {"certificates.k8s.io", 17300},
    {"networking.k8s.io", 17200},
    {"policy", 17100},
    {"rbac.authorization.k8s.io", 17000},
    {"storage.k8s.io", 16800},
    {"apiextensions.k8s.io", 16700},
    {"admissionregistration.k8s.io", 16700},
    {"scheduling.k8s.io", 16600},
    {"coordination.k8s.io", 16500},
    {"node.k8s.io", 16300},
    {"discovery.k8s.io", 16200},
    {"flowcontrol.apiserver.k8s.io", 16100},
};

struct VersionRow {
  std::string_view group, version;
  int priority;
};

// Those that differ from the rule: 15 when it is stable, 9 for a beta, 1 for an alpha.
constexpr VersionRow kVersions[] = {
    {"", "v1", 1},
    {"autoscaling", "v2", 30},
    {"autoscaling", "v2beta2", 1},
    {"events.k8s.io", "v1beta1", 5},
    {"admissionregistration.k8s.io", "v1beta1", 12},
    {"admissionregistration.k8s.io", "v1alpha1", 9},
    {"discovery.k8s.io", "v1beta1", 12},
    {"flowcontrol.apiserver.k8s.io", "v1", 21},
    {"flowcontrol.apiserver.k8s.io", "v1beta3", 18},
    {"flowcontrol.apiserver.k8s.io", "v1beta2", 15},
    {"flowcontrol.apiserver.k8s.io", "v1beta1", 12},
};

}  // namespace

Priority priority_of(std::string_view group, std::string_view version) {
  for (const GroupRow& row : kGroups) {
    if (row.group != group) continue;
    Priority out{row.priority, 15};
    if (version.find("beta") != version.npos) out.version = 9;
    if (version.find("alpha") != version.npos) out.version = 1;
    for (const VersionRow& exact : kVersions) {
      if (exact.group == group && exact.version == version) out.version = exact.priority;
    }
    return out;
  }
  // What extension API servers of Karmada say of themselves.
  if (group == "cluster.karmada.io" || group == "search.karmada.io") return {2000, 10};
  return {};
}

}  // namespace flotilla::apiserver
