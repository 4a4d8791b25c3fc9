// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/status/aggregate_works.hpp"

#include <algorithm>

#include "core/api/binding.hpp"
#include "core/api/conditions.hpp"
#include "core/api/karmada.hpp"
#include "core/api/names.hpp"
#include "core/api/object.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;

bool same_manifest(const Json& manifest, const Json& resource) {
  return manifest["apiVersion"].as_string() == resource["apiVersion"].as_string() &&
         manifest["kind"].as_string() == resource["kind"].as_string() &&
         api::namespace_of(manifest) == resource["namespace"].as_string() &&
         api::name_of(manifest) == resource["name"].as_string();
}

Result<std::int64_t> ordinal_of(const Json& work, const Json& resource) {
  const auto manifests = work["spec"]["workload"]["manifests"].elements();
  for (std::size_t i = 0; i < manifests.size(); ++i) {
    if (same_manifest(manifests[i], resource)) return static_cast<std::int64_t>(i);
  }
  return invalid("no such manifest exist");
}

bool is_of(const Json& identifier, const Json& resource, std::int64_t ordinal) {
  const api::Gvk gvk = api::Gvk::from(resource["apiVersion"].as_string(), resource["kind"].as_string());
  return identifier["ordinal"].as_int() == ordinal && identifier["group"].as_string() == gvk.group &&
         identifier["version"].as_string() == gvk.version && identifier["kind"].as_string() == gvk.kind &&
         identifier["namespace"].as_string() == resource["namespace"].as_string() &&
         identifier["name"].as_string() == resource["name"].as_string();
}

Json item_of(const Json& work, const std::string& cluster, const Json& resource, std::int64_t ordinal) {
  Json item = Json::object({{"clusterName", cluster}, {"health", "Unknown"}});
  const Json* applied = api::find_condition(work["status"]["conditions"], api::conditions::kApplied);
  if (applied == nullptr || (*applied)["status"].as_string() != "True") {
    if (applied != nullptr && !(*applied)["message"].as_string().empty()) {
      item.set("appliedMessage", (*applied)["message"]);
    }
    return item;
  }
  item.set("applied", true);
  for (const Json& manifest : work["status"]["manifestStatuses"].elements()) {
    if (!is_of(manifest["identifier"], resource, ordinal)) continue;
    if (manifest.contains("status")) item.set("status", manifest["status"]);
    // Reported without a verdict, as by agents that do not judge: that is not the same as unknown.
    if (manifest["health"].as_string().empty()) {
      item.erase("health");
    } else {
      item.set("health", manifest["health"]);
    }
    break;
  }
  return item;
}

std::string_view id_label(const Json& binding) {
  return binding["kind"].as_string() == "ClusterResourceBinding" ? api::labels::kClusterResourceBindingId
                                                                 : api::labels::kResourceBindingId;
}

}  // namespace

Result<Json> aggregate_works(const Json& binding, std::span<const Json* const> works,
                             const IsHeard& is_heard) {
  const Json& resource = binding["spec"]["resource"];
  const std::string_view label = id_label(binding);
  std::vector<Json> items;
  for (const Json* work : works) {
    if ((*work)["metadata"]["deletionTimestamp"].is_string()) continue;
    if (api::label_of(*work, label) != api::label_of(binding, label)) continue;
    const auto ordinal = ordinal_of(*work, resource);
    if (!ordinal) return ordinal.error();
    auto cluster = api::cluster_of_execution_namespace(api::namespace_of(*work));
    if (!cluster) return cluster.error();
    items.push_back(item_of(*work, *cluster, resource, *ordinal));
    if (is_heard && !is_heard(*cluster)) items.back().set("health", "Unknown");
  }
  std::sort(items.begin(), items.end(), [](const Json& x, const Json& y) {
    return x["clusterName"].as_string() < y["clusterName"].as_string();
  });
  Json list = Json::array();
  for (Json& item : items) list.push_back(std::move(item));
  return list;
}

Json binding_status(const Json& binding, Json aggregated, WallTime now) {
  const std::vector<std::string> expected = api::clusters_with_works(binding);
  const auto items = std::as_const(aggregated).elements();
  const bool applied =
      !expected.empty() && items.size() == expected.size() &&
      std::all_of(items.begin(), items.end(), [&](const Json& item) {
        return item["applied"].as_bool() &&
               std::binary_search(expected.begin(), expected.end(), item["clusterName"].as_string());
      });
  Json status = binding["status"];
  if (!status.is_object()) status = Json::object();
  api::set_condition(
      status["conditions"],
      applied ? api::Condition{api::conditions::kFullyApplied, "True", "FullyAppliedSuccess",
                               "All works have been successfully applied"}
              : api::Condition{api::conditions::kFullyApplied, "False", "FullyAppliedFailed",
                               "Failed to apply all works, see status.aggregatedStatus for details"},
      now);
  if (aggregated.empty()) {
    status.erase("aggregatedStatus");
  } else {
    status.set("aggregatedStatus", std::move(aggregated));
  }
  return status;
}

}  // namespace flotilla::controllers
