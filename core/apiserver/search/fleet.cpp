// SPDX-License-Identifier: Apache-2.0
#include "core/apiserver/search/fleet.hpp"

namespace flotilla::apiserver {
namespace {

constexpr Duration kFirstList = std::chrono::seconds(3);

}  // namespace

ResourcePtr as_shown(const Resource& resource, Shape shape) {
  auto shown = std::make_shared<Resource>(resource);
  shown->list_kind = resource.kind + "List";
  // Not as a custom resource: what a member has is not pruned by what is known here.
  shown->origin = api::Origin::KarmadaAggregated;
  if (shape != Shape::Table) return shown;
  shown->origin = api::Origin::Kubernetes;
  const bool own_columns =
      resource.group.empty() && (resource.resource == "pods" || resource.resource == "nodes");
  if (!own_columns) shown->kind.clear();
  return shown;
}

Task<void> wait_for_caches(ServerPtr server, search::TopicPtr topic) {
  for (;;) {
    const std::uint64_t seen = topic->changed->version();
    const SteadyTime now = server->executor.clock().steady_now();
    Duration left = Duration::zero();
    for (const auto& [cluster, source] : topic->sources) {
      if (!source.cache->synced()) left = std::max<Duration>(left, source.cache->born() + kFirstList - now);
    }
    if (left <= Duration::zero()) co_return;
    auto waiting = topic->changed->wait_past_for(seen, left);
    co_await std::move(waiting);
  }
}

Result<Selection> read_fleet_selection(const Call& call) {
  auto fields = api::FieldSelector::parse(call.query.get("fieldSelector"));
  if (!fields) return std::move(fields).error();
  for (const auto& term : fields->terms()) {
    if (term.path == "metadata.name" || term.path == "metadata.namespace") continue;
    return Error(
        Code::BadRequest,
        quoted(term.path) + " is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
  }
  return Selection::read(*call.resource, call.query, call.info.name);
}

Result<Owner> find_owner(const search::Topic& topic, const std::string& ns, const std::string& name) {
  Owner owner;
  std::string all;
  int count = 0;
  for (const auto& [cluster, source] : topic.sources) {
    if (!source.shown.contains(ns)) continue;
    ObjectPtr object = source.cache->get({ns, name});
    if (!object) continue;
    all += (count++ == 0 ? "" : ", ") + cluster;
    owner = {cluster, std::move(object)};
  }
  const GroupResource resource{topic.resource->group, topic.resource->resource};
  if (count == 0) return object_not_found(resource, name);
  if (count > 1) return object_conflict(resource, name, "ambiguous objects in clusters [" + all + "]");
  return owner;
}

}  // namespace flotilla::apiserver
