// SPDX-License-Identifier: Apache-2.0
#include "core/controllers/dispatch/member_update.hpp"

#include "core/api/karmada.hpp"
#include "core/api/manifest.hpp"
#include "core/api/object.hpp"

namespace flotilla::controllers {
namespace {

using api::Json;

bool lists_key(std::string_view list, std::string_view key) {
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (list.substr(begin, end - begin) == key) return true;
    begin = end + 1;
  }
  return false;
}

// Keys that only the member has stay, but those that were propagated once and are no longer wanted go.
void retain_map(Json& desired, const Json& observed, std::string_view part,
                std::string_view managed_annotation) {
  const std::string_view managed = api::annotation_of(observed, managed_annotation);
  for (const auto& [key, value] : observed["metadata"][part].members()) {
    if (std::as_const(desired)["metadata"][part].contains(key) || lists_key(managed, key)) continue;
    desired.make({"metadata", part, key}) = value;
  }
}

void take_over(Json& desired, const Json& observed, std::string_view field) {
  const Json* value = observed["metadata"].find(field);
  if (value != nullptr) {
    desired["metadata"].set(field, *value);
  } else {
    desired["metadata"].erase(field);
  }
}

// Members that are null or {} carry no meaning (typed clients add and drop them).
void drop_empty(Json& value) {
  if (value.is_array()) {
    for (Json& element : value.elements()) drop_empty(element);
    return;
  }
  if (!value.is_object()) return;
  for (const std::string& key : value.keys()) {
    Json* member = value.find(key);
    drop_empty(*member);
    if (member->is_null() || (member->is_object() && member->empty())) value.erase(key);
  }
}

// Retention writes an empty status into a Pod and an empty list into a ServiceAccount without secrets, in
// Karmada; so it takes them for changed whatever the member has, and sends them again.
bool is_always_sent(const Json& object) {
  if (object["apiVersion"].as_string() != "v1") return false;
  const std::string_view kind = object["kind"].as_string();
  return kind == "Pod" || (kind == "ServiceAccount" && object["secrets"].empty());
}

}  // namespace

bool may_overwrite(const Json& desired, const Json& observed) {
  return api::label_of(observed, api::labels::kManaged) == api::kTrue ||
         api::annotation_of(desired, api::annotations::kConflictResolution) == api::annotations::kOverwrite;
}

bool carries_metadata_of(const Json& manifest, const Json& observed) {
  for (const std::string_view part : {"labels", "annotations"}) {
    for (const auto& [key, value] : manifest["metadata"][part].members()) {
      if (observed["metadata"][part][key] != value) return false;
    }
  }
  return true;
}

Result<std::optional<Json>> plan_member_update(std::string_view cluster, const Json& desired,
                                               const Json& observed,
                                               const interpreter::Interpreter& interpreter) {
  if (!may_overwrite(desired, observed)) {
    return Error(Code::Conflict, "resource(kind=" + std::string(desired["kind"].as_string()) + ", " +
                                     std::string(api::namespace_of(desired)) + "/" +
                                     std::string(api::name_of(desired)) + ") already exists in the cluster " +
                                     std::string(cluster) + " and the " +
                                     std::string(api::annotations::kConflictResolution) +
                                     " strategy value is empty, Karmada will not manage this resource");
  }
  Json wanted = desired;
  take_over(wanted, observed, "resourceVersion");
  take_over(wanted, observed, "finalizers");
  take_over(wanted, observed, "ownerReferences");
  retain_map(wanted, observed, "annotations", api::annotations::kManagedAnnotations);
  retain_map(wanted, observed, "labels", api::annotations::kManagedLabels);
  if (interpreter.supports(wanted, interpreter::Operation::Retain)) {
    auto retained = interpreter.retain(wanted, observed);
    if (!retained) return std::move(retained).context("retain");
    wanted = *std::move(retained);
  }
  Json before = observed;
  api::prune_manifest(before, api::JobTtl::Remove);
  take_over(before, observed, "resourceVersion");
  take_over(before, observed, "finalizers");
  take_over(before, observed, "ownerReferences");
  Json after = wanted;
  drop_empty(before);
  drop_empty(after);
  if (before == after && !is_always_sent(wanted)) return std::optional<Json>();
  return std::optional<Json>(std::move(wanted));
}

Json without_marks(Json manifest) {
  namespace l = api::labels;
  namespace a = api::annotations;
  for (const std::string_view label :
       {l::kPropagationPolicyId, l::kClusterPropagationPolicyId, l::kResourceBindingId,
        l::kClusterResourceBindingId, l::kWorkId, l::kManaged}) {
    if (Json* labels = manifest["metadata"].find("labels")) labels->erase(label);
  }
  for (const std::string_view annotation :
       {a::kPropagationPolicyNamespace, a::kPropagationPolicyName, a::kClusterPropagationPolicyName,
        a::kManagedAnnotations, a::kManagedLabels, a::kResourceBindingNamespace, a::kResourceBindingName,
        a::kClusterResourceBindingName, a::kTemplateUid, a::kTemplateGeneration, a::kWorkName,
        a::kWorkNamespace}) {
    if (Json* annotations = manifest["metadata"].find("annotations")) annotations->erase(annotation);
  }
  return manifest;
}

}  // namespace flotilla::controllers
