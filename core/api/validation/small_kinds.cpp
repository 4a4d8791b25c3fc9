// SPDX-License-Identifier: Apache-2.0
// Kinds with few rules: leases, runtime classes, storage capacities; and updates of volumes and claims.
#include <set>

#include "core/api/quantity.hpp"
#include "core/api/validation/containers.hpp"
#include "core/api/validation/kinds.hpp"

namespace flotilla::api::validation {
namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// A volume's source is what is left of its spec.
Json source_of(Json spec) {
  for (const char* name :
       {"accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity",
        "persistentVolumeReclaimPolicy", "storageClassName", "volumeAttributesClassName", "volumeMode"}) {
    spec.erase(name);
  }
  return spec;
}

}  // namespace

void lease(const Subject& subject) {
  const FieldView spec = subject.spec();
  const FieldView seconds = spec["leaseDurationSeconds"], transitions = spec["leaseTransitions"];
  if (!seconds.value().is_null() && seconds.number() <= 0) seconds.invalid("must be greater than 0");
  if (!transitions.value().is_null() && transitions.number() < 0)
    transitions.invalid("must be greater than or equal to 0");
}

void runtime_class(const Subject& subject) {
  const FieldView handler = subject.object["handler"];
  for (const std::string& message : check_dns_label(handler.text()))
    handler.errors().invalid(handler.path(), handler.text(), message);
  const FieldView overhead = subject.object["overhead"]["podFixed"];
  if (overhead.filled()) {
    const Json limits = Json::object({{"limits", overhead.value()}});
    validate_container_resources(FieldView(limits, overhead.path(), overhead.errors()));
  }
  validate_labels(subject.object["scheduling"]["nodeSelector"]);
  validate_tolerations(subject.object["scheduling"]["tolerations"]);
  if (!subject.creates()) handler.immutable(subject.live["handler"]);
}

void csi_node(const Subject& subject) {
  constexpr std::size_t kLongestId = 192;
  std::set<std::string> names;
  for (const FieldView& one : subject.spec()["drivers"].each()) {
    const FieldView name = one["name"], id = one["nodeID"];
    if (name.require()) name.messages(check_dns_subdomain(lower_case(name.text())));
    if (name.given() && !names.insert(std::string(name.text())).second)
      name.errors().duplicate(name.path(), name.value());
    if (!id.given()) {
      id.require();
    } else if (id.text().size() > kLongestId) {
      id.invalid("must be " + std::to_string(kLongestId) + " characters or less");
    }
    const FieldView count = one["allocatable"]["count"];
    if (!count.value().is_null() && count.number() < 0) count.invalid("must be greater than or equal to 0");
    std::set<std::string> keys;
    for (const FieldView& key : one["topologyKeys"].each()) {
      if (!keys.insert(std::string(key.text())).second) key.errors().duplicate(key.path(), key.value());
      key.messages(check_qualified_name(key.text()));
    }
  }
}

void storage_capacity(const Subject& subject) {
  const FieldView object = subject.object;
  for (const std::string& message : check_dns_subdomain(object["storageClassName"].text()))
    object.errors().invalid("storageClassName", object["storageClassName"].text(), message);
  for (const std::string_view name : {"capacity", "maximumVolumeSize"}) {
    auto quantity = Quantity::from_json(object[name].value());
    if (quantity.ok() && quantity->sign() < 0)
      object.errors().invalid(name, object[name].value(), "must be greater than or equal to 0");
  }
  if (object["nodeTopology"].value().is_object()) validate_label_selector(object["nodeTopology"]);
  if (subject.creates()) return;
  object["nodeTopology"].immutable(subject.live["nodeTopology"]);
  object["storageClassName"].immutable(subject.live["storageClassName"]);
}

void volume_claim_update(const Subject& subject) {
  const FieldView spec = subject.spec();
  const Json& before = subject.live["spec"];
  Json now = spec.value(), then = before;
  if (then["volumeName"].as_string().empty()) {
    then.erase("volumeName");
    now.erase("volumeName");
  }
  // Chosen by the server or set later; what has been chosen stays.
  if (before["storageClassName"].is_null()) now.erase("storageClassName");
  const Json* size = before["resources"]["requests"].find("storage");
  const Json* wanted = spec["resources"]["requests"].value().find("storage");
  const bool bound = subject.live["status"]["phase"].as_string() == "Bound";
  if (bound && size && wanted) now.make({"resources", "requests"}).set("storage", *size);
  const char* words = "spec is immutable after creation except resources.requests for bound claims\n";
  if (!(now == then)) spec.forbid(words + go_difference("core.PersistentVolumeClaimSpec", then, now));
  auto old_size = size ? Quantity::from_json(*size) : Quantity::from_json(Json(0));
  auto new_size = wanted ? Quantity::from_json(*wanted) : Quantity::from_json(Json(0));
  if (old_size.ok() && new_size.ok() && *old_size > *new_size)
    spec.errors().forbidden("spec.resources.requests.storage", "field can not be less than previous value");
  spec["volumeMode"].immutable(before["volumeMode"]);
}

void persistent_volume_update(const Subject& subject) {
  const FieldView spec = subject.spec();
  const Json& before = subject.live["spec"];
  const Json now = source_of(spec.value()), then = source_of(before);
  if (!(now == then)) {
    spec.errors().forbidden("spec.persistentvolumesource",
                            "spec.persistentvolumesource is immutable after creation\n" +
                                go_difference("core.PersistentVolumeSource", then, now));
  }
  spec["volumeMode"].immutable(before["volumeMode"]);
  if (!before["nodeAffinity"].is_null() && !(spec["nodeAffinity"].value() == before["nodeAffinity"])) {
    spec["nodeAffinity"].invalid("field is immutable, except for updating from beta label to GA");
  }
}

}  // namespace flotilla::api::validation
