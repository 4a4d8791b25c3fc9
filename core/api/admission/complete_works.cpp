// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <utility>

#include "core/api/admission/rules.hpp"
#include "core/api/karmada.hpp"
#include "core/api/manifest.hpp"

namespace flotilla::api {

namespace {

// The permanent id that the object has or is given now.
std::string ensure_id(Json& object, const Admission& admission, std::string_view label) {
  const Json& present = std::as_const(object).at({"metadata", "labels"})[label];
  if (!present.as_string().empty()) return std::string(present.as_string());
  std::string id = admission.world.new_id();
  object.make({"metadata", "labels"}).set(label, id);
  return id;
}

}  // namespace

Status complete_resource_binding(Json& object, const Admission& admission) {
  ensure_id(object, admission, labels::kResourceBindingId);
  return {};
}

Status complete_cluster_resource_binding(Json& object, const Admission& admission) {
  ensure_id(object, admission, labels::kClusterResourceBindingId);
  return {};
}

Status complete_work(Json& object, const Admission& admission) {
  std::string id = ensure_id(object, admission, labels::kWorkId);
  Json* manifests = object.find_pointer("/spec/workload/manifests");
  if (manifests == nullptr) return {};
  for (Json& manifest : manifests->elements()) {
    if (!manifest.is_object()) return invalid("spec.workload.manifests: a manifest has to be an object");
    prune_manifest(manifest, JobTtl::Remove);
    record_managed_keys(manifest, id);
  }
  return {};
}

Status complete_multi_cluster_service(Json& object, const Admission& admission) {
  ensure_id(object, admission, labels::kMultiClusterServiceId);
  return {};
}

}  // namespace flotilla::api
