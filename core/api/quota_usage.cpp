// SPDX-License-Identifier: Apache-2.0
#include "core/api/quota_usage.hpp"

#include <utility>

namespace flotilla::api {

namespace {

// Adds what `owner` asks for in replicaRequirements.resourceRequest, so many times.
Status add_requests(ResourceList& usage, const Json& owner, std::int64_t times) {
  if (times == 0) return {};
  Result<ResourceList> requests =
      ResourceList::from_json(owner.at({"replicaRequirements", "resourceRequest"}));
  if (!requests) return std::move(requests).context("resourceRequest");
  requests->multiply(times);
  usage.add(*requests);
  return {};
}

}  // namespace

Result<ResourceList> quota_usage(const Json& binding_spec) {
  auto clusters = binding_spec["clusters"].elements();
  auto components = binding_spec["components"].elements();
  ResourceList usage;
  if (components.empty()) {
    std::int64_t replicas = 0;
    for (const Json& cluster : clusters) replicas += cluster["replicas"].as_int();
    if (Status added = add_requests(usage, binding_spec, replicas); !added) return std::move(added).error();
    return usage;
  }
  for (const Json& component : components) {
    std::int64_t times = component["replicas"].as_int() * static_cast<std::int64_t>(clusters.size());
    if (Status added = add_requests(usage, component, times); !added) return std::move(added).error();
  }
  return usage;
}

}  // namespace flotilla::api
