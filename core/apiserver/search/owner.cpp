// SPDX-License-Identifier: Apache-2.0
#include "core/api/karmada.hpp"
#include "core/api/multi_cluster_version.hpp"
#include "core/apiserver/cluster_proxy/cluster_proxy.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/search/fleet.hpp"

namespace flotilla::apiserver {
namespace {

Error not_supported(const Resource& resource, const std::string& verb) {
  ErrorDetails details;
  details.group = resource.group;
  details.kind = resource.resource;
  return Error(Code::Unsupported,
               verb + " is not supported on resources of kind " + quoted(resource.group_resource()),
               std::move(details));
}

// False: it is the member's own, or none.
bool recover_version(Json& holder, std::string_view cluster) {
  const auto versions =
      api::MultiClusterVersion::decode(std::as_const(holder)["resourceVersion"].as_string());
  if (versions.versions().empty()) return false;
  holder.set("resourceVersion", versions.of(cluster));
  return true;
}

bool remove_source(Json& metadata) {
  if (std::as_const(metadata)["annotations"].find(api::annotations::kCachedFromCluster) == nullptr)
    return false;
  metadata["annotations"].erase(api::annotations::kCachedFromCluster);
  return true;
}

constexpr Duration kUntilSeen = std::chrono::seconds(1);

bool writes(const RequestInfo& info) {
  return info.verb == "update" || info.verb == "patch" || info.verb == "delete";
}

// The cache knows what the member has answered.
bool is_seen(const search::ResourceCache& cache, const api::Object& before, const Json& answer) {
  if (answer["kind"].as_string() != "Status") return api::revision_of(answer) <= cache.version();
  const ObjectPtr now = cache.get(before.key());
  return !now || now->uid() != before.uid() || now->deleting();
}

// Who has written finds it in the cache, unless that takes too long.
Task<void> wait_until_seen(ServerPtr server, search::TopicPtr topic, Owner owner, Json answer) {
  const auto source = topic->sources.find(owner.cluster);
  if (source == topic->sources.end()) co_return;
  const Clock& clock = server->executor.clock();
  const SteadyTime give_up = clock.steady_now() + kUntilSeen;
  for (;;) {
    const std::uint64_t seen = topic->changed->version();
    const SteadyTime now = clock.steady_now();
    if (now >= give_up || is_seen(*source->second.cache, *owner.object, answer)) co_return;
    auto waiting = topic->changed->wait_past_for(seen, give_up - now);
    co_await std::move(waiting);
  }
}

// The whole body of an answer that came as a stream.
Task<std::string> gather(std::shared_ptr<http::BodyStream> stream) {
  std::string body;
  for (;;) {
    auto reading = stream->next();
    const std::vector<http::Chunk> chunks = co_await std::move(reading);
    if (chunks.empty()) co_return body;
    for (const http::Chunk& chunk : chunks) body.append(chunk.bytes);
  }
}

}  // namespace

std::string recover_body(std::string body, std::string_view verb, std::string_view cluster) {
  const bool deletes = verb == "delete";
  if (body.empty() || (!deletes && verb != "update" && verb != "patch")) return body;
  auto object = Json::parse(body, {.max_bytes = body.size()});
  if (!object || !object->is_object()) return body;
  const std::string_view place = deletes ? "preconditions" : "metadata";
  if (!std::as_const(*object)[place].is_object()) return body;
  Json& holder = (*object)[place];
  const bool source = verb == "update" && remove_source(holder);
  const bool version = recover_version(holder, cluster);
  return source || version ? object->dump() : body;
}

Task<http::Response> serve_at_owner(ServerPtr server, CallPtr call, FleetRequest request) {
  const RequestInfo& info = request.info;
  const Resource& resource = *request.topic->resource;
  if (info.in_collection()) co_return error_response(*call, not_supported(resource, info.verb));
  auto waiting = wait_for_caches(server, request.topic);
  co_await std::move(waiting);
  const auto owner = find_owner(*request.topic, resource.namespaced ? info.ns : std::string(), info.name);
  if (!owner) co_return error_response(*call, owner.error());
  const ObjectPtr cluster =
      server->store.get(store::collection_of(api::groups::kCluster, "clusters"), "", owner->cluster);
  if (!cluster) {
    co_return error_response(
        *call, object_not_found({std::string(api::groups::kCluster), "clusters"}, owner->cluster));
  }
  auto route = route_to_member(*server, *cluster->content());
  if (!route) co_return error_response(*call, route.error());
  call->request.body = recover_body(std::move(call->request.body), info.verb, owner->cluster);
  call->info = std::move(request.info);
  auto passing = pass_to_member(call, *std::move(route));
  http::Response response = co_await std::move(passing);
  if (!writes(call->info) || response.status >= 300 || !response.stream) co_return response;
  auto gathering = gather(std::move(response.stream));
  std::string body = co_await std::move(gathering);
  if (auto answer = Json::parse(body, {.max_bytes = body.size()}); answer && answer->is_object()) {
    auto seeing = wait_until_seen(server, request.topic, *owner, *std::move(answer));
    co_await std::move(seeing);
  }
  response.body.push_back(http::Chunk::of(std::move(body)));
  co_return response;
}

}  // namespace flotilla::apiserver
