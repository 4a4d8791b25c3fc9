// SPDX-License-Identifier: Apache-2.0
#include "core/api/manifest.hpp"

#include <string>
#include <utility>

#include "core/api/karmada.hpp"

namespace flotilla::api {

namespace {

using Pruner = void (*)(Json& manifest, JobTtl ttl);

constexpr std::string_view kControllerUid = "controller-uid";
constexpr std::string_view kBatchControllerUid = "batch.kubernetes.io/controller-uid";

// The member at this path, or null where any step is missing.
Json* find_at(Json& value, std::initializer_list<std::string_view> path) {
  Json* current = &value;
  for (std::string_view step : path) {
    current = current->find(step);
    if (current == nullptr) return nullptr;
  }
  return current;
}

void erase_in(Json* owner, std::initializer_list<std::string_view> keys) {
  if (owner == nullptr) return;
  for (std::string_view key : keys) owner->erase(key);
}

void prune_deployment(Json& manifest, JobTtl) {
  erase_in(find_at(manifest, {"metadata", "annotations"}),
           {"deployment.kubernetes.io/revision", "deployment.kubernetes.io/revision-history"});
}

void prune_job(Json& manifest, JobTtl ttl) {
  Json* spec = manifest.find("spec");
  if (spec == nullptr) return;
  if (ttl == JobTtl::Remove) spec->erase("ttlSecondsAfterFinished");
  if (std::as_const(*spec)["manualSelector"].as_bool()) return;
  erase_in(find_at(*spec, {"selector", "matchLabels"}), {kControllerUid, kBatchControllerUid});
  erase_in(find_at(*spec, {"template", "metadata", "labels"}),
           {kControllerUid, kBatchControllerUid, "job-name", "batch.kubernetes.io/job-name"});
}

void prune_secret(Json& manifest, JobTtl) {
  if (std::as_const(manifest)["type"].as_string() != "kubernetes.io/service-account-token") return;
  erase_in(find_at(manifest, {"metadata", "annotations"}), {"kubernetes.io/service-account.uid"});
  manifest.erase("data");
}

void prune_service_account(Json& manifest, JobTtl) {
  Json* secrets = manifest.find("secrets");
  if (secrets == nullptr) return;
  const Json& name = std::as_const(manifest).at({"metadata", "name"});
  std::string generated = std::string(name.as_string()) + "-token-";
  for (std::size_t i = secrets->size(); i-- > 0;) {
    if (std::as_const(*secrets).element(i)["name"].as_string().starts_with(generated)) secrets->erase_at(i);
  }
}

void prune_service(Json& manifest, JobTtl) {
  const Json& address = std::as_const(manifest).at({"spec", "clusterIP"});
  if (address.is_null() || address.as_string() == "None") return;
  erase_in(manifest.find("spec"), {"clusterIP", "clusterIPs"});
}

void prune_claim(Json& manifest, JobTtl) {
  erase_in(find_at(manifest, {"metadata", "annotations"}), {"volume.kubernetes.io/selected-node"});
}

struct KindPruner {
  std::string_view kind;  // of any group
  Pruner prune;
};

constexpr KindPruner kPruners[] = {
    {"Deployment", prune_deployment}, {"Job", prune_job},
    {"Secret", prune_secret},         {"ServiceAccount", prune_service_account},
    {"Service", prune_service},       {"PersistentVolumeClaim", prune_claim},
};

std::string joined_keys(const Json& map) {
  std::string text;
  for (auto [key, value] : map.members()) {
    if (!text.empty()) text += ',';
    text += key;
  }
  return text;
}

}  // namespace

void prune_manifest(Json& manifest, JobTtl ttl) {
  erase_in(manifest.find("metadata"),
           {"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation",
            "managedFields", "resourceVersion", "selfLink", "uid", "ownerReferences", "finalizers"});
  manifest.erase("status");
  std::string_view kind = std::as_const(manifest)["kind"].as_string();
  for (const KindPruner& known : kPruners) {
    if (known.kind == kind) known.prune(manifest, ttl);
  }
}

void record_managed_keys(Json& manifest, std::string_view work_id) {
  Json& annotations = manifest.make({"metadata", "annotations"});
  annotations.set(annotations::kManagedAnnotations, "");
  annotations.set(annotations::kManagedLabels, "");
  annotations.set(annotations::kManagedAnnotations, joined_keys(annotations));
  if (!work_id.empty()) manifest.make({"metadata", "labels"}).set(labels::kWorkId, work_id);
  const Json& labels = std::as_const(manifest).at({"metadata", "labels"});
  manifest.make({"metadata", "annotations"}).set(annotations::kManagedLabels, joined_keys(labels));
}

}  // namespace flotilla::api
