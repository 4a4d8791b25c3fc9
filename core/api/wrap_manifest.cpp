// SPDX-License-Identifier: Apache-2.0
#include "core/api/wrap_manifest.hpp"

#include <algorithm>

#include "core/api/karmada.hpp"
#include "core/api/manifest.hpp"
#include "core/api/names.hpp"
#include "core/api/object.hpp"

namespace flotilla::api {

namespace a = annotations;

Json wrap_manifest(Json manifest, const WorkFrame& frame) {
  const std::string ns = execution_namespace(frame.cluster);
  const std::string name = frame.name.empty() ? work_name(std::as_const(manifest)["kind"].as_string(),
                                                          name_of(manifest), namespace_of(manifest))
                                              : frame.name;
  const std::string uid(uid_of(manifest));
  Json& annotations = manifest.make({"metadata", "annotations"});
  if (!annotations.is_object()) annotations = Json::object();
  annotations.set(a::kTemplateUid, uid);
  annotations.set(a::kWorkName, name);
  annotations.set(a::kWorkNamespace, ns);
  manifest.make({"metadata", "labels", labels::kManaged}) = kTrue;
  prune_manifest(manifest, JobTtl::Remove);
  record_managed_keys(manifest, {});

  Json metadata = Json::object({{"name", name}, {"namespace", ns}});
  if (!frame.labels.empty()) metadata.set("labels", frame.labels);
  if (!frame.annotations.empty()) metadata.set("annotations", frame.annotations);
  if (!frame.finalizers.empty()) metadata.set("finalizers", Json::strings(frame.finalizers));
  Json spec = Json::object({{"workload", Json::object({{"manifests", Json::array({std::move(manifest)})}})}});
  if (frame.suspended) spec.set("suspendDispatching", true);
  return Json::object({{"apiVersion", versions::kWork},
                       {"kind", "Work"},
                       {"metadata", std::move(metadata)},
                       {"spec", std::move(spec)}});
}

bool renew_work(Json& work, const Json& wanted) {
  const Json before = work;
  const Json& from = wanted["metadata"];
  for (const std::string_view part : {"labels", "annotations"}) {
    for (const auto& [key, value] : from[part].members()) work.make({"metadata", part, key}) = value;
  }
  if (from.contains("finalizers")) {
    work["metadata"].set("finalizers", from["finalizers"]);
  } else {
    work["metadata"].erase("finalizers");
  }
  Json spec = wanted["spec"];
  // From its second writing on a manifest carries the permanent id of its Work.
  const std::string id(label_of(before, labels::kWorkId));
  if (!id.empty()) {
    for (Json& manifest : spec["workload"]["manifests"].elements()) record_managed_keys(manifest, id);
  }
  work.set("spec", std::move(spec));
  return !(work == before);
}

bool contains_kind(const Json& work, std::string_view api_version, std::string_view kind) {
  const auto manifests = work["spec"]["workload"]["manifests"].elements();
  return std::any_of(manifests.begin(), manifests.end(), [&](const Json& manifest) {
    return manifest["apiVersion"].as_string() == api_version && manifest["kind"].as_string() == kind;
  });
}

}  // namespace flotilla::api
