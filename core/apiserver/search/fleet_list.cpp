// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "core/api/multi_cluster_version.hpp"
#include "core/apiserver/read/continuation.hpp"
#include "core/apiserver/read/reads.hpp"
#include "core/apiserver/response.hpp"
#include "core/apiserver/search/fleet.hpp"
#include "core/apiserver/shape.hpp"

namespace flotilla::apiserver {
namespace {

using api::MultiClusterContinue;
using api::MultiClusterVersion;

constexpr Duration kVersionPatience = std::chrono::seconds(3);

// What a list asks for beside its selection.
struct Paging {
  std::size_t limit = 0;                // 0: all
  MultiClusterVersion versions;         // that were asked for, or that the first page had
  MultiClusterContinue from;            // where it goes on; empty: the beginning
  std::optional<api::ObjectKey> after;  // within from.cluster
};

// What a list shows.
struct FleetPage {
  std::vector<ObjectPtr> objects;
  MultiClusterVersion versions;
  MultiClusterContinue next;
  bool full = false;
};

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Result<Paging> read_paging(const Call& call) {
  const Query& query = call.query;
  Paging paging;
  auto limit = query.integer("limit");
  if (!limit) return std::move(limit).error();
  paging.limit = limit->value_or(0) > 0 ? static_cast<std::size_t>(**limit) : 0;
  const std::string_view token = query.get("continue");
  if (token.empty()) {
    paging.versions = MultiClusterVersion::decode(query.get("resourceVersion"));
    return paging;
  }
  paging.from = MultiClusterContinue::decode(token);
  paging.versions = MultiClusterVersion::decode(paging.from.resource_version);
  if (!paging.from.token.empty()) {
    auto place = decode_continuation(paging.from.token, call.resource->namespaced);
    if (!place) return std::move(place).error();
    paging.after = place->after;
  }
  return paging;
}

// A client that has seen more than a cache knows waits for it.
Task<Status> wait_for_versions(ServerPtr server, search::TopicPtr topic, MultiClusterVersion asked) {
  const Clock& clock = server->executor.clock();
  const SteadyTime give_up = clock.steady_now() + kVersionPatience;
  for (const auto& [cluster, source] : topic->sources) {
    const std::int64_t wanted = number(asked.of(cluster));
    while (source.cache->synced() && source.cache->version().get() < wanted) {
      const std::uint64_t seen = topic->changed->version();
      const std::int64_t known = source.cache->version().get();
      if (known >= wanted) break;
      const SteadyTime now = clock.steady_now();
      if (now >= give_up)
        co_return version_too_large(static_cast<std::uint64_t>(wanted), static_cast<std::uint64_t>(known));
      auto waiting = topic->changed->wait_past_for(seen, give_up - now);
      co_await std::move(waiting);
    }
  }
  co_return Status();
}

// Takes what is chosen of one member, up to the limit.
void take_objects(const Call& call, const Selection& selection, const Paging& paging,
                  const std::pair<const std::string, search::Topic::Source>& source, FleetPage& page) {
  const auto& [cluster, from] = source;
  const auto snapshot = from.cache->list(call.info.ns);
  const bool goes_on = paging.after && cluster == paging.from.cluster;
  // A page that goes on within a member keeps the version of the first one: what has changed since is told
  // to who watches from there.
  if (!goes_on) page.versions.set(cluster, std::to_string(snapshot.version.get()));
  for (const ObjectPtr& object : snapshot.objects) {
    if (goes_on && !(*paging.after < object->key())) continue;
    if (!from.shown.contains(object->ns()) || !selection.matches(*object)) continue;
    if (paging.limit != 0 && page.objects.size() == paging.limit) {
      page.full = true;
      page.next.cluster = cluster;
      page.next.token = encode_continuation(snapshot.version.get(), page.objects.back()->key());
      return;
    }
    page.objects.push_back(object);
  }
}

FleetPage cut_page(const Call& call, const Selection& selection, const Paging& paging,
                   const search::Topic& topic) {
  FleetPage page;
  page.versions = paging.versions;
  for (const auto& source : topic.sources) {
    const bool before = source.first < paging.from.cluster;
    if (before || !source.second.cache->synced()) continue;
    if (paging.limit != 0 && page.objects.size() == paging.limit) {
      // Whether there is more in it is found out by who goes on.
      page.full = true;
      page.next.cluster = source.first;
      break;
    }
    take_objects(call, selection, paging, source, page);
    if (page.full) break;
  }
  for (const auto& [cluster, source] : topic.sources) {
    if (source.cache->synced() && page.versions.of(cluster).empty())
      page.versions.set(cluster, std::to_string(source.cache->version().get()));
  }
  page.next.resource_version = page.versions.encode();
  return page;
}

// Nobody can say of what kind the objects of no member are.
ResourcePtr plain_list(const Resource& resource) {
  auto plain = std::make_shared<Resource>(resource);
  plain->list_kind = "List";
  plain->group.clear();
  plain->version = "v1";
  return plain;
}

}  // namespace

Task<http::Response> serve_fleet_list(ServerPtr server, CallPtr call, search::TopicPtr topic) {
  if (auto fits = check_shape(*call, true); !fits) co_return error_response(*call, fits.error());
  if (auto numbers = check_list_numbers(call->query); !numbers)
    co_return error_response(*call, numbers.error());
  auto selection = read_fleet_selection(*call);
  if (!selection) co_return error_response(*call, selection.error());
  if (auto valid = check_list_options(call->query, false); !valid)
    co_return error_response(*call, valid.error());
  auto paging = read_paging(*call);
  if (!paging) co_return error_response(*call, paging.error());
  auto waiting = wait_for_caches(server, topic);
  co_await std::move(waiting);
  if (paging->from.cluster.empty()) {
    auto reaching = wait_for_versions(server, topic, paging->versions);
    if (auto there = co_await std::move(reaching); !there) co_return error_response(*call, there.error());
  }
  FleetPage page = cut_page(*call, *selection, *paging, *topic);
  if (topic->sources.empty()) call->resource = plain_list(*call->resource);
  ListMeta meta;
  meta.version = page.versions.encode();
  meta.continue_token = page.next.encode();
  co_return list_response(server, call, std::move(page.objects), meta);
}

Task<http::Response> serve_fleet_get(ServerPtr server, CallPtr call, search::TopicPtr topic) {
  if (auto fits = check_shape(*call, false); !fits) co_return error_response(*call, fits.error());
  auto waiting = wait_for_caches(server, topic);
  co_await std::move(waiting);
  const auto owner = find_owner(*topic, call->info.ns, call->info.name);
  if (!owner) co_return error_response(*call, owner.error());
  Json shown = *owner->object->content();
  owner->object->release_content();
  MultiClusterVersion version;
  version.set(owner->cluster, std::to_string(owner->object->revision().get()));
  shown["metadata"].set("resourceVersion", version.encode());
  co_return object_response(*server, *call, 200, shown);
}

}  // namespace flotilla::apiserver
