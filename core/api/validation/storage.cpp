// SPDX-License-Identifier: Apache-2.0
// StorageClass, VolumeAttachment and the kinds of CSI drivers.
#include <set>

#include "core/api/quantity.hpp"
#include "core/api/validation/claims.hpp"
#include "core/api/validation/containers.hpp"
#include "core/api/validation/kinds.hpp"

namespace flotilla::api::validation {
namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::int64_t bytes_of(const Json& map) {
  std::int64_t total = 0;
  for (const auto& [key, value] : map.members())
    total += static_cast<std::int64_t>(key.size() + value.as_string().size());
  return total;
}

void validate_parameters(const FieldView& parameters) {
  constexpr std::int64_t kMost = 512, kMostBytes = 256 * 1024;
  if (static_cast<std::int64_t>(parameters.size()) > kMost)
    return parameters.errors().too_long(parameters.path(), kMost);
  if (parameters.value().contains(""))
    parameters.errors().invalid(parameters.path(), "", "field can not be empty.");
  if (bytes_of(parameters.value()) > kMostBytes) parameters.errors().too_long(parameters.path(), kMostBytes);
}

void validate_topologies(const FieldView& topologies) {
  std::set<std::string> terms;
  for (const FieldView& term : topologies.each()) {
    const FieldView expressions = term["matchLabelExpressions"];
    std::set<std::string_view> keys;
    for (const FieldView& one : expressions.each()) {
      std::set<std::string_view> values;
      if (!one["values"].filled()) one["values"].errors().required(one["values"].path());
      for (const FieldView& value : one["values"].each()) {
        if (!values.insert(value.text()).second) value.errors().duplicate(value.path(), value.value());
      }
      for (const std::string& message : check_qualified_name(one["key"].text()))
        one.errors().invalid(one["key"].path(), one["key"].text(), message);
      if (!keys.insert(one["key"].text()).second)
        one.errors().duplicate(one["key"].path(), one["key"].value());
    }
    if (!terms.insert(expressions.value().dump()).second) term.errors().duplicate(expressions.path(), "");
  }
}

void validate_token_requests(const FieldView& requests) {
  std::set<std::string_view> audiences;
  for (const FieldView& one : requests.each()) {
    const FieldView life = one["expirationSeconds"];
    if (!audiences.insert(one["audience"].text()).second) {
      one.errors().duplicate(one["audience"].path(), one["audience"].text());
      continue;
    }
    if (life.value().is_null()) continue;
    if (life.number() < 600) life.invalid("may not specify a duration less than 10 minutes");
    if (life.number() > (std::int64_t{1} << 32))
      life.invalid("may not specify a duration larger than 2^32 seconds");
  }
}

void validate_node_driver(const FieldView& driver, std::set<std::string_view>& names) {
  constexpr std::size_t kLongestId = 192;
  const FieldView name = driver["name"], id = driver["nodeID"], count = driver["allocatable"]["count"];
  validate_csi_driver_name(name);
  id.require();
  if (id.text().size() > kLongestId)
    id.invalid("must be " + std::to_string(kLongestId) + " characters or less");
  if (!count.value().is_null()) count.not_negative();
  if (!names.insert(name.text()).second) name.errors().duplicate(name.path(), name.text());
  std::set<std::string_view> keys;
  // The driver stands in these errors, not the key.
  for (const FieldView& key : driver["topologyKeys"].each()) {
    if (!key.given()) driver.errors().required(driver.path());
    if (!keys.insert(key.text()).second) driver.errors().duplicate(driver.path(), key.text());
    for (const std::string& message : check_qualified_name(key.text()))
      driver.errors().invalid(driver.path(), key.text(), message);
  }
}

}  // namespace

void storage_class(const Subject& subject) {
  const FieldView provisioner = subject.object["provisioner"], policy = subject.object["reclaimPolicy"],
                  mode = subject.object["volumeBindingMode"], parameters = subject.object["parameters"];
  if (provisioner.require()) {
    for (const std::string& one : check_qualified_name(lower_case(provisioner.text())))
      provisioner.invalid(one);
  }
  validate_parameters(parameters);
  if (policy.given()) policy.one_of({"Delete", "Retain"});
  if (mode.require()) mode.one_of({"Immediate", "WaitForFirstConsumer"});
  validate_topologies(subject.object["allowedTopologies"]);
  if (subject.creates()) return;
  if (!(parameters.value() == subject.live["parameters"]))
    parameters.forbid("updates to parameters are forbidden.");
  if (!(provisioner.value() == subject.live["provisioner"]))
    provisioner.forbid("updates to provisioner are forbidden.");
  if (!(policy.value() == subject.live["reclaimPolicy"]))
    policy.forbid("updates to reclaimPolicy are forbidden.");
  mode.immutable(subject.live["volumeBindingMode"]);
}

void csi_driver(const Subject& subject) {
  const FieldView spec = subject.spec(), group_policy = spec["fsGroupPolicy"];
  if (!group_policy.value().is_null()) group_policy.one_of({"File", "None", "ReadWriteOnceWithFSType"});
  validate_token_requests(spec["tokenRequests"]);
  for (const FieldView& one : spec["volumeLifecycleModes"].each()) {
    if (one.text() == "Persistent" || one.text() == "Ephemeral") continue;
    one.errors().not_supported(spec["volumeLifecycleModes"].path(), one.value(), {"Persistent", "Ephemeral"});
  }
  if (subject.creates()) return;
  // The first path is spelled like this in Kubernetes.
  if (!(spec["attachRequired"].value() == subject.live["spec"]["attachRequired"]))
    spec.errors().immutable("spec.attachedRequired", spec["attachRequired"].value());
  spec["volumeLifecycleModes"].immutable(subject.live["spec"]["volumeLifecycleModes"]);
}

void volume_attachment(const Subject& subject) {
  constexpr std::string_view kOne = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  const FieldView spec = subject.spec(), attacher = spec["attacher"], source = spec["source"];
  const FieldView inline_spec = source["inlineVolumeSpec"], name = source["persistentVolumeName"];
  attacher.require();
  if (inline_spec.value().is_null() && name.value().is_null()) {
    source.errors().required(source.path(), kOne);
  } else if (!inline_spec.value().is_null() && !name.value().is_null()) {
    source.forbid(kOne);
  } else if (!name.value().is_null()) {
    name.require("must specify non empty persistentVolumeName");
  } else {
    validate_volume_spec(inline_spec, {}, true);
  }
  spec["nodeName"].dns_subdomain();
  if (!subject.creates()) {
    spec.immutable(subject.live["spec"]);
    return;
  }
  if (subject.again) return;
  // The v1 rules look at the attacher once more.
  validate_csi_driver_name(attacher);
  if (!name.value().is_null()) name.dns_subdomain();
}

void csi_node(const Subject& subject) {
  std::set<std::string_view> names;
  const FieldView drivers = subject.spec()["drivers"];
  for (const FieldView& one : drivers.each()) validate_node_driver(one, names);
  if (subject.creates()) return;
  for (const Json& old : subject.live["spec"]["drivers"].elements()) {
    for (const Json& now : drivers.value().elements()) {
      if (now["name"] == old["name"] && !(now == old)) drivers.errors().immutable(drivers.path(), now);
    }
  }
}

void storage_capacity(const Subject& subject) {
  const FieldView object = subject.object, storage_class = object["storageClassName"];
  if (object["nodeTopology"].value().is_object()) validate_label_selector(object["nodeTopology"]);
  storage_class.dns_subdomain();
  auto quantity = Quantity::from_json(object["capacity"].value());
  if (quantity.ok() && quantity->sign() < 0) object["capacity"].invalid("must be greater than or equal to 0");
  if (subject.creates()) return;
  object["nodeTopology"].immutable(subject.live["nodeTopology"]);
  storage_class.immutable(subject.live["storageClassName"]);
}

}  // namespace flotilla::api::validation
