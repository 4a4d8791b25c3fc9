// SPDX-License-Identifier: Apache-2.0
// Volumes of pods.
#include <algorithm>
#include <set>

#include "core/api/quantity.hpp"
#include "core/api/validation/containers.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::int64_t kShortestToken = 600;

void validate_mode(const FieldView& mode) {
  if (!mode.value().is_null() && (mode.number() < 0 || mode.number() > 0777))
    mode.invalid("must be a number between 0 and 0777 (octal), both inclusive");
}

void validate_items(const FieldView& items) {
  for (const FieldView& item : items.each()) {
    item["key"].require();
    if (item["path"].require()) validate_local_path(item["path"], true);
    validate_mode(item["mode"]);
  }
}

void validate_empty_dir(const FieldView& source) {
  auto size = Quantity::from_json(source["sizeLimit"].value());
  if (size.ok() && size->sign() < 0)
    source["sizeLimit"].forbid("SizeLimit field must be a valid resource quantity");
}

void validate_between(const FieldView& number, std::int64_t least, std::int64_t most) {
  if (number.value().is_null() || (number.number() >= least && number.number() <= most)) return;
  number.invalid("must be between " + std::to_string(least) + " and " + std::to_string(most) + ", inclusive");
}

void validate_disk(const FieldView& source, std::string_view name) {
  source[name].require();
  validate_between(source["partition"], 0, 255);
}

void validate_secret(const FieldView& source) {
  source["secretName"].require();
  validate_mode(source["defaultMode"]);
  validate_items(source["items"]);
}

void validate_config_map(const FieldView& source) {
  source["name"].require();
  validate_mode(source["defaultMode"]);
  validate_items(source["items"]);
}

void validate_nfs(const FieldView& source) {
  source["server"].require();
  const FieldView path = source["path"];
  path.require();
  if (!path.text().starts_with('/'))
    path.errors().invalid(path.path(), path.text(), "must be an absolute path");
}

void validate_iscsi(const FieldView& source) {
  source["targetPortal"].require();
  const FieldView iqn = source["iqn"];
  if (iqn.require() && !iqn.text().starts_with("iqn") && !iqn.text().starts_with("eui") &&
      !iqn.text().starts_with("naa")) {
    iqn.invalid("must be valid format starting with iqn, eui, or naa");
  }
  validate_between(source["lun"], 0, 255);
  const bool chap =
      source["chapAuthDiscovery"].value().as_bool() || source["chapAuthSession"].value().as_bool();
  if (chap && source["secretRef"].value().is_null()) source["secretRef"].require();
}

// One file of the downward API; Kubernetes leaves its index out of the path.
void validate_downward_file(const FieldView& file, const std::string& path) {
  const FieldView one(file.value(), path, file.errors());
  if (!one["path"].given()) one["path"].require();
  validate_local_path(one.errors(), one["path"].path(), one["path"].text(), true);
  const bool field = one["fieldRef"].value().is_object(),
             resource = one["resourceFieldRef"].value().is_object();
  if (field) {
    validate_field_ref(one["fieldRef"], {"metadata.annotations", "metadata.labels", "metadata.name",
                                         "metadata.namespace", "metadata.uid"});
    if (resource)
      one.errors().invalid(path, "resource",
                           "fieldRef and resourceFieldRef can not be specified simultaneously");
  } else if (resource) {
    validate_resource_field_ref(one["resourceFieldRef"], true);
  } else {
    one.errors().required(path, "one of fieldRef and resourceFieldRef is required");
  }
  validate_mode(one["mode"]);
}

void validate_downward(const FieldView& source) {
  validate_mode(source["defaultMode"]);
  for (const FieldView& file : source["items"].each()) validate_downward_file(file, source.path());
}

void conflicting_path(std::set<std::string>& paths, const FieldView& volume, std::string_view path,
                      std::string_view named) {
  if (path.empty()) return;
  if (!paths.insert(std::string(path)).second)
    volume.errors().invalid(volume.path(), named, "conflicting duplicate paths");
}

void validate_projected(const FieldView& volume) {
  validate_mode(volume["defaultMode"]);
  std::set<std::string> paths;
  for (const FieldView& source : volume["sources"].each()) {
    std::size_t sources = 0;
    for (const std::string_view which : {"secret", "configMap"}) {
      const FieldView from = source[which];
      if (!from.value().is_object()) continue;
      ++sources;
      from["name"].require();
      validate_items(from["items"]);
      for (const FieldView& item : from["items"].each())
        conflicting_path(paths, volume, item["path"].text(), from["name"].text());
    }
    if (const FieldView from = source["downwardAPI"]; from.value().is_object()) {
      ++sources;
      for (const FieldView& file : from["items"].each()) {
        validate_downward_file(file, from.path());
        conflicting_path(paths, volume, file["path"].text(), file["path"].text());
      }
    }
    if (const FieldView token = source["serviceAccountToken"]; token.value().is_object()) {
      ++sources;
      const FieldView life = token["expirationSeconds"], path = token["path"];
      if (life.number(kShortestToken) < kShortestToken)
        life.invalid("may not specify a duration less than 10 minutes");
      if (life.number() > (std::int64_t{1} << 32))
        life.invalid("may not specify a duration larger than 2^32 seconds");
      if (path.require()) validate_local_path(path, true);
    }
    if (sources > 1) source.forbid("may not specify more than 1 volume type");
  }
}

void validate_csi(const FieldView& source) {
  const FieldView driver = source["driver"];
  if (driver.require()) {
    std::string lower(driver.text());
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
    if (lower.size() > 63) driver.errors().too_long(driver.path(), 63);
    driver.messages(check_dns_subdomain(lower));
  }
  if (source["nodePublishSecretRef"].value().is_object()) source["nodePublishSecretRef"]["name"].require();
}

void validate_azure_disk(const FieldView& source) {
  source["diskName"].require();
  source["diskURI"].require();
  source["cachingMode"].one_of({"None", "ReadOnly", "ReadWrite"});
  source["kind"].one_of({"Dedicated", "Managed", "Shared"});
}

void validate_ephemeral(const FieldView& source) {
  const FieldView claim = source["volumeClaimTemplate"];
  if (!claim.value().is_object()) {
    claim.require();
    return;
  }
  const FieldView spec = claim["spec"];
  if (!spec["accessModes"].filled())
    spec.errors().required(spec["accessModes"].path(), "at least 1 access mode is required");
  if (!spec["resources"]["requests"].value().contains("storage"))
    spec.errors().required(at_key(spec["resources"].path(), "storage"));
}

struct SourceRule {
  std::string_view name;
  void (*check)(const FieldView&);
  std::initializer_list<std::string_view> required;
};

// In the order in which Kubernetes looks.
const SourceRule kSources[] = {
    {"emptyDir", validate_empty_dir, {}},
    {"hostPath", validate_host_path, {}},
    {"gitRepo", nullptr, {"repository"}},
    {"gcePersistentDisk", [](const FieldView& one) { validate_disk(one, "pdName"); }, {}},
    {"awsElasticBlockStore", [](const FieldView& one) { validate_disk(one, "volumeID"); }, {}},
    {"secret", validate_secret, {}},
    {"nfs", validate_nfs, {}},
    {"iscsi", validate_iscsi, {}},
    {"glusterfs", nullptr, {"endpoints", "path"}},
    {"flocker", nullptr, {}},
    {"persistentVolumeClaim", nullptr, {"claimName"}},
    {"rbd", nullptr, {"monitors", "image"}},
    {"cinder", nullptr, {"volumeID"}},
    {"cephfs", nullptr, {"monitors"}},
    {"quobyte", nullptr, {"registry", "volume"}},
    {"downwardAPI", validate_downward, {}},
    {"fc", nullptr, {}},
    {"flexVolume", nullptr, {"driver"}},
    {"configMap", validate_config_map, {}},
    {"azureFile", nullptr, {"secretName", "shareName"}},
    {"vsphereVolume", nullptr, {"volumePath"}},
    {"photonPersistentDisk", nullptr, {"pdID"}},
    {"portworxVolume", nullptr, {"volumeID"}},
    {"azureDisk", validate_azure_disk, {}},
    {"storageos", nullptr, {}},
    {"scaleIO", nullptr, {"gateway", "system", "volumeName"}},
    {"projected", validate_projected, {}},
    {"csi", validate_csi, {}},
    {"ephemeral", validate_ephemeral, {}},
    {"image", nullptr, {"reference"}},
};

void validate_source(const FieldView& volume) {
  std::size_t sources = 0;
  for (const SourceRule& rule : kSources) {
    const FieldView source = volume[rule.name];
    if (!source.value().is_object()) continue;
    if (++sources > 1) {
      source.forbid("may not specify more than 1 volume type");
      continue;
    }
    for (const std::string_view name : rule.required) {
      if (source[name].value().empty() && !source[name].given())
        source.errors().required(source[name].path());
    }
    if (rule.check) rule.check(source);
  }
  if (sources == 0) volume.errors().required(volume.path(), "must specify a volume type");
}

}  // namespace

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

void validate_host_path(const FieldView& host) {
  const FieldView path = host["path"];
  if (!path.require()) return;
  const std::string text = "/" + std::string(path.text()) + "/";
  if (text.find("/../") != text.npos) path.invalid("must not contain '..'");
  const FieldView type = host["type"];
  if (type.given()) {
    type.one_of({"", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate",
                 "Socket"});
  }
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

Volumes validate_volumes(const FieldView& volumes) {
  Volumes sound;
  for (const FieldView& one : volumes.each()) {
    const std::size_t before = one.errors().size();
    validate_source(one);
    const FieldView name = one["name"];
    if (name.require()) name.dns_label();
    if (sound.contains(name.text())) name.errors().duplicate(name.path(), name.value());
    if (one.errors().size() == before) sound.emplace(name.text(), &one.value());
  }
  return sound;
}

}  // namespace flotilla::api::validation
