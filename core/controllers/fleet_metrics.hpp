// SPDX-License-Identifier: Apache-2.0
// The metrics APIs over all members, as karmada-metrics-adapter answers them:
//
//   metrics.k8s.io/v1beta1            pods and nodes of every member, each with the member it is of; one that
//                                     several members have is a conflict
//   custom.metrics.k8s.io/v1beta1, 2  values that describe objects of one name are added up; discovery names
//                                     the metrics that members have
//   external.metrics.k8s.io/v1beta1   always an error
//
// Members that do not answer are left out.
#pragma once

#include <string>
#include <vector>

#include "core/controllers/member_questions.hpp"

namespace flotilla::controllers {

struct MetricsRead {
  std::string group, version, ns;
  std::vector<std::string> path;  // behind the namespace: resource, name, ...
  std::string label_selector;
  std::string metric_selector;  // of custom metrics
};

// Errors: NotFound, Conflict, BadRequest (selector).
Task<Result<api::Json>> read_fleet_metrics(const store::Store* store,
                                           const cluster::ClusterRegistry* clusters, MetricsRead read);

// The APIResourceList of custom.metrics.k8s.io in one version: what any member has in it.
Task<Result<api::Json>> list_custom_metrics(const store::Store* store,
                                            const cluster::ClusterRegistry* clusters, std::string version);

// Custom metrics of one resource or object ("pods/*/rate"), as each member has them. Newer versions first.
// The selectors: of the objects described, and of the metric's own labels.
struct MetricSelectors {
  std::string objects, metric;
};
MemberQuestion custom_metrics_question(std::shared_ptr<cluster::Member> member, const std::string& path,
                                       std::string ns, MetricSelectors selectors);
// Pure. MetricValues of one name become one; in the order in which the names come.
std::vector<api::Json> sum_values(const std::vector<api::Json>& values);
// Pure. A MetricValue as a version of the API writes it.
api::Json value_in_version(api::Json value, std::string_view version);

}  // namespace flotilla::controllers
