// SPDX-License-Identifier: Apache-2.0
// Keeping Works in step with the endpoint slices of members.
#pragma once

#include "core/api/collected_slice.hpp"
#include "core/cluster/registry.hpp"
#include "core/controllers/controller.hpp"
#include "core/informer/label_index.hpp"

namespace flotilla::controllers {

// The slices of a member that are its own.
std::shared_ptr<cluster::MemberCache> own_slices(cluster::Member& member);
extern const api::Gvr kSliceResource;

bool is_cluster_ready(const Context& context, const std::string& cluster);
// Ready, and not known to lack endpoint slices. Null: it does not exist.
struct SliceCluster {
  bool exists = false, ready = false, serves_slices = true;
};
SliceCluster slice_cluster(const Context& context, const std::string& cluster);
// Only its readiness, its endpoint and what it serves make a difference; those events come through.
bool changes_slice_clusters(const Event& event);

// Keys of things in a member: "endpointslices@member1".
Key member_key_of(std::string_view resource, const std::string& cluster, ObjectKey object);
// The cluster of such a key; empty: another key.
std::string cluster_of_key(const Key& key, std::string_view resource);

// Records a slice, or renews its record.
Task<Status> keep_slice(Context& context, std::string cluster, Json slice, api::SliceKeeper keeper);
// Lets go of a record: relabels it when somebody else keeps it too, deletes it else.
Task<Status> let_slice_go(Context& context, ObjectKey work, api::SliceKeeper keeper);
// Brings the records of one service in one cluster in step with the slices there are. Errors: Unavailable
// while these are not known.
Task<Status> keep_slices_of(Context& context, std::shared_ptr<cluster::Member> member, ObjectKey service,
                            api::SliceKeeper keeper, std::vector<ObjectKey> records);

}  // namespace flotilla::controllers
