// SPDX-License-Identifier: Apache-2.0
// PodSpec: scheduling, volumes, and what pods may not change. Containers: containers.cpp.
#include <algorithm>
#include <set>

#include "core/api/selector.hpp"
#include "core/api/validation/containers.hpp"
#include "core/api/validation/kinds.hpp"
#include "core/api/validation/network.hpp"

namespace flotilla::api::validation {
namespace {

void validate_toleration(const FieldView& one) {
  if (one["key"].given()) one["key"].messages(check_qualified_name(one["key"].text()));
  const std::string_view op = one["operator"].text();
  if (!one["key"].given() && op != "Exists") {
    one["operator"].errors().invalid(
        one["operator"].path(), op,
        "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
  }
  if (!one["tolerationSeconds"].value().is_null() && one["effect"].text() != "NoExecute") {
    one["effect"].errors().invalid(one["effect"].path(), one["effect"].text(),
                                   "effect must be 'NoExecute' when `tolerationSeconds` is set");
  }
  if (op == "Exists") {
    if (one["value"].given()) one["operator"].invalid("value must be empty when `operator` is 'Exists'");
  } else if (op.empty() || op == "Equal") {
    for (const std::string& message : check_label_value(one["value"].text()))
      one["operator"].errors().invalid(one["operator"].path(), one["value"].text(), message);
  } else {
    one["operator"].one_of({"Equal", "Exists"});
  }
  const FieldView effect = one["effect"];
  if (effect.given()) effect.one_of({"NoSchedule", "PreferNoSchedule", "NoExecute"});
}

void validate_node_requirement(const FieldView& one, bool fields) {
  const std::string_view op = one["operator"].text();
  const FieldView values = one["values"];
  if (op == "In" || op == "NotIn") {
    if (!values.filled())
      values.errors().required(values.path(), "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (values.filled()) values.forbid("may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (op == "Gt" || op == "Lt") {
    if (values.size() != 1)
      values.errors().required(values.path(),
                               "must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else {
    one["operator"].errors().invalid(one["operator"].path(), op, "not a valid selector operator");
  }
  if (!fields) one["key"].messages(check_qualified_name(one["key"].text()));
}

void validate_node_term(const FieldView& term) {
  for (const FieldView& one : term["matchExpressions"].each()) validate_node_requirement(one, false);
  for (const FieldView& one : term["matchFields"].each()) validate_node_requirement(one, true);
}

void validate_pod_affinity_term(const FieldView& term) {
  validate_label_selector(term["labelSelector"]);
  validate_label_selector(term["namespaceSelector"]);
  for (const FieldView& one : term["namespaces"].each()) one.dns_label();
  if (!term["topologyKey"].given()) term["topologyKey"].require("can not be empty");
  term["topologyKey"].messages(check_qualified_name(term["topologyKey"].text()));
}

void validate_weight(const FieldView& preferred) {
  const std::int64_t weight = preferred["weight"].number();
  if (weight < 1 || weight > 100) preferred["weight"].invalid("must be in the range 1-100");
}

void validate_affinity(const FieldView& affinity) {
  constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
  constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";
  const FieldView node = affinity["nodeAffinity"];
  if (node[kRequired].value().is_object()) validate_node_selector(node[kRequired]);
  for (const FieldView& one : node[kPreferred].each()) {
    if (one["weight"].number() <= 0 || one["weight"].number() > 100)
      one["weight"].invalid("must be in the range 1-100");
    validate_node_term(one["preference"]);
  }
  for (const std::string_view which : {"podAffinity", "podAntiAffinity"}) {
    for (const FieldView& one : affinity[which][kRequired].each()) validate_pod_affinity_term(one);
    for (const FieldView& one : affinity[which][kPreferred].each()) {
      validate_weight(one);
      validate_pod_affinity_term(one["podAffinityTerm"]);
    }
  }
}

void validate_mode(const FieldView& mode) {
  if (mode.number() < 0 || mode.number() > 0777)
    mode.invalid("must be a number between 0 and 0777 (octal), both inclusive");
}

void validate_volume_source(const FieldView& volume) {
  std::size_t sources = 0;
  for (const auto& [name, value] : volume.value().members()) {
    if (name == "name" || value.is_null()) continue;
    if (++sources > 1) volume[name].forbid("may not specify more than 1 volume type");
  }
  if (sources == 0) volume.require("must specify a volume type");
  const FieldView host = volume["hostPath"];
  if (host.value().is_object()) validate_host_path(host);
  for (const std::string_view which : {"secret", "configMap", "projected", "downwardAPI"}) {
    const FieldView source = volume[which];
    if (!source.value().is_object()) continue;
    validate_mode(source["defaultMode"]);
    for (const FieldView& item : source["items"].each()) {
      if (which != "downwardAPI") item["key"].require();
      item["path"].require();
      validate_mode(item["mode"]);
    }
  }
  if (volume["secret"].value().is_object()) volume["secret"]["secretName"].require();
  if (volume["configMap"].value().is_object()) volume["configMap"]["name"].require();
  if (volume["persistentVolumeClaim"].value().is_object())
    volume["persistentVolumeClaim"]["claimName"].require();
  if (volume["nfs"].value().is_object()) {
    volume["nfs"]["server"].require();
    volume["nfs"]["path"].require();
  }
}

std::set<std::string> validate_volumes(const FieldView& volumes) {
  std::set<std::string> names;
  for (const FieldView& one : volumes.each()) {
    validate_volume_source(one);
    const FieldView name = one["name"];
    if (!name.require()) continue;
    if (!name.dns_label()) continue;
    if (!names.insert(std::string(name.text())).second) name.errors().duplicate(name.path(), name.value());
  }
  return names;
}

void validate_topology_spread(const FieldView& constraints) {
  for (const FieldView& one : constraints.each()) {
    if (one["maxSkew"].number() <= 0)
      one["maxSkew"].errors().invalid(one["maxSkew"].path(), one["maxSkew"].number(),
                                      "must be greater than zero");
    one["topologyKey"].require("can not be empty");
    one["whenUnsatisfiable"].one_of({"DoNotSchedule", "ScheduleAnyway"});
    validate_label_selector(one["labelSelector"]);
  }
}

}  // namespace

void validate_node_selector(const FieldView& selector) {
  const FieldView terms = selector["nodeSelectorTerms"];
  if (!terms.filled()) terms.errors().required(terms.path(), "must have at least one node selector term");
  for (const FieldView& term : terms.each()) validate_node_term(term);
}

void validate_host_path(const FieldView& host) {
  const FieldView path = host["path"];
  if (!path.require()) return;
  const std::string text = "/" + std::string(path.text()) + "/";
  if (text.find("/../") != text.npos) path.invalid("must not contain '..'");
  const FieldView type = host["type"];
  if (type.given()) {
    type.one_of({"", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice",
                 "BlockDevice"});
  }
}

void validate_pod_spec(const FieldView& spec) {
  const std::set<std::string> volumes = validate_volumes(spec["volumes"]);
  validate_containers(spec, volumes);
  spec["restartPolicy"].required_one_of({"Always", "OnFailure", "Never"});
  spec["dnsPolicy"].required_one_of({"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"});
  validate_labels(spec["nodeSelector"]);
  const FieldView deadline = spec["activeDeadlineSeconds"];
  if (!deadline.value().is_null() && (deadline.number() < 1 || deadline.number() > 2147483647)) {
    deadline.invalid("must be between 1 and 2147483647, inclusive");
  }
  if (spec["serviceAccountName"].given()) spec["serviceAccountName"].dns_subdomain();
  if (spec["nodeName"].given()) spec["nodeName"].dns_subdomain();
  if (spec["hostname"].given()) spec["hostname"].dns_label();
  if (spec["subdomain"].given()) spec["subdomain"].dns_label();
  for (const FieldView& one : spec["tolerations"].each()) validate_toleration(one);
  for (const FieldView& one : spec["hostAliases"].each()) {
    if (!is_ip(one["ip"].text())) {
      one.errors().invalid(spec["hostAliases"].path() + ".ip", one["ip"].text(), "must be valid IP address");
    }
    for (const FieldView& name : one["hostnames"].each()) {
      for (const std::string& message : check_dns_subdomain(name.text()))
        one.errors().invalid(spec["hostAliases"].path() + ".hostnames", name.text(), message);
    }
  }
  validate_affinity(spec["affinity"]);
  validate_topology_spread(spec["topologySpreadConstraints"]);
  if (spec["priorityClassName"].given()) spec["priorityClassName"].dns_subdomain();
  if (spec["runtimeClassName"].given()) spec["runtimeClassName"].dns_subdomain();
  if (spec["preemptionPolicy"].given()) spec["preemptionPolicy"].one_of({"PreemptLowerPriority", "Never"});
}

void validate_pod_template(const FieldView& pod_template) {
  // Kubernetes leaves "metadata" out of these two paths.
  FieldErrors& errors = pod_template.errors();
  const Json& metadata = pod_template.value()["metadata"];
  validate_labels(FieldView(metadata["labels"], at_field(pod_template.path(), "labels"), errors));
  validate_annotation_keys(
      FieldView(metadata["annotations"], at_field(pod_template.path(), "annotations"), errors));
  validate_pod_spec(pod_template["spec"]);
}

namespace {

// What a pod may change after it was made.
Json without_mutable(Json spec, const Json& live) {
  for (const char* list : {"containers", "initContainers"}) {
    Json* containers = spec.find(list);
    if (!containers) continue;
    std::size_t index = 0;
    for (Json& one : containers->elements()) one.set("image", live[list].element(index++)["image"]);
  }
  for (const char* name :
       {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates"}) {
    spec.erase(name);
    if (const Json* old = live.find(name)) spec.set(name, *old);
  }
  return spec;
}

void pod_update(const Subject& subject) {
  const FieldView spec = subject.spec();
  const Json& before = subject.live["spec"];
  const FieldView deadline = spec["activeDeadlineSeconds"];
  const Json& old_deadline = before["activeDeadlineSeconds"];
  if (old_deadline.is_int()) {
    if (deadline.value().is_null()) {
      deadline.errors().invalid(deadline.path(), Json(),
                                "must not update from a positive integer to nil value");
    } else if (deadline.number() > old_deadline.as_int()) {
      deadline.invalid("must be less than or equal to previous value");
    }
  }
  if (spec["containers"].size() != before["containers"].size()) {
    spec["containers"].forbid("pod updates may not add or remove containers");
    return;
  }
  if (without_mutable(spec.value(), before) == before) return;
  spec.forbid(
      "pod updates may not change fields other than `spec.containers[*].image`, "
      "`spec.initContainers[*].image`, "
      "`spec.activeDeadlineSeconds`, `spec.tolerations` (only additions to existing tolerations) or "
      "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n" +
      spec.value().dump() + "\n" + before.dump());
}

}  // namespace

void pod(const Subject& subject) {
  if (subject.subresource == "status") return;
  validate_pod_spec(subject.spec());
  if (!subject.creates() && subject.subresource.empty()) pod_update(subject);
}

void pod_template(const Subject& subject) {
  validate_pod_template(subject.object["template"]);
}

}  // namespace flotilla::api::validation
