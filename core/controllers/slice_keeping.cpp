// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/slice_keeping.hpp"

#include <set>

#include "core/api/conditions.hpp"
#include "core/api/names.hpp"
#include "core/controllers/facts.hpp"
#include "core/controllers/put_work.hpp"

namespace flotilla::controllers {

const api::Gvr kSliceResource{"discovery.k8s.io", "v1", "endpointslices"};

namespace {

constexpr Duration kSyncWait = std::chrono::seconds(5);

bool serves_slices(const Json& cluster) {
  const Json& status = cluster["status"];
  for (const Json& enablement : status["apiEnablements"].elements()) {
    if (enablement["groupVersion"].as_string() != api::kSliceVersion) continue;
    for (const Json& resource : enablement["resources"].elements()) {
      if (resource["kind"].as_string() == api::kSliceKind) return true;
    }
  }
  // What was not seen is missing only if everything was seen.
  return !api::is_condition_true(status["conditions"], "CompleteAPIEnablements");
}

ObjectKey record_of(const std::string& cluster, const Json& slice) {
  return {api::execution_namespace(cluster),
          api::work_name(api::kSliceKind, api::name_of(slice), api::namespace_of(slice))};
}

}  // namespace

std::shared_ptr<cluster::MemberCache> own_slices(cluster::Member& member) {
  return member.cache(kSliceResource, api::own_slices_selector());
}

bool is_cluster_ready(const Context& context, const std::string& cluster) {
  return slice_cluster(context, cluster).ready;
}

SliceCluster slice_cluster(const Context& context, const std::string& name) {
  const ObjectPtr cluster = context.get(kinds::kCluster, {"", name});
  if (!cluster) return {};
  const auto content = cluster->content();
  return {true, is_ready(*content), serves_slices(*content)};
}

bool changes_slice_clusters(const Event& event) {
  if (event.type != Event::Type::Modified || event.previous->generation() != event.object->generation())
    return true;
  const auto before = event.previous->content(), after = event.object->content();
  return is_ready(*before) != is_ready(*after) || serves_slices(*before) != serves_slices(*after) ||
         event.previous->deleting() != event.object->deleting();
}

Key member_key_of(std::string_view resource, const std::string& cluster, ObjectKey object) {
  return {Collection(std::string(resource) + "@" + cluster), std::move(object)};
}

std::string cluster_of_key(const Key& key, std::string_view resource) {
  const std::string& text = key.collection.get();
  const bool ours =
      text.size() > resource.size() && text.starts_with(resource) && text[resource.size()] == '@';
  return ours ? text.substr(resource.size() + 1) : std::string();
}

Task<Status> keep_slice(Context& context, std::string cluster, Json slice, api::SliceKeeper keeper) {
  const ObjectPtr known = context.get(kinds::kWork, record_of(cluster, slice));
  const Json record = known ? *known->content() : Json();
  auto putting = put_work(context, api::collected_work(slice, cluster, keeper, record));
  co_return co_await std::move(putting);
}

Task<Status> let_slice_go(Context& context, ObjectKey work, api::SliceKeeper keeper) {
  const ObjectPtr record = context.get(kinds::kWork, work);
  if (!record || record->deleting()) co_return Status();
  Json trial = *record->content();
  if (api::label_of(trial, keeper.name_label).empty()) co_return Status();
  if (!api::release_collected(trial, keeper)) {
    auto removing = remove_work(context, std::move(work), std::string(keeper.name),
                                "the endpoint slice is collected no more");
    co_return co_await std::move(removing);
  }
  auto relabelling = context.writer.modify(
      kinds::kWork, Part::Main, std::move(work),
      [keeper](Json& object) -> Result<bool> { return api::release_collected(object, keeper); });
  const auto relabelled = co_await std::move(relabelling);
  co_return relabelled || relabelled.error().is(Code::NotFound) ? Status() : Status(relabelled.error());
}

Task<Status> keep_slices_of(Context& context, std::shared_ptr<cluster::Member> member, ObjectKey service,
                            api::SliceKeeper keeper, std::vector<ObjectKey> records) {
  const auto cache = own_slices(*member);
  auto syncing = cache->wait_synced(kSyncWait);
  co_await std::move(syncing);
  auto slices = cache->list(service.ns, api::kServiceNameLabel, service.name);
  if (!slices) co_return std::move(slices).error();
  std::set<ObjectKey> wanted;
  for (const Json& slice : *slices) wanted.insert(record_of(member->name(), slice));
  std::optional<Error> failure;
  for (const ObjectKey& record : records) {
    if (wanted.contains(record)) continue;
    auto leaving = let_slice_go(context, record, keeper);
    const Status left = co_await std::move(leaving);
    if (!left) failure = left.error();
  }
  for (Json& slice : *slices) {
    auto keeping = keep_slice(context, member->name(), std::move(slice), keeper);
    const Status kept = co_await std::move(keeping);
    if (!kept) failure = kept.error();
  }
  co_return failure ? Status(*std::move(failure)) : Status();
}

}  // namespace flotilla::controllers
