// SPDX-License-Identifier: Apache-2.0
// What every simulator shares: the store it lives in, its settings, and the kinds it knows.
#pragma once

#include <string>
#include <string_view>

#include "core/informer/owner_index.hpp"
#include "core/reconcile/event_recorder.hpp"
#include "core/reconcile/loop.hpp"
#include "core/simulation/settings.hpp"
#include "core/store/writer.hpp"

namespace flotilla::simulation {

using api::Json;
using api::ObjectKey;
using api::ObjectPtr;
using reconcile::Outcome;

namespace kinds {
extern const store::StoredKind kNode, kPod, kReplicaSet, kDeployment, kStatefulSet, kDaemonSet, kJob,
    kCronJob, kService, kEndpoints, kEndpointSlice, kVolume, kVolumeClaim, kReplicationController,
    kControllerRevision;
}  // namespace kinds

struct World {
  store::Store& store;
  store::Writer& writer;
  const Clock& clock;
  const Settings& settings;
  reconcile::EventRecorder& events;
  informer::OwnerIndex& pods_of;
  informer::OwnerIndex& replica_sets_of;
  informer::OwnerIndex& jobs_of;

  ObjectPtr get(const store::StoredKind& kind, const ObjectKey& key) const {
    return store.get(kind.collection(), key.ns, key.name);
  }
  WallTime now() const { return clock.now(); }
  // A number in [0, 1) that depends on seed and text alone.
  double chance(std::string_view text) const;
};

// "-x7k2p": as long as the suffixes of generated names, but a function of seed and text.
std::string suffix(const World& world, std::string_view text);

// The controller reference that `owner` puts on what it makes.
Json owner_reference(const Json& owner);

// A pod of `template_` (spec.template of a workload), owned by `owner`.
Json pod_from_template(const Json& owner, const Json& pod_template, std::string name);

// What is known about the pods of a workload.
struct PodCounts {
  std::int64_t total = 0;  // not being deleted
  std::int64_t ready = 0;
  std::int64_t active = 0;  // not Succeeded, not Failed
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;
};
bool is_ready(const Json& pod);
std::string_view phase_of(const Json& pod);

// Writes `status` if it differs from what is there.
Task<Status> write_status(World& world, store::StoredKind kind, ObjectKey key, Json status);
Task<Status> delete_pod(World& world, ObjectKey key);
// Creates unless it exists.
Task<Status> ensure(World& world, store::StoredKind kind, Json object);

}  // namespace flotilla::simulation
