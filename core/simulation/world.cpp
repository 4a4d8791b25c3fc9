// SPDX-License-Identifier: Apache-2.0
#include "core/simulation/world.hpp"

#include "core/api/conditions.hpp"
#include "core/api/names.hpp"

namespace flotilla::simulation {

namespace kinds {
//                                       group   version kind  resource  namespaced  status  generation
const store::StoredKind kNode{{"", "v1", "Node"}, "nodes", false, true, false};
const store::StoredKind kPod{
    .gvk = {"", "v1", "Pod"}, .resource = "pods", .has_status_subresource = true, .graceful = true};
const store::StoredKind kReplicaSet{{"apps", "v1", "ReplicaSet"}, "replicasets", true, true, true};
const store::StoredKind kDeployment{.gvk = {"apps", "v1", "Deployment"},
                                    .resource = "deployments",
                                    .has_status_subresource = true,
                                    .has_generation = true,
                                    .generation_annotations = true,
                                    .status_metadata = true};
const store::StoredKind kStatefulSet{{"apps", "v1", "StatefulSet"}, "statefulsets", true, true, true};
const store::StoredKind kDaemonSet{{"apps", "v1", "DaemonSet"}, "daemonsets", true, true, true};
const store::StoredKind kJob{{"batch", "v1", "Job"}, "jobs", true, true, true};
const store::StoredKind kCronJob{{"batch", "v1", "CronJob"}, "cronjobs", true, true, true};
const store::StoredKind kService{{"", "v1", "Service"}, "services", true, true, false};
const store::StoredKind kEndpoints{{"", "v1", "Endpoints"}, "endpoints", true, false, false};
const store::StoredKind kEndpointSlice{
    {"discovery.k8s.io", "v1", "EndpointSlice"}, "endpointslices", true, false, true};
const store::StoredKind kVolume{{"", "v1", "PersistentVolume"}, "persistentvolumes", false, true, false};
const store::StoredKind kVolumeClaim{
    {"", "v1", "PersistentVolumeClaim"}, "persistentvolumeclaims", true, true, false};
const store::StoredKind kReplicationController{
    {"", "v1", "ReplicationController"}, "replicationcontrollers", true, true, true};
const store::StoredKind kControllerRevision{
    {"apps", "v1", "ControllerRevision"}, "controllerrevisions", true, false, false};
}  // namespace kinds

namespace {

// FNV-1a leaves neighbours close in its high bits; one round of mixing spreads them.
std::uint64_t mixed(std::uint64_t seed, std::string_view text) {
  std::uint64_t hash = api::fnv1a_32(text) + seed * 0x9e3779b97f4a7c15;
  hash ^= hash >> 30;
  hash *= 0xbf58476d1ce4e5b9;
  hash ^= hash >> 27;
  hash *= 0x94d049bb133111eb;
  return hash ^ (hash >> 31);
}

}  // namespace

double World::chance(std::string_view text) const {
  return static_cast<double>(mixed(settings.seed, text) >> 11) / static_cast<double>(1ull << 53);
}

std::string suffix(const World& world, std::string_view text) {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::uint64_t value = mixed(world.settings.seed, text);
  std::string out = "-";
  for (int i = 0; i < 5; ++i, value /= kAlphabet.size()) out += kAlphabet[value % kAlphabet.size()];
  return out;
}

Json owner_reference(const Json& owner) {
  return Json::object({{"apiVersion", owner["apiVersion"]},
                       {"kind", owner["kind"]},
                       {"name", owner["metadata"]["name"]},
                       {"uid", owner["metadata"]["uid"]},
                       {"controller", true},
                       {"blockOwnerDeletion", true}});
}

Json pod_from_template(const Json& owner, const Json& pod_template, std::string name) {
  Json metadata = Json::object({{"name", name},
                                {"namespace", api::namespace_of(owner)},
                                {"generateName", std::string(api::name_of(owner)) + "-"},
                                {"ownerReferences", Json::array({owner_reference(owner)})}});
  for (const std::string_view part : {"labels", "annotations", "finalizers"}) {
    if (const Json* value = pod_template["metadata"].find(part)) metadata.set(part, *value);
  }
  return Json::object({{"apiVersion", "v1"},
                       {"kind", "Pod"},
                       {"metadata", std::move(metadata)},
                       {"spec", pod_template["spec"]},
                       {"status", Json::object({{"phase", "Pending"}, {"qosClass", "BestEffort"}})}});
}

bool is_ready(const Json& pod) {
  return api::is_condition_true(pod["status"]["conditions"], "Ready");
}
std::string_view phase_of(const Json& pod) {
  return pod["status"]["phase"].as_string("Pending");
}

Task<Status> write_status(World& world, store::StoredKind kind, ObjectKey key, Json status) {
  auto wanted = std::make_shared<const Json>(std::move(status));
  auto writing = world.writer.modify(kind, store::Part::Status, key, [wanted](Json& object) -> Result<bool> {
    if (std::as_const(object)["status"] == *wanted) return false;
    object.set("status", *wanted);
    return true;
  });
  const auto written = co_await std::move(writing);
  if (!written && !written.error().is(Code::NotFound)) co_return written.error();
  co_return Status();
}

Task<Status> delete_pod(World& world, ObjectKey key) {
  store::DeleteOptions options;
  options.propagation = "Background";
  auto removing = world.writer.remove(kinds::kPod, key, std::move(options));
  const auto removed = co_await std::move(removing);
  if (!removed && !removed.error().is(Code::NotFound)) co_return removed.error();
  co_return Status();
}

Task<Status> ensure(World& world, store::StoredKind kind, Json object) {
  if (world.get(kind, api::key_of(object))) co_return Status();
  store::WriteOptions options;
  options.with_status = true;
  auto creating = world.writer.create(kind, std::move(object), options);
  const auto created = co_await std::move(creating);
  if (!created && !created.error().is(Code::AlreadyExists)) co_return created.error();
  co_return Status();
}

}  // namespace flotilla::simulation
