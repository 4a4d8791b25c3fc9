// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/trimmed.hpp"

#include <utility>

#include "core/api/conditions.hpp"

namespace flotilla::controllers {
namespace {

// Of a pod that no node has taken: since when, and whose it is.
void keep_unscheduled(const api::Json& pod, api::Json& trimmed) {
  const api::Json* condition = api::find_condition(pod["status"]["conditions"], "PodScheduled");
  if (condition == nullptr || (*condition)["status"].as_string() != "False") return;
  trimmed["status"].set(
      "conditions",
      api::Json::array({api::Json::object({{"type", "PodScheduled"},
                                           {"status", "False"},
                                           {"reason", (*condition)["reason"]},
                                           {"lastTransitionTime", (*condition)["lastTransitionTime"]}})}));
  for (const api::Json& owner : pod["metadata"]["ownerReferences"].elements()) {
    if (!owner["controller"].as_bool()) continue;
    trimmed["metadata"].set("ownerReferences", api::Json::array({api::Json::object({{"kind", owner["kind"]},
                                                                                    {"name", owner["name"]},
                                                                                    {"uid", owner["uid"]},
                                                                                    {"controller", true}})}));
  }
}

}  // namespace

api::Json trim_node(const api::Json& node) {
  api::Json trimmed =
      api::Json::object({{"metadata", api::Json::object({{"name", node["metadata"]["name"]}})},
                         {"status", api::Json::object()}});
  trimmed["status"].set("allocatable", node["status"]["allocatable"]);
  // What replicas may ask of their node.
  if (const api::Json* labels = node["metadata"].find("labels")) trimmed["metadata"].set("labels", *labels);
  if (const api::Json* taints = node["spec"].find("taints")) trimmed.make({"spec", "taints"}) = *taints;
  api::Json conditions = api::Json::array();
  for (const api::Json& condition : node["status"]["conditions"].elements()) {
    if (condition["type"].as_string() != "Ready") continue;
    conditions.push_back(api::Json::object({{"type", condition["type"]}, {"status", condition["status"]}}));
  }
  trimmed["status"].set("conditions", std::move(conditions));
  trimmed.freeze();
  return trimmed;
}

api::Json trim_pod(const api::Json& pod) {
  const api::Json& metadata = pod["metadata"];
  api::Json spec = api::Json::object();
  for (const char* field : {"nodeName", "overhead"}) {
    if (const api::Json* value = pod["spec"].find(field)) spec.set(field, *value);
  }
  for (const char* field : {"containers", "initContainers"}) {
    api::Json containers = api::Json::array();
    for (const api::Json& container : pod["spec"][field].elements()) {
      api::Json kept = api::Json::object();
      if (const api::Json* resources = container.find("resources")) kept.set("resources", *resources);
      containers.push_back(std::move(kept));
    }
    if (!containers.empty()) spec.set(field, std::move(containers));
  }
  api::Json trimmed = api::Json::object(
      {{"metadata", api::Json::object({{"namespace", metadata["namespace"]}, {"name", metadata["name"]}})},
       {"spec", std::move(spec)},
       {"status", api::Json::object({{"phase", pod["status"]["phase"]}})}});
  keep_unscheduled(pod, trimmed);
  trimmed.freeze();
  return trimmed;
}

api::Json trim_quota(const api::Json& quota) {
  const api::Json& metadata = quota["metadata"];
  api::Json trimmed = api::Json::object(
      {{"metadata", api::Json::object({{"namespace", metadata["namespace"]}, {"name", metadata["name"]}})},
       {"spec", api::Json::object()},
       {"status",
        api::Json::object({{"hard", quota["status"]["hard"]}, {"used", quota["status"]["used"]}})}});
  for (const char* field : {"scopes", "scopeSelector"}) {
    if (const api::Json* value = quota["spec"].find(field)) trimmed["spec"].set(field, *value);
  }
  trimmed.freeze();
  return trimmed;
}

}  // namespace flotilla::controllers
