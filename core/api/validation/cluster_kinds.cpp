// SPDX-License-Identifier: Apache-2.0
// Volumes and storage, nodes, events, certificates, webhooks.
#include <algorithm>
#include <set>

#include "core/api/quantity.hpp"
#include "core/api/validation/containers.hpp"
#include "core/api/validation/kinds.hpp"
#include "core/api/validation/network.hpp"
#include "core/base/base64.hpp"

namespace flotilla::api::validation {
namespace {

void validate_modes(const FieldView& modes) {
  for (const FieldView& one : modes.each()) {
    static constexpr std::string_view kModes[] = {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany",
                                                  "ReadWriteOncePod"};
    if (std::find(std::begin(kModes), std::end(kModes), one.text()) == std::end(kModes)) {
      modes.errors().not_supported(modes.path(), one.value(),
                                   {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce"});
    }
  }
}

void validate_volume_mode(const FieldView& mode) {
  if (mode.given()) mode.one_of({"Block", "Filesystem"});
}

bool is_signer(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != text.npos && slash > 0 && slash + 1 < text.size() &&
         check_dns_subdomain(text.substr(0, slash)).empty() && text.substr(0, slash).find('.') != text.npos;
}

std::string go_bytes(std::string_view bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "[]byte{";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (!out.ends_with('{')) out += ", ";
    out += "0x";
    if (byte > 15) out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out + "}";
}

void validate_star_alone(const FieldView& list, std::string_view what) {
  const auto& elements = list.value();
  bool star = false;
  std::string printed = "[]string{";
  for (const Json& one : elements.elements()) {
    star = star || one.as_string() == "*";
    if (!printed.ends_with('{')) printed += ", ";
    printed += go_quote(one.as_string());
  }
  if (star && elements.size() > 1) {
    list.errors().add_literal(
        "FieldValueInvalid", list.path(),
        "Invalid value: " + printed + "}: if '*' is present, must not specify other " + std::string(what));
  }
}

void validate_double_star(const FieldView& resources) {
  std::string printed;
  bool all = false;
  for (const FieldView& one : resources.each()) {
    all = all || one.text() == "*/*";
    printed += (printed.empty() ? "" : ", ") + go_quote(one.text());
    if (!one.given()) one.require();
  }
  if (!all || resources.size() < 2) return;
  resources.errors().add_literal(
      "FieldValueInvalid", resources.path(),
      "Invalid value: []string{" + printed + "}: if '*/*' is present, must not specify other resources");
}

void validate_webhook_rule(const FieldView& rule) {
  if (!rule["operations"].filled()) rule["operations"].errors().required(rule["operations"].path());
  validate_star_alone(rule["operations"], "operations");
  for (const FieldView& one : rule["operations"].each())
    one.one_of({"*", "CONNECT", "CREATE", "DELETE", "UPDATE"});
  if (!rule["apiGroups"].filled()) rule["apiGroups"].errors().required(rule["apiGroups"].path());
  validate_star_alone(rule["apiGroups"], "API groups");
  if (!rule["apiVersions"].filled()) rule["apiVersions"].errors().required(rule["apiVersions"].path());
  validate_star_alone(rule["apiVersions"], "API versions");
  for (const FieldView& one : rule["apiVersions"].each()) {
    if (!one.given()) one.require();
  }
  if (!rule["resources"].filled()) rule["resources"].errors().required(rule["resources"].path());
  validate_double_star(rule["resources"]);
  if (rule["scope"].given()) rule["scope"].one_of({"*", "Cluster", "Namespaced"});
}

}  // namespace

void validate_webhook_client(const FieldView& client) {
  const FieldView url = client["url"], service = client["service"];
  if (url.value().is_null() == service.value().is_null()) {
    client.errors().required(client.path(), "exactly one of url or service is required");
    return;
  }
  if (service.value().is_object()) {
    service["name"].require();
    service["namespace"].require();
    if (service["port"].number(443) < 1 || service["port"].number(443) > 65535) {
      service["port"].invalid("port is not valid: must be between 1 and 65535, inclusive");
    }
    return;
  }
  constexpr std::string_view kForm = "; desired format: https://host[/path]";
  const std::string_view text = url.text();
  const std::size_t scheme = text.find("://");
  const std::string_view name = scheme == text.npos ? std::string_view() : text.substr(0, scheme);
  if (name != "https")
    url.errors().invalid(url.path(), name, "'https' is the only allowed URL scheme" + std::string(kForm));
  if (scheme == text.npos || text.size() == scheme + 3)
    url.errors().invalid(url.path(), "", "host must be specified" + std::string(kForm));
}

void volume_claim(const Subject& subject) {
  const FieldView spec = subject.spec();
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
  validate_volume_mode(spec["volumeMode"]);
  if (!subject.creates()) volume_claim_update(subject);
}

void persistent_volume(const Subject& subject) {
  const FieldView spec = subject.spec();
  if (!spec["accessModes"].filled()) spec["accessModes"].errors().required(spec["accessModes"].path());
  validate_modes(spec["accessModes"]);
  const FieldView capacity = spec["capacity"];
  if (!capacity.filled()) capacity.errors().required(capacity.path());
  if (!capacity.value().contains("storage") || capacity.size() > 1) {
    capacity.errors().add_literal("FieldValueNotSupported", capacity.path(),
                                  "Unsupported value: core.ResourceList(nil): supported values: \"storage\"");
  }
  const FieldView policy = spec["persistentVolumeReclaimPolicy"];
  if (policy.given()) policy.one_of({"Delete", "Recycle", "Retain"});
  static constexpr std::string_view kSources[] = {"hostPath",
                                                  "gcePersistentDisk",
                                                  "awsElasticBlockStore",
                                                  "glusterfs",
                                                  "flocker",
                                                  "nfs",
                                                  "rbd",
                                                  "quobyte",
                                                  "cephfs",
                                                  "iscsi",
                                                  "cinder",
                                                  "fc",
                                                  "flexVolume",
                                                  "azureFile",
                                                  "vsphereVolume",
                                                  "photonPersistentDisk",
                                                  "portworxVolume",
                                                  "azureDisk",
                                                  "scaleIO",
                                                  "local",
                                                  "storageos",
                                                  "csi"};
  int sources = 0;
  for (const std::string_view name : kSources) {
    if (spec[name].value().is_null()) continue;
    if (++sources > 1) spec[name].forbid("may not specify more than 1 volume type");
  }
  if (sources == 0) spec.errors().required(spec.path(), "must specify a volume type");
  if (spec["hostPath"].value().is_object()) {
    validate_host_path(spec["hostPath"]);
    if (spec["hostPath"]["path"].text() == "/" && policy.text() == "Recycle")
      policy.forbid("may not be 'recycle' for a hostPath mount of '/'");
  }
  if (spec["nodeAffinity"]["required"].value().is_object())
    validate_node_selector(spec["nodeAffinity"]["required"]);
  if (spec["local"].value().is_object() && spec["nodeAffinity"].value().is_null()) {
    spec["nodeAffinity"].errors().required(spec["nodeAffinity"].path(),
                                           "Local volume requires node affinity");
  }
  if (spec["storageClassName"].given()) spec["storageClassName"].dns_subdomain();
  validate_volume_mode(spec["volumeMode"]);
  if (!subject.creates()) persistent_volume_update(subject);
}

void storage_class(const Subject& subject) {
  const FieldView provisioner = subject.object["provisioner"];
  if (provisioner.require()) {
    std::string lower(provisioner.text());
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
    provisioner.messages(check_qualified_name(lower));
  }
  if (subject.object["reclaimPolicy"].given()) subject.object["reclaimPolicy"].one_of({"Delete", "Retain"});
  if (subject.object["volumeBindingMode"].require())
    subject.object["volumeBindingMode"].one_of({"Immediate", "WaitForFirstConsumer"});
  if (subject.creates()) return;
  if (!(subject.object["parameters"].value() == subject.live["parameters"]))
    subject.object["parameters"].forbid("updates to parameters are forbidden.");
  if (!(provisioner.value() == subject.live["provisioner"]))
    provisioner.forbid("updates to provisioner are forbidden.");
  if (!(subject.object["reclaimPolicy"].value() == subject.live["reclaimPolicy"]))
    subject.object["reclaimPolicy"].forbid("updates to reclaimPolicy are forbidden.");
  subject.object["volumeBindingMode"].immutable(subject.live["volumeBindingMode"]);
}

void csi_driver(const Subject& subject) {
  for (const FieldView& one : subject.spec()["volumeLifecycleModes"].each()) {
    if (one.text() == "Persistent" || one.text() == "Ephemeral") continue;
    one.errors().not_supported(subject.spec()["volumeLifecycleModes"].path(), one.value(),
                               {"Persistent", "Ephemeral"});
  }
  if (subject.creates()) return;
  const FieldView spec = subject.spec();
  // The first path is spelled like this in Kubernetes.
  if (!(spec["attachRequired"].value() == subject.live["spec"]["attachRequired"]))
    spec.errors().immutable("spec.attachedRequired", spec["attachRequired"].value());
  spec["volumeLifecycleModes"].immutable(subject.live["spec"]["volumeLifecycleModes"]);
}

void volume_attachment(const Subject& subject) {
  const FieldView spec = subject.spec();
  const FieldView attacher = spec["attacher"], source = spec["source"];
  attacher.require();
  const bool inline_spec = source["inlineVolumeSpec"].value().is_object(),
             named = source["persistentVolumeName"].given();
  if (inline_spec == named) {
    source.errors().required(
        source.path(), inline_spec ? "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
                                   : "must specify exactly one of inlineVolumeSpec and persistentVolumeName");
  }
  spec["nodeName"].dns_subdomain();
  if (!subject.creates()) spec.immutable(subject.live["spec"]);
  // The v1 rules look at the attacher once more.
  if (attacher.given()) {
    attacher.dns_subdomain();
  } else {
    attacher.require();
    attacher.dns_subdomain();
  }
}

void node(const Subject& subject) {
  const FieldView spec = subject.spec();
  const FieldView ranges = spec["podCIDRs"];
  std::set<std::string> taints;
  for (const FieldView& one : spec["taints"].each()) {
    one["key"].messages(check_qualified_name(one["key"].text()));
    if (one["effect"].require()) one["effect"].one_of({"NoSchedule", "PreferNoSchedule", "NoExecute"});
    if (!taints.insert(std::string(one["key"].text()) + ":" + std::string(one["effect"].text())).second) {
      one.errors().duplicate(one.path(), one.value());
    }
  }
  std::size_t index = 0;
  for (const FieldView& one : ranges.each()) {
    if (!is_cidr(one.text())) {
      ranges.errors().add_literal(
          "FieldValueInvalid", at_index(ranges.path(), index),
          "Invalid value: []string{" + go_quote(one.text()) + "}: must be valid CIDR");
    }
    ++index;
  }
  if (subject.creates()) return;
  const Json& before = subject.live["spec"]["podCIDRs"];
  if (!before.empty() && !(ranges.value() == before)) {
    ranges.forbid("node updates may not change podCIDR except from \"\" to valid");
  }
}

void event(const Subject& subject) {
  const FieldView object = subject.object;
  const bool modern = subject.resource.group == "events.k8s.io";
  const FieldView about = object[modern ? "regarding" : "involvedObject"];
  const std::string path = "involvedObject.namespace";
  const std::string_view ns = object["metadata"]["namespace"].text();
  if (!about["namespace"].given()) {
    if (ns != "default" && ns != "")
      object.errors().invalid(path, about["namespace"].text(), "does not match event.namespace");
  } else if (about["namespace"].text() != ns) {
    object.errors().invalid(path, about["namespace"].value(), "does not match event.namespace");
  }
  if (object["eventTime"].given()) {
    const FieldView reporter = object[modern ? "reportingController" : "reportingComponent"];
    if (reporter.require()) reporter.messages(check_qualified_name(reporter.text()));
    for (const std::string_view name : {"reportingInstance", "action", "reason"}) object[name].require();
  }
  if (!modern || !subject.creates()) return;
  if (!object["eventTime"].given()) object.errors().required("eventTime");
  const std::string_view type = object["type"].text();
  if (type != "Normal" && type != "Warning")
    object.errors().invalid("type", "", "has invalid value: " + std::string(type));
}

void signing_request(const Subject& subject) {
  if (!subject.creates()) return;
  const FieldView spec = subject.spec();
  const FieldView request = spec["request"];
  const std::string bytes = base64_decode(request.text()).value_or("");
  if (bytes.find("-----BEGIN CERTIFICATE REQUEST-----") == bytes.npos &&
      bytes.find("-----BEGIN NEW CERTIFICATE REQUEST-----") == bytes.npos) {
    request.errors().add_literal(
        "FieldValueInvalid", request.path(),
        "Invalid value: " + go_bytes(bytes) + ": PEM block type must be CERTIFICATE REQUEST");
  }
  if (!spec["usages"].filled()) spec["usages"].errors().required(spec["usages"].path());
  const FieldView signer = spec["signerName"];
  if (signer.require() && !is_signer(signer.text()))
    signer.invalid("must be a fully qualified domain and path of the form 'example.com/signer-name'");
  const FieldView lifetime = spec["expirationSeconds"];
  if (!lifetime.value().is_null() && lifetime.number() < 600)
    lifetime.invalid("may not specify a duration less than 600 seconds (10 minutes)");
}

void webhook_configuration(const Subject& subject) {
  const bool mutating = subject.resource.kind == "MutatingWebhookConfiguration";
  std::set<std::string> names;
  for (const FieldView& hook : subject.object["webhooks"].each()) {
    const FieldView name = hook["name"];
    if (name.require()) {
      if (name.dns_subdomain() && std::count(name.text().begin(), name.text().end(), '.') < 2) {
        name.invalid("should be a domain with at least three segments separated by dots");
      }
      if (!names.insert(std::string(name.text())).second) name.errors().duplicate(name.path(), name.value());
    }
    for (const FieldView& rule : hook["rules"].each()) validate_webhook_rule(rule);
    if (hook["failurePolicy"].given()) hook["failurePolicy"].one_of({"Fail", "Ignore"});
    if (hook["matchPolicy"].given()) hook["matchPolicy"].one_of({"Equivalent", "Exact"});
    const FieldView effects = hook["sideEffects"];
    if (!effects.given()) {
      effects.errors().required(effects.path(), "must specify one of None, NoneOnDryRun");
    } else {
      effects.one_of({"None", "NoneOnDryRun"});
    }
    const FieldView timeout = hook["timeoutSeconds"];
    if (!timeout.value().is_null() && (timeout.number() > 30 || timeout.number() < 1))
      timeout.invalid("the timeout value must be between 1 and 30 seconds");
    if (hook["namespaceSelector"].value().is_object()) validate_label_selector(hook["namespaceSelector"]);
    if (hook["objectSelector"].value().is_object()) validate_label_selector(hook["objectSelector"]);
    validate_webhook_client(hook["clientConfig"]);
    if (mutating && hook["reinvocationPolicy"].given())
      hook["reinvocationPolicy"].one_of({"IfNeeded", "Never"});
    if (!hook["admissionReviewVersions"].filled()) {
      hook["admissionReviewVersions"].errors().required(hook["admissionReviewVersions"].path(),
                                                        "must specify one of v1, v1beta1");
    }
  }
}

}  // namespace flotilla::api::validation
