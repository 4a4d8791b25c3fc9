// SPDX-License-Identifier: Apache-2.0
#include "core/api/scale.hpp"

#include "core/api/selector.hpp"

namespace flotilla::api {
namespace {

// ".spec.replicas" as members.
std::vector<std::string> members_of(std::string_view path) {
  std::vector<std::string> members;
  while (!path.empty()) {
    if (path.front() == '.') path.remove_prefix(1);
    const auto dot = path.find('.');
    members.emplace_back(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot);
  }
  return members;
}

const Json& value_at(const Json& object, std::string_view path) {
  const Json* value = &object;
  for (const std::string& member : members_of(path)) value = &(*value)[std::string_view(member)];
  return *value;
}

ScalePaths paths_of(const Resource& resource) {
  return resource.scale.value_or(ScalePaths{".spec.replicas", ".status.replicas", ""});
}

std::string selector_text(const Resource& resource, const Json& object) {
  if (resource.scale) return std::string(value_at(object, resource.scale->label_selector).as_string());
  const Json& selector = object["spec"]["selector"];
  if (resource.resource == "replicationcontrollers") {
    std::string text;
    for (const auto& [key, value] : selector.members()) {
      text += (text.empty() ? "" : ",") + std::string(key) + "=" + std::string(value.as_string());
    }
    return text;
  }
  const auto parsed = LabelSelector::from_json(selector);
  return parsed ? parsed->to_string() : std::string();
}

}  // namespace

bool has_scale(const Resource& resource) {
  return resource.subresource("scale") != nullptr;
}

Json scale_of(const Resource& resource, const Json& object) {
  const ScalePaths paths = paths_of(resource);
  const Json& from = object["metadata"];
  Json metadata = Json::object();
  for (const std::string_view key : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    if (from.contains(key)) metadata.set(key, from[key]);
  }
  Json spec = Json::object();
  const std::int64_t replicas = value_at(object, paths.spec_replicas).as_int();
  if (replicas != 0) spec.set("replicas", replicas);
  Json status = Json::object({{"replicas", value_at(object, paths.status_replicas).as_int()}});
  const std::string selector = selector_text(resource, object);
  if (!selector.empty()) status.set("selector", selector);
  return Json::object({{"kind", "Scale"},
                       {"apiVersion", "autoscaling/v1"},
                       {"metadata", std::move(metadata)},
                       {"spec", std::move(spec)},
                       {"status", std::move(status)}});
}

void set_scale(const Resource& resource, const Json& scale, Json& object) {
  set_scale_replicas(resource, scale["spec"]["replicas"].as_int(), object);
}

void set_scale_replicas(const Resource& resource, std::int64_t replicas, Json& object) {
  Json* at = &object;
  for (const std::string& member : members_of(paths_of(resource).spec_replicas))
    at = &(*at)[std::string_view(member)];
  *at = replicas;
}

}  // namespace flotilla::api
