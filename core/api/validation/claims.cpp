// SPDX-License-Identifier: Apache-2.0
// PersistentVolumes and PersistentVolumeClaims, and what an update may not change of them.
#include <algorithm>

#include "core/api/quantity.hpp"
#include "core/api/validation/claims.hpp"
#include "core/api/validation/containers.hpp"
#include "core/api/validation/kinds.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::string_view kOldClass = "volume.beta.kubernetes.io/storage-class";
constexpr std::string_view kInline = "may not be specified in the context of inline volumes";

void validate_modes(const FieldView& modes) {
  static constexpr std::string_view kModes[] = {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany",
                                                "ReadWriteOncePod"};
  bool alone = false, shared = false;
  for (const FieldView& one : modes.each()) {
    const bool known = std::find(std::begin(kModes), std::end(kModes), one.text()) != std::end(kModes);
    if (!known) {
      modes.errors().not_supported(modes.path(), one.value(),
                                   {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce"});
    }
    alone = alone || one.text() == "ReadWriteOncePod";
    shared = shared || (known && one.text() != "ReadWriteOncePod");
  }
  if (alone && shared) modes.forbid("may not use ReadWriteOncePod with other access modes");
}

// A source of the claim's content, by its old or its new name.
void validate_data_source(const FieldView& source) {
  if (!source.value().is_object()) return;
  const FieldView group = source["apiGroup"], kind = source["kind"], ns = source["namespace"];
  source["name"].require();
  kind.require();
  if (!group.given() && kind.text() != "PersistentVolumeClaim") {
    source.errors().invalid(source.path(), kind.text(),
                            "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
  }
  if (ns.given()) ns.dns_label();
}

void validate_data_sources(const FieldView& spec) {
  const FieldView source = spec["dataSource"], ref = spec["dataSourceRef"];
  validate_data_source(source);
  validate_data_source(ref);
  if (!source.value().is_object() || !ref.value().is_object()) return;
  const auto differs = [&](std::string_view name) { return !(source[name].value() == ref[name].value()); };
  const bool across = ref["namespace"].given();
  if (!across && !differs("apiGroup") && !differs("kind") && !differs("name")) return;
  spec.errors().add_literal("FieldValueInvalid", spec.path(),
                            "Invalid value: " + source.path() +
                                (across ? ": may not be specified when dataSourceRef.namespace is specified"
                                        : ": must match dataSourceRef"));
}

void validate_capacity(const FieldView& capacity) {
  if (!capacity.filled()) capacity.errors().required(capacity.path());
  if (!capacity.value().contains("storage") || capacity.size() > 1) {
    capacity.errors().add_literal("FieldValueNotSupported", capacity.path(),
                                  "Unsupported value: core.ResourceList(nil): supported values: \"storage\"");
  }
  for (const auto& [name, value] : capacity.value().members()) {
    auto quantity = Quantity::from_json(value);
    const std::string path = at_key(capacity.path(), name);
    if (quantity.ok() && quantity->sign() < 0)
      capacity.errors().invalid(path, quantity->value(), "must be a valid resource quantity");
    if (quantity.ok() && quantity->sign() <= 0)
      capacity.errors().invalid(path, value, "must be greater than zero");
  }
}

// A source is what is left of a volume's spec.
Json source_of(Json spec) {
  for (const char* name :
       {"accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity",
        "persistentVolumeReclaimPolicy", "storageClassName", "volumeAttributesClassName", "volumeMode"}) {
    spec.erase(name);
  }
  return spec;
}

std::string_view old_class_of(const Json& object) {
  return object["metadata"]["annotations"][kOldClass].as_string();
}

// Null becomes the stored class where the class is only now written down.
Json comparable_claim(const Subject& subject, Json now) {
  const Json& before = subject.live["spec"];
  const std::string_view annotated = old_class_of(subject.live);
  const Json& chosen = std::as_const(now)["storageClassName"];
  const bool fits = annotated.empty() || chosen.as_string() == annotated;
  if (before["storageClassName"].is_null() && !chosen.is_null() && fits) now.erase("storageClassName");
  const bool bound = subject.object["status"]["phase"].text() == "Bound";
  const Json* size = before["resources"]["requests"].find("storage");
  if (bound && size && std::as_const(now)["resources"]["requests"].is_object())
    now.make({"resources", "requests"}).set("storage", *size);
  if (bound && std::as_const(now).contains("volumeAttributesClassName"))
    now.erase("volumeAttributesClassName");
  return now;
}

void volume_claim_update(const Subject& subject) {
  const FieldView spec = subject.spec();
  const Json& before = subject.live["spec"];
  Json then = before, now = comparable_claim(subject, spec.value());
  if (before["volumeName"].as_string().empty()) {
    then.erase("volumeName");
    now.erase("volumeName");
  }
  if (!now.contains("volumeAttributesClassName")) then.erase("volumeAttributesClassName");
  const std::string_view old_class = old_class_of(subject.live);
  const std::string_view new_class = subject.object["metadata"]["annotations"].value()[kOldClass].as_string();
  if (old_class != new_class && !(before["storageClassName"].is_null() && new_class.empty() &&
                                  spec["storageClassName"].text() == old_class)) {
    spec.errors().immutable("metadata.annotations." + std::string(kOldClass), new_class);
  }
  const char* words = "spec is immutable after creation except resources.requests for bound claims\n";
  if (!(now == then)) spec.forbid(words + go_difference("core.PersistentVolumeClaimSpec", then, now));
  auto old_size = Quantity::from_json(before["resources"]["requests"]["storage"]);
  auto new_size = Quantity::from_json(spec["resources"]["requests"]["storage"].value());
  if (old_size.ok() && new_size.ok() && *old_size > *new_size)
    spec.errors().forbidden("spec.resources.requests.storage", "field can not be less than previous value");
  FieldView(spec["volumeMode"].value(), "volumeMode", spec.errors()).immutable(before["volumeMode"]);
}

// A secret for expansion may be added, nothing else of the source changes.
Json without_new_secret(Json now, const Json& before) {
  if (before["csi"].is_object() && before["csi"]["controllerExpandSecretRef"].is_null() &&
      std::as_const(now)["csi"].is_object()) {
    now["csi"].erase("controllerExpandSecretRef");
  }
  return now;
}

void persistent_volume_update(const Subject& subject) {
  const FieldView spec = subject.spec();
  const Json& before = subject.live["spec"];
  const Json then = source_of(before), now = without_new_secret(source_of(spec.value()), before);
  if (!(now == then)) {
    spec.errors().forbidden("spec.persistentvolumesource",
                            "spec.persistentvolumesource is immutable after creation\n" +
                                go_difference("core.PersistentVolumeSource", then, now));
  }
  FieldView(spec["volumeMode"].value(), "volumeMode", spec.errors()).immutable(before["volumeMode"]);
  const Json& affinity = spec["nodeAffinity"].value();
  if (!before["nodeAffinity"].is_null() && !(affinity == before["nodeAffinity"])) {
    spec.errors().invalid("nodeAffinity", affinity,
                          "field is immutable, except for updating from beta label to GA");
  }
}

void validate_inline(const FieldView& spec) {
  if (!spec["claimRef"].value().is_null()) spec["claimRef"].forbid(kInline);
  if (spec["capacity"].filled()) spec["capacity"].forbid(kInline);
  if (spec["csi"].value().is_null())
    spec["csi"].errors().required(spec["csi"].path(), "has to be specified in the context of inline volumes");
}

// What an inline volume leaves open and a stored one may choose.
void validate_choices(const FieldView& spec, bool in_place) {
  const FieldView policy = spec["persistentVolumeReclaimPolicy"], affinity = spec["nodeAffinity"];
  if (policy.given() && in_place && policy.text() != "Retain")
    policy.forbid("may only be Retain in the context of inline volumes");
  if (policy.given() && !in_place) policy.one_of({"Delete", "Recycle", "Retain"});
  if (affinity.value().is_null()) return;
  if (in_place) {
    affinity.forbid(kInline);
  } else if (affinity["required"].value().is_object()) {
    validate_node_selector(affinity["required"]);
  } else {
    affinity["required"].errors().required(affinity["required"].path(),
                                           "must specify required node constraints");
  }
}

bool is_root(std::string_view path) {
  return !path.empty() && path.find_first_not_of("/.") == path.npos && path.find("..") == path.npos;
}

}  // namespace

void validate_volume_spec(const FieldView& spec, std::string_view name, bool in_place) {
  if (in_place) validate_inline(spec);
  if (!spec["accessModes"].filled()) spec["accessModes"].errors().required(spec["accessModes"].path());
  validate_modes(spec["accessModes"]);
  if (!in_place) validate_capacity(spec["capacity"]);
  validate_choices(spec, in_place);
  validate_volume_source(spec, name, VolumeOwner::PersistentVolume);
  const FieldView policy = spec["persistentVolumeReclaimPolicy"], mode = spec["volumeMode"],
                  storage_class = spec["storageClassName"];
  if (spec["local"].value().is_object() && spec["nodeAffinity"].value().is_null()) {
    spec["nodeAffinity"].errors().required(spec["nodeAffinity"].path(),
                                           "Local volume requires node affinity");
  }
  if (is_root(spec["hostPath"]["path"].text()) && policy.text() == "Recycle")
    policy.forbid("may not be 'recycle' for a hostPath mount of '/'");
  if (storage_class.given() && in_place) storage_class.forbid(kInline);
  if (storage_class.given() && !in_place) storage_class.dns_subdomain();
  if (mode.given() && in_place && mode.text() != "Filesystem")
    mode.forbid("may not specify volumeMode other than Filesystem in the context of inline volumes");
  if (mode.given() && !in_place) mode.one_of({"Block", "Filesystem"});
}

void validate_claim_spec(const FieldView& spec) {
  if (!spec["accessModes"].filled())
    spec["accessModes"].errors().required(spec["accessModes"].path(), "at least 1 access mode is required");
  if (spec["selector"].value().is_object()) validate_label_selector(spec["selector"]);
  validate_modes(spec["accessModes"]);
  const FieldView resources = spec["resources"];
  const std::string path = at_key(resources.path(), "storage");
  const Json* storage = resources["requests"].value().find("storage");
  if (!storage) {
    spec.errors().required(path);
  } else if (auto quantity = Quantity::from_json(*storage); quantity && quantity->sign() <= 0) {
    spec.errors().invalid(path, *storage, "must be greater than zero");
  }
  if (spec["storageClassName"].given()) spec["storageClassName"].dns_subdomain();
  if (!spec["volumeMode"].value().is_null()) spec["volumeMode"].one_of({"Block", "Filesystem"});
  validate_data_sources(spec);
}

void volume_claim(const Subject& subject) {
  validate_claim_spec(subject.spec());
  if (!subject.creates()) volume_claim_update(subject);
}

void persistent_volume(const Subject& subject) {
  validate_volume_spec(subject.spec(), subject.object["metadata"]["name"].text(), false);
  if (!subject.creates()) persistent_volume_update(subject);
}

}  // namespace flotilla::api::validation
