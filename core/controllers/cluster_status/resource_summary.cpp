// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/cluster_status/resource_summary.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/api/resource_list.hpp"

namespace flotilla::controllers {

namespace {

using api::Quantity;
using api::ResourceList;

constexpr std::string_view kPods = "pods";

bool is_ready(const api::Json& node) {
  for (const api::Json& condition : node.at({"status", "conditions"}).elements()) {
    if (condition["type"].as_string() == "Ready") return condition["status"].as_string() == "True";
  }
  return false;
}

bool has_ended(const api::Json& pod) {
  std::string_view phase = pod.at({"status", "phase"}).as_string();
  return phase == "Succeeded" || phase == "Failed";
}

// A pod takes its requests and one place among the pods of its node.
Status add_pod(ResourceList& total, const api::Json& pod) {
  ResourceList place;
  place.set(kPods, Quantity(1));
  total.add(place);
  Status added = api::add_pod_requests(total, pod["spec"], api::Limits::Ignored);
  if (added) return added;
  const api::Json& metadata = pod["metadata"];
  return std::move(added).context("pod " + std::string(metadata["namespace"].as_string()) + "/" +
                                  std::string(metadata["name"].as_string()));
}

struct PodRequests {
  ResourceList allocating;
  ResourceList allocated;
  std::map<std::string_view, ResourceList> by_node;
};

Result<PodRequests> add_up_pods(std::span<const api::Json> pods) {
  PodRequests sums;
  for (const api::Json& pod : pods) {
    std::string_view node = pod.at({"spec", "nodeName"}).as_string();
    if (!node.empty() && has_ended(pod)) continue;
    Status added = add_pod(node.empty() ? sums.allocating : sums.allocated, pod);
    if (added && !node.empty()) added = add_pod(sums.by_node[node], pod);
    if (!added) return std::move(added).error();
  }
  return sums;
}

// The lower bounds of one resource over all grades, ascending as the models are.
struct ModelledResource {
  std::string name;
  std::vector<Quantity> bounds;

  // The last grade that this amount reaches; -1 where it reaches none.
  int grade_of(const Quantity& amount) const {
    auto above = std::upper_bound(bounds.begin(), bounds.end(), amount);
    return static_cast<int>(above - bounds.begin()) - 1;
  }
};

Result<std::vector<ModelledResource>> modelled_resources(std::span<const api::Json> models) {
  std::vector<ModelledResource> resources;
  for (const api::Json& range : models.front()["ranges"].elements()) {
    resources.push_back({std::string(range["name"].as_string()), {}});
  }
  for (const api::Json& model : models) {
    for (const api::Json& range : model["ranges"].elements()) {
      auto resource = std::find_if(resources.begin(), resources.end(), [&](const ModelledResource& known) {
        return known.name == range["name"].as_string();
      });
      if (resource == resources.end()) continue;
      Result<Quantity> bound = Quantity::from_json(range["min"]);
      if (!bound) return std::move(bound).context("resource model " + resource->name);
      resource->bounds.push_back(*bound);
    }
  }
  return resources;
}

// What is left on a node, or nothing where it takes no more pods.
std::optional<ResourceList> available_on(const ResourceList& allocatable, const ResourceList* used) {
  if (used == nullptr) return allocatable;
  if (allocatable.amount(kPods) <= used->amount(kPods)) return std::nullopt;
  ResourceList left = allocatable;
  left.subtract(*used);
  return left;
}

// The grade in which a node is for all modelled resources; -1 where it is below the first.
int grade_of(const ResourceList& available, std::span<const ModelledResource> resources) {
  int grade = resources.front().grade_of(available.amount(resources.front().name));
  for (const ModelledResource& resource : resources) {
    grade = std::min(grade, resource.grade_of(available.amount(resource.name)));
  }
  return grade;
}

Result<api::Json> modelings(std::span<const api::Json> models, std::span<const api::Json> nodes,
                            const PodRequests& pods) {
  Result<std::vector<ModelledResource>> resources = modelled_resources(models);
  if (!resources) return std::move(resources).error();
  if (resources->empty()) return api::Json();
  std::vector<std::int64_t> counts(models.size());
  for (const api::Json& node : nodes) {
    Result<ResourceList> allocatable = ResourceList::from_json(node.at({"status", "allocatable"}));
    if (!allocatable) return std::move(allocatable).error();
    auto used = pods.by_node.find(node.at({"metadata", "name"}).as_string());
    auto available = available_on(*allocatable, used == pods.by_node.end() ? nullptr : &used->second);
    // Karmada ends its count at the first full node, and what it counts is what schedulers reckon with.
    if (!available) break;
    int grade = grade_of(*available, *resources);
    if (grade >= 0) ++counts[static_cast<std::size_t>(grade)];
  }
  api::Json list = api::Json::array();
  for (std::size_t i = 0; i < models.size(); ++i) {
    list.push_back(api::Json::object({{"grade", models[i]["grade"].as_int()}, {"count", counts[i]}}));
  }
  return list;
}

void set_amounts(api::Json& summary, std::string_view name, const ResourceList& amounts) {
  api::Json list = api::schedulable_amounts(amounts).to_json();
  if (!list.empty()) summary.set(name, std::move(list));
}

}  // namespace

api::Json node_summary(std::span<const api::Json> nodes) {
  auto ready = std::count_if(nodes.begin(), nodes.end(), is_ready);
  api::Json summary = api::Json::object();
  if (!nodes.empty()) summary.set("totalNum", nodes.size());
  if (ready > 0) summary.set("readyNum", ready);
  return summary;
}

Result<api::Json> resource_summary(const api::Json& cluster_spec, std::span<const api::Json> nodes,
                                   std::span<const api::Json> pods) {
  ResourceList allocatable;
  for (const api::Json& node : nodes) {
    Result<ResourceList> offered = ResourceList::from_json(node.at({"status", "allocatable"}));
    if (!offered) {
      return std::move(offered).context("node " + std::string(node.at({"metadata", "name"}).as_string()));
    }
    allocatable.add(*offered);
  }
  Result<PodRequests> requests = add_up_pods(pods);
  if (!requests) return std::move(requests).error();
  api::Json summary = api::Json::object();
  set_amounts(summary, "allocatable", allocatable);
  set_amounts(summary, "allocating", requests->allocating);
  set_amounts(summary, "allocated", requests->allocated);
  const api::Json& models = cluster_spec["resourceModels"];
  if (models.empty()) return summary;
  Result<api::Json> graded = modelings(models.elements(), nodes, *requests);
  if (!graded) return graded;
  if (!graded->is_null()) summary.set("allocatableModelings", std::move(*graded));
  return summary;
}

}  // namespace flotilla::controllers
