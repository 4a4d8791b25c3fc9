// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/quota/quota_plan.hpp"

#include <algorithm>

#include "core/api/conditions.hpp"
#include "core/api/karmada.hpp"
#include "core/api/names.hpp"
#include "core/api/object.hpp"
#include "core/api/quota_usage.hpp"
#include "core/api/wrap_manifest.hpp"

namespace flotilla::controllers {

using api::Json;
using api::ResourceList;

namespace {

// A map of amounts, absent when there are none.
void set_amounts(Json& status, std::string_view member, Json amounts) {
  if (amounts.empty()) {
    status.erase(member);
  } else {
    status.set(member, std::move(amounts));
  }
}

Json status_of(const Json& quota) {
  const Json& status = quota["status"];
  return status.is_object() ? status : Json::object();
}

}  // namespace

Json quota_work_labels(std::string_view ns, std::string_view name) {
  return Json::object({{api::labels::kFederatedResourceQuotaNamespace, ns},
                       {api::labels::kFederatedResourceQuotaName, name}});
}

std::vector<Json> quota_works(const Json& quota,
                              const std::function<bool(std::string_view cluster)>& exists) {
  std::vector<Json> works;
  for (const Json& assignment : quota["spec"]["staticAssignments"].elements()) {
    const std::string_view cluster = assignment["clusterName"].as_string();
    if (!exists(cluster)) continue;
    const std::string_view name = api::name_of(quota), ns = api::namespace_of(quota);
    Json manifest = Json::object({{"apiVersion", "v1"},
                                  {"kind", "ResourceQuota"},
                                  {"metadata", Json::object({{"name", name}, {"namespace", ns}})},
                                  {"spec", Json::object()}});
    if (!assignment["hard"].empty()) manifest["spec"].set("hard", assignment["hard"]);
    api::WorkFrame frame;
    frame.cluster = cluster;
    frame.labels = quota_work_labels(ns, name);
    frame.finalizers = {std::string(api::finalizers::kExecution)};
    works.push_back(api::wrap_manifest(std::move(manifest), frame));
  }
  return works;
}

Result<Json> aggregated_quota_status(const std::vector<Json>& works) {
  std::vector<std::pair<std::string, Json>> found;
  for (const Json& work : works) {
    if (!api::is_condition_true(work["status"]["conditions"], api::conditions::kApplied)) continue;
    const auto statuses = work["status"]["manifestStatuses"].elements();
    if (statuses.empty()) continue;
    auto cluster = api::cluster_of_execution_namespace(api::namespace_of(work));
    if (!cluster) return cluster.error();
    const Json& raw = statuses.front()["status"];
    Json entry = Json::object({{"clusterName", *cluster}});
    for (const std::string_view part : {"hard", "used"}) {
      if (!raw[part].empty()) entry.set(part, raw[part]);
    }
    found.emplace_back(*std::move(cluster), std::move(entry));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Json list = Json::array();
  for (auto& [cluster, entry] : found) list.push_back(std::move(entry));
  return list;
}

Result<Json> quota_status_of_clusters(const Json& quota, const std::vector<Json>& works, bool enforced) {
  auto aggregated = aggregated_quota_status(works);
  if (!aggregated) return aggregated;
  Json status = status_of(quota);
  if (!enforced) {
    ResourceList used;
    for (const Json& entry : aggregated->elements()) {
      auto amounts = ResourceList::from_json(entry["used"]);
      if (!amounts)
        return std::move(amounts).context("used of cluster " + std::string(entry["clusterName"].as_string()));
      used.add(*amounts);
    }
    set_amounts(status, "overall", quota["spec"]["overall"]);
    set_amounts(status, "overallUsed", used.to_json());
  }
  set_amounts(status, "aggregatedStatus", *std::move(aggregated));
  return status;
}

Result<Json> quota_status_of_bindings(const Json& quota, const std::vector<Json>& bindings) {
  const Json& overall = quota["spec"]["overall"];
  ResourceList used;
  for (const Json& binding : bindings) {
    auto usage = api::quota_usage(binding["spec"]);
    if (!usage) return std::move(usage).context("binding " + api::key_of(binding).text());
    for (const auto& [name, amount] : usage->amounts()) {
      if (overall.contains(name)) used.set(name, used.amount(name) + amount);
    }
  }
  Json status = status_of(quota);
  set_amounts(status, "overall", overall);
  set_amounts(status, "overallUsed", used.to_json());
  return status;
}

}  // namespace flotilla::controllers
