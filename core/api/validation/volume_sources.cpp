// SPDX-License-Identifier: Apache-2.0
// Where volumes come from: what each sort of source must say, in pods and in persistent volumes.
#include <algorithm>
#include <set>

#include "core/api/quantity.hpp"
#include "core/api/validation/containers.hpp"
#include "core/api/validation/patterns.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::int64_t kShortestToken = 600;

struct Context {
  std::string_view name;  // the volume's
  VolumeOwner owner;
  bool persistent() const { return owner == VolumeOwner::PersistentVolume; }
};

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

void need(const FieldView& source, std::initializer_list<std::string_view> fields) {
  for (const std::string_view name : fields) {
    if (source[name].value().empty() && !source[name].given()) source.errors().required(source[name].path());
  }
}

void validate_mode(const FieldView& mode) {
  if (!mode.value().is_null() && (mode.number() < 0 || mode.number() > 0777))
    mode.invalid("must be a number between 0 and 0777 (octal), both inclusive");
}

void validate_items(const FieldView& items) {
  for (const FieldView& item : items.each()) {
    item["key"].require();
    item["path"].require();
    validate_local_path(item["path"], true);
    validate_mode(item["mode"]);
  }
}

void validate_between(const FieldView& number, std::int64_t least, std::int64_t most,
                      std::int64_t said_least) {
  if (number.value().is_null() || (number.number() >= least && number.number() <= most)) return;
  number.invalid("must be between " + std::to_string(said_least) + " and " + std::to_string(most) +
                 ", inclusive");
}

void validate_empty_dir(const FieldView& source, const Context&) {
  auto size = Quantity::from_json(source["sizeLimit"].value());
  if (size.ok() && size->sign() < 0)
    source["sizeLimit"].forbid("SizeLimit field must be a valid resource quantity");
}

void validate_no_backsteps(const FieldView& path) {
  if (("/" + std::string(path.text()) + "/").find("/../") != std::string::npos)
    path.invalid("must not contain '..'");
}

void validate_host_path(const FieldView& host, const Context&) {
  const FieldView path = host["path"], type = host["type"];
  if (!path.require()) return;
  validate_no_backsteps(path);
  if (type.given()) {
    type.one_of({"", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate",
                 "Socket"});
  }
}

void validate_local(const FieldView& source, const Context&) {
  if (source["path"].require()) validate_no_backsteps(source["path"]);
}

void validate_git(const FieldView& source, const Context&) {
  source["repository"].require();
  if (source["directory"].given()) validate_local_path(source["directory"], false);
}

// Google's disks have another name in errors.
void validate_google_disk(const FieldView& source, const Context&) {
  const std::string path = source.path().substr(0, source.path().rfind('.')) + ".persistentDisk";
  const FieldView disk(source.value(), path, source.errors());
  disk["pdName"].require();
  validate_between(disk["partition"], 0, 255, 1);
}

void validate_amazon_disk(const FieldView& source, const Context&) {
  source["volumeID"].require();
  validate_between(source["partition"], 0, 255, 1);
}

void validate_secret(const FieldView& source, const Context&) {
  source["secretName"].require();
  validate_mode(source["defaultMode"]);
  validate_items(source["items"]);
}

void validate_config_map(const FieldView& source, const Context&) {
  source["name"].require();
  validate_mode(source["defaultMode"]);
  validate_items(source["items"]);
}

void validate_nfs(const FieldView& source, const Context&) {
  const FieldView path = source["path"];
  source["server"].require();
  path.require();
  if (!path.text().starts_with('/'))
    path.errors().invalid(path.path(), path.text(), "must be an absolute path");
}

void validate_initiator(const FieldView& name, bool says_prefixes) {
  const std::string_view text = name.text();
  constexpr std::string_view kIqn = R"(iqn\.\d{4}-\d{2}\.([[:alnum:]-.]+)(:[^,;*&$|\s]+)$)",
                             kEui = "^eui.[[:alnum:]]{16}$", kNaa = "^naa.[[:alnum:]]{32}$";
  const std::string_view pattern = text.starts_with("iqn")   ? kIqn
                                   : text.starts_with("eui") ? kEui
                                   : text.starts_with("naa") ? kNaa
                                                             : std::string_view();
  if (pattern.empty()) {
    name.errors().invalid(
        name.path(), text,
        says_prefixes ? "must be valid format starting with iqn, eui, or naa" : "must be valid format");
  } else if (!pattern_matches(pattern, text)) {
    name.invalid("must be valid format");
  }
}

void validate_iscsi(const FieldView& source, const Context& context) {
  const FieldView iqn = source["iqn"], initiator = source["initiatorName"], portal = source["targetPortal"];
  constexpr std::string_view kTooLong =
      "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName "
      "is specified.";
  const bool too_long = initiator.given() && context.name.size() + 1 + portal.text().size() > 64;
  portal.require();
  if (too_long && context.persistent())
    source.errors().invalid(at_field(source.path(), "targetportal"), portal.text(), kTooLong);
  if (iqn.require()) validate_initiator(iqn, !context.persistent());
  validate_between(source["lun"], 0, 255, 0);
  const bool chap =
      source["chapAuthDiscovery"].value().as_bool() || source["chapAuthSession"].value().as_bool();
  if (chap && source["secretRef"].value().is_null()) source["secretRef"].require();
  if (context.persistent() && source["secretRef"].value().is_object()) source["secretRef"]["name"].require();
  if (!initiator.value().is_null()) {
    validate_initiator(
        FieldView(initiator.value(), at_field(source.path(), "initiatorname"), source.errors()),
        !context.persistent());
  }
  if (too_long && !context.persistent()) {
    const std::string volume = source.path().substr(0, source.path().rfind('.'));
    source.errors().invalid(volume + ".name", context.name, kTooLong);
  }
}

void validate_glusterfs(const FieldView& source, const Context&) {
  need(source, {"endpoints", "path"});
  const FieldView ns = source["endpointsNamespace"];
  if (ns.value().is_null()) return;
  if (!ns.given()) {
    ns.invalid("if the endpointnamespace is set, it must be a valid namespace name");
  } else {
    ns.dns_label();
  }
}

void validate_flocker(const FieldView& source, const Context&) {
  const bool named = source["datasetName"].given(), by_id = source["datasetUUID"].given();
  if (!named && !by_id)
    source.errors().required(source.path(), "one of datasetName and datasetUUID is required");
  if (named && by_id) {
    source.errors().invalid(source.path(), "resource",
                            "datasetName and datasetUUID can not be specified simultaneously");
  }
  if (source["datasetName"].text().find('/') != std::string_view::npos)
    source["datasetName"].invalid("must not contain '/'");
}

void validate_rbd(const FieldView& source, const Context&) {
  need(source, {"monitors", "image"});
}

void validate_secret_ref(const FieldView& ref, const Context& context) {
  if (!ref.value().is_object()) return;
  ref["name"].require();
  if (context.persistent()) ref["namespace"].require();
}

void validate_cinder(const FieldView& source, const Context& context) {
  source["volumeID"].require();
  validate_secret_ref(source["secretRef"], context);
}

void validate_ceph(const FieldView& source, const Context&) {
  need(source, {"monitors"});
}

bool host_and_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return false;
  const std::string_view host = text.substr(0, colon);
  return host.find(':') == host.npos || (host.starts_with('[') && host.ends_with(']'));
}

void validate_quobyte(const FieldView& source, const Context&) {
  constexpr std::string_view kPairs = "must be a host:port pair or multiple pairs separated by commas";
  const FieldView registry = source["registry"];
  if (!registry.given()) {
    registry.require(kPairs);
  } else if (source["tenant"].text().size() >= 65) {
    source.errors().required(source["tenant"].path(),
                             "must be a UUID and may not exceed a length of 64 characters");
  } else {
    std::string_view rest = registry.text();
    while (true) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (!host_and_port(rest.substr(0, comma))) registry.invalid(kPairs);
      if (comma == rest.size()) break;
      rest.remove_prefix(comma + 1);
    }
  }
  source["volume"].require();
}

// One file of the downward API; Kubernetes leaves its index out of the path.
void validate_downward_file(const FieldView& file, const std::string& path) {
  const FieldView one(file.value(), path, file.errors());
  one["path"].require();
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

void validate_downward(const FieldView& source, const Context&) {
  validate_mode(source["defaultMode"]);
  for (const FieldView& file : source["items"].each()) validate_downward_file(file, source.path());
}

void conflicting_path(std::set<std::string>& paths, const FieldView& volume, std::string_view path,
                      std::string_view named) {
  if (path.empty()) return;
  if (!paths.insert(std::string(path)).second)
    volume.errors().invalid(volume.path(), named, "conflicting duplicate paths");
}

void validate_token(const FieldView& token, const FieldView& volume) {
  const FieldView life = token["expirationSeconds"];
  const FieldView path(token["path"].value(), at_field(volume.path(), "path"), volume.errors());
  if (life.number(kShortestToken) < kShortestToken)
    life.invalid("may not specify a duration less than 10 minutes");
  if (life.number() > (std::int64_t{1} << 32))
    life.invalid("may not specify a duration larger than 2^32 seconds");
  if (path.require()) validate_local_path(path, true);
}

void validate_projected(const FieldView& volume, const Context&) {
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
    if (source["serviceAccountToken"].value().is_object()) {
      ++sources;
      validate_token(source["serviceAccountToken"], volume);
    }
    if (sources > 1) source.forbid("may not specify more than 1 volume type");
  }
}

void validate_fibre_channel(const FieldView& source, const Context&) {
  const FieldView names = source["targetWWNs"], ids = source["wwids"], lun = source["lun"];
  if (!names.filled() && !ids.filled())
    source.errors().required(names.path(), "must specify either targetWWNs or wwids, but not both");
  if (names.filled() && ids.filled()) {
    source.errors().add_literal("FieldValueInvalid", names.path(),
                                "Invalid value: " + go_strings(names.value()) +
                                    ": targetWWNs and wwids can not be specified simultaneously");
  }
  if (!names.filled()) return;
  if (lun.value().is_null()) {
    lun.errors().required(lun.path(), "lun is required if targetWWNs is specified");
  } else {
    validate_between(lun, 0, 255, 0);
  }
}

void validate_flex(const FieldView& source, const Context&) {
  source["driver"].require();
  for (const auto& [key, value] : source["options"].value().members()) {
    const std::string space = "." + lower_case(key.substr(0, key.find('/')));
    if (space.ends_with(".kubernetes.io") || space.ends_with(".k8s.io")) {
      source.errors().invalid(at_key(source["options"].path(), key), key,
                              "kubernetes.io and k8s.io namespaces are reserved");
    }
  }
}

void validate_azure_file(const FieldView& source, const Context& context) {
  need(source, {"secretName", "shareName"});
  const FieldView ns = source["secretNamespace"];
  if (context.persistent() && !ns.value().is_null() && !ns.given()) ns.require();
}

void validate_azure_disk(const FieldView& source, const Context&) {
  const FieldView uri = source["diskURI"], kind = source["kind"], caching = source["cachingMode"];
  need(source, {"diskName", "diskURI"});
  if (caching.given()) caching.one_of({"None", "ReadOnly", "ReadWrite"});
  if (!kind.given()) return;
  kind.one_of({"Dedicated", "Managed", "Shared"});
  const bool managed = kind.text() == "Managed";
  if (managed && !uri.text().starts_with("/subscriptions/")) {
    uri.one_of(
        {"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/"
         "{disk-id}"});
  }
  if (!managed && !uri.text().starts_with("https://"))
    uri.one_of({"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"});
}

void validate_vsphere(const FieldView& source, const Context&) {
  need(source, {"volumePath"});
}
void validate_photon(const FieldView& source, const Context&) {
  need(source, {"pdID"});
}
void validate_portworx(const FieldView& source, const Context&) {
  need(source, {"volumeID"});
}
void validate_scale_io(const FieldView& source, const Context&) {
  need(source, {"gateway", "system", "volumeName"});
}
void validate_claim(const FieldView& source, const Context&) {
  need(source, {"claimName"});
}
void validate_image(const FieldView& source, const Context& context) {
  if (!context.name.empty()) need(source, {"reference"});
}

void validate_storage_os(const FieldView& source, const Context& context) {
  if (source["volumeName"].require()) source["volumeName"].dns_label();
  if (source["volumeNamespace"].given()) source["volumeNamespace"].dns_label();
  validate_secret_ref(source["secretRef"], context);
}

void validate_csi(const FieldView& source, const Context& context) {
  validate_csi_driver_name(source["driver"]);
  if (!context.persistent()) {
    const FieldView name = source["nodePublishSecretRef"]["name"];
    if (!source["nodePublishSecretRef"].value().is_object() || !name.require()) return;
    for (const std::string& one : check_dns_subdomain(name.text()))
      source.errors().invalid(at_field(source.path(), "name"), name.text(), one);
    return;
  }
  source["volumeHandle"].require();
  for (const std::string_view ref : {"controllerPublishSecretRef", "controllerExpandSecretRef",
                                     "nodePublishSecretRef", "nodeExpandSecretRef"}) {
    const FieldView secret = source[ref];
    if (!secret.value().is_object()) continue;
    if (secret["name"].require()) secret["name"].dns_subdomain();
    if (secret["namespace"].require()) secret["namespace"].dns_label();
  }
}

void validate_ephemeral(const FieldView& source, const Context&) {
  const FieldView claim = source["volumeClaimTemplate"], metadata = claim["metadata"];
  if (!claim.value().is_object()) {
    claim.require();
    return;
  }
  validate_annotation_keys(metadata["annotations"]);
  validate_labels(metadata["labels"]);
  for (const auto& [name, value] : metadata.value().members()) {
    if (name != "annotations" && name != "labels" && !value.is_null()) metadata[name].forbid("cannot be set");
  }
  validate_claim_spec(claim["spec"]);
}

struct SourceRule {
  std::string_view name;
  void (*check)(const FieldView&, const Context&);
  std::string_view said_as = {};  // in the path of one source too many
};

// In the order in which Kubernetes looks.
constexpr SourceRule kOfPods[] = {
    {"emptyDir", validate_empty_dir},
    {"hostPath", validate_host_path},
    {"gitRepo", validate_git},
    {"gcePersistentDisk", validate_google_disk},
    {"awsElasticBlockStore", validate_amazon_disk},
    {"secret", validate_secret},
    {"nfs", validate_nfs},
    {"iscsi", validate_iscsi},
    {"glusterfs", validate_glusterfs},
    {"flocker", validate_flocker},
    {"persistentVolumeClaim", validate_claim},
    {"rbd", validate_rbd},
    {"cinder", validate_cinder},
    {"cephfs", validate_ceph, "cephFS"},
    {"quobyte", validate_quobyte},
    {"downwardAPI", validate_downward, "downwarAPI"},
    {"fc", validate_fibre_channel},
    {"flexVolume", validate_flex},
    {"configMap", validate_config_map},
    {"azureFile", validate_azure_file},
    {"vsphereVolume", validate_vsphere},
    {"photonPersistentDisk", validate_photon},
    {"portworxVolume", validate_portworx},
    {"azureDisk", validate_azure_disk},
    {"storageos", validate_storage_os},
    {"projected", validate_projected},
    {"scaleIO", validate_scale_io},
    {"csi", validate_csi},
    {"ephemeral", validate_ephemeral},
    {"image", validate_image},
};

constexpr SourceRule kOfPersistentVolumes[] = {
    {"hostPath", validate_host_path},
    {"gcePersistentDisk", validate_google_disk},
    {"awsElasticBlockStore", validate_amazon_disk},
    {"glusterfs", validate_glusterfs},
    {"flocker", validate_flocker},
    {"nfs", validate_nfs},
    {"rbd", validate_rbd},
    {"quobyte", validate_quobyte},
    {"cephfs", validate_ceph, "cephFS"},
    {"iscsi", validate_iscsi},
    {"cinder", validate_cinder},
    {"fc", validate_fibre_channel},
    {"flexVolume", validate_flex},
    {"azureFile", validate_azure_file},
    {"vsphereVolume", validate_vsphere},
    {"photonPersistentDisk", validate_photon},
    {"portworxVolume", validate_portworx},
    {"azureDisk", validate_azure_disk},
    {"scaleIO", validate_scale_io},
    {"local", validate_local},
    {"storageos", validate_storage_os},
    {"csi", validate_csi},
};

}  // namespace

void validate_csi_driver_name(const FieldView& driver) {
  driver.require();
  if (driver.text().size() > 63) driver.errors().too_long(driver.path(), 63);
  for (const std::string& one : check_dns_subdomain(lower_case(driver.text())))
    driver.errors().invalid(driver.path(), driver.text(), one);
}

std::size_t validate_volume_source(const FieldView& volume, std::string_view name, VolumeOwner owner) {
  std::size_t sources = 0;
  const Context context{name, owner};
  const std::span<const SourceRule> rules =
      owner == VolumeOwner::Pod ? std::span<const SourceRule>(kOfPods) : kOfPersistentVolumes;
  for (const SourceRule& rule : rules) {
    const FieldView source = volume[rule.name];
    if (!source.value().is_object()) continue;
    if (++sources > 1) {
      volume[rule.said_as.empty() ? rule.name : rule.said_as].forbid(
          "may not specify more than 1 volume type");
    } else {
      rule.check(source, context);
    }
  }
  if (sources == 0) volume.errors().required(volume.path(), "must specify a volume type");
  return sources;
}

}  // namespace flotilla::api::validation
