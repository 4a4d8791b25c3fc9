// SPDX-License-Identifier: Apache-2.0
// Volumes of pods, and references to fields of pods.
#include <algorithm>
#include <set>

#include "core/api/validation/containers.hpp"

namespace flotilla::api::validation {

void validate_local_path(FieldErrors& errors, const std::string& at, std::string_view path, bool reserved) {
  if (path.starts_with('/')) errors.invalid(at, path, "must be a relative path");
  const bool backstep = ("/" + std::string(path) + "/").find("/../") != std::string::npos;
  if (backstep) errors.invalid(at, path, "must not contain '..'");
  if (reserved && path.starts_with("..") && !path.starts_with("../"))
    errors.invalid(at, path, "must not start with '..'");
}

void validate_local_path(const FieldView& path, bool reserved) {
  validate_local_path(path.errors(), path.path(), path.text(), reserved);
}

void validate_field_ref(const FieldView& ref, std::initializer_list<std::string_view> allowed) {
  const FieldView version = ref["apiVersion"], field = ref["fieldPath"];
  if (!version.require() || !field.require()) return;
  const std::string_view path = field.text();
  if (version.text() != "v1") {
    field.invalid("error converting fieldPath: unsupported pod version: " + std::string(version.text()));
    return;
  }
  const std::size_t open = path.find("['");
  if (open != path.npos && path.ends_with("']")) {
    const std::string_view map = path.substr(0, open);
    std::string key(path.substr(open + 2, path.size() - open - 4));
    if (map == "metadata.annotations") {
      for (char& c : key) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (map != "metadata.labels") {
      field.invalid("error converting fieldPath: field label does not support subscript: " +
                    std::string(path));
      return;
    }
    for (const std::string& one : check_qualified_name(key)) ref.errors().invalid(ref.path(), key, one);
    return;
  }
  static constexpr std::string_view kKnown[] = {
      "metadata.annotations", "metadata.labels", "metadata.name",      "metadata.namespace",
      "metadata.uid",         "spec.nodeName",   "spec.restartPolicy", "spec.serviceAccountName",
      "spec.schedulerName",   "status.phase",    "status.hostIP",      "status.hostIPs",
      "status.podIP",         "status.podIPs",   "spec.host"};
  if (std::find(std::begin(kKnown), std::end(kKnown), path) == std::end(kKnown)) {
    field.invalid("error converting fieldPath: field label not supported: " + std::string(path));
    return;
  }
  // Newer than the list that errors print.
  const std::string_view name = path == "spec.host"        ? "spec.nodeName"
                                : path == "status.hostIPs" ? "status.hostIP"
                                                           : path;
  if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) field.one_of(allowed);
}

namespace {

// A generic ephemeral volume's claim is named after pod and volume.
void validate_made_claim(const FieldView& volume, std::string_view pod_name) {
  const FieldView name = volume["name"];
  if (!volume["ephemeral"].value().is_object() || pod_name.empty() || !name.given()) return;
  const std::string claim = std::string(pod_name) + "-" + std::string(name.text());
  for (const std::string& one : check_dns_subdomain(claim))
    name.invalid("PVC name " + go_quote(claim) + ": " + one);
}

}  // namespace

Volumes validate_volumes(const FieldView& volumes, std::string_view pod_name) {
  Volumes sound;
  std::set<std::string> made_claims;
  for (const FieldView& one : volumes.each()) {
    if (one["ephemeral"].value().is_object() && !pod_name.empty())
      made_claims.insert(std::string(pod_name) + "-" + std::string(one["name"].text()));
  }
  for (const FieldView& one : volumes.each()) {
    const std::size_t before = one.errors().size();
    validate_volume_source(one, one["name"].text(), VolumeOwner::Pod);
    validate_made_claim(one, pod_name);
    const FieldView name = one["name"], claim = one["persistentVolumeClaim"]["claimName"];
    if (name.require()) name.dns_label();
    if (sound.contains(name.text())) name.errors().duplicate(name.path(), name.value());
    if (one.errors().size() == before) sound.emplace(name.text(), &one.value());
    if (made_claims.contains(std::string(claim.text())))
      claim.invalid("must not reference a PVC that gets created for an ephemeral volume");
  }
  return sound;
}

}  // namespace flotilla::api::validation
