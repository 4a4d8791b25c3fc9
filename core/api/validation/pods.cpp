// SPDX-License-Identifier: Apache-2.0
// Pods: what may change after they were made, through which door.
#include <algorithm>

#include "core/api/validation/containers.hpp"
#include "core/api/validation/kinds.hpp"
#include "core/api/validation/network.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::string_view kOnlyImages =
    "pod updates may not change fields other than `spec.containers[*].image`, "
    "`spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, `spec.tolerations` (only additions to "
    "existing tolerations) or `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
    "previously negative)\n";

// What a pod may change after it was made.
Json without_mutable(Json spec, const Json& live) {
  for (const char* list : {"containers", "initContainers"}) {
    Json* containers = spec.find(list);
    if (!containers) continue;
    std::size_t index = 0;
    for (Json& one : containers->elements()) one.set("image", live[list].element(index++)["image"]);
  }
  for (const char* name : {"activeDeadlineSeconds", "tolerations", "schedulingGates"}) {
    spec.erase(name);
    if (const Json* old = live.find(name)) spec.set(name, *old);
  }
  if (live["terminationGracePeriodSeconds"].as_int() < 0 &&
      std::as_const(spec)["terminationGracePeriodSeconds"].as_int() == 1) {
    spec.set("terminationGracePeriodSeconds", live["terminationGracePeriodSeconds"]);
  }
  return spec;
}

// False when nothing further is worth a look.
bool same_containers(const FieldView& containers, const Json& before) {
  if (containers.size() != before.size())
    return containers.forbid("pod updates may not add or remove containers");
  for (const FieldView& one : containers.each()) {
    one["image"].require();
    validate_image_space(one["image"]);
  }
  return true;
}

bool deadline_update(const FieldView& deadline, const Json& before) {
  if (deadline.value().is_null()) {
    if (!before.is_null())
      deadline.errors().invalid(deadline.path(), Json(),
                                "must not update from a positive integer to nil value");
    return true;
  }
  if (deadline.number() < 0 || deadline.number() > 2147483647)
    return deadline.invalid("must be between 0 and 2147483647, inclusive");
  if (before.is_int() && before.as_int() < deadline.number())
    return deadline.invalid("must be less than or equal to previous value");
  return true;
}

void only_added_tolerations(const FieldView& tolerations, const Json& before) {
  const auto same = [](Json a, Json b) {
    a.erase("tolerationSeconds");
    b.erase("tolerationSeconds");
    return a == b;
  };
  const auto now = tolerations.value().elements();
  for (const Json& old : before.elements()) {
    if (std::any_of(now.begin(), now.end(), [&](const Json& one) { return same(one, old); })) continue;
    tolerations.forbid("existing toleration can not be modified except its tolerationSeconds");
    return;
  }
  validate_tolerations(tolerations);
}

void only_removed_gates(const FieldView& gates, const Json& before) {
  for (const FieldView& one : gates.each()) {
    const auto old = before.elements();
    if (std::any_of(old.begin(), old.end(),
                    [&](const Json& gate) { return gate["name"] == one["name"].value(); }))
      continue;
    one["name"].forbid("only deletion is allowed, but found new scheduling gate '" +
                       std::string(one["name"].text()) + "'");
  }
}

// Gated pods may be told more about where to run, never less.
void gated_scheduling(const FieldView& spec, const Json& before, Json& munged) {
  const FieldView selector = spec["nodeSelector"];
  for (const auto& [key, value] : before["nodeSelector"].members()) {
    if (selector.value()[key] == value) continue;
    selector.invalid("only additions to spec.nodeSelector are allowed (no mutations or deletions)");
    break;
  }
  if (before.contains("nodeSelector")) {
    munged.set("nodeSelector", before["nodeSelector"]);
  } else {
    munged.erase("nodeSelector");
  }
  if (before["affinity"]["nodeAffinity"].is_null() && munged.find("affinity")) {
    munged["affinity"].erase("nodeAffinity");
    if (std::as_const(munged)["affinity"].empty() && !before.contains("affinity")) munged.erase("affinity");
  }
}

void pod_update(const Subject& subject) {
  const FieldView spec = subject.spec();
  const Json& before = subject.live["spec"];
  for (const std::string_view list : {"containers", "initContainers"}) {
    if (!same_containers(spec[list], before[list])) return;
  }
  if (!deadline_update(spec["activeDeadlineSeconds"], before["activeDeadlineSeconds"])) return;
  only_added_tolerations(spec["tolerations"], before["tolerations"]);
  only_removed_gates(spec["schedulingGates"], before["schedulingGates"]);
  Json munged = without_mutable(spec.value(), before);
  if (!before["schedulingGates"].empty()) gated_scheduling(spec, before, munged);
  if (munged == before) return;
  spec.forbid(std::string(kOnlyImages) + go_difference("core.PodSpec", before, munged));
}

void fixed_annotations(const Subject& subject) {
  constexpr std::string_view kMirror = "kubernetes.io/config.mirror";
  const FieldView annotations = subject.object["metadata"]["annotations"];
  const Json& before = subject.live["metadata"]["annotations"];
  const auto fixed = [&](std::string_view key, std::string_view app_armor, std::string_view mirror) {
    const std::string path = at_key(annotations.path(), key);
    if (key.starts_with("container.apparmor.security.beta.kubernetes.io/"))
      annotations.errors().forbidden(path, app_armor);
    if (key == kMirror) annotations.errors().forbidden(path, mirror);
  };
  for (const auto& [key, value] : before.members()) {
    if (!(annotations.value()[key] == value)) {
      fixed(key, "may not remove or update AppArmor annotations",
            "may not remove or update mirror pod annotation");
    }
  }
  for (const auto& [key, value] : annotations.value().members()) {
    if (!before.contains(key))
      fixed(key, "may not add AppArmor annotations", "may not add mirror pod annotation");
  }
  validate_pod_annotations(annotations, subject.spec());
}

void validate_addresses(const FieldView& addresses) {
  bool four = false, six = false, sound = true;
  std::vector<std::string_view> seen;
  for (const FieldView& one : addresses.each()) {
    const std::string_view ip = one["ip"].text();
    if (!is_ip(ip)) {
      one.errors().invalid(one.path(), ip, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
      sound = false;
    }
    four = four || is_ipv4(ip);
    six = six || is_ipv6(ip);
    if (std::find(seen.begin(), seen.end(), ip) != seen.end()) one.errors().duplicate(one.path(), ip);
    seen.push_back(ip);
  }
  if (sound && addresses.size() > 1 && (addresses.size() > 2 || !four || !six))
    addresses.invalid("may specify no more than one IP for each IP family");
}

void restarted_states(const FieldView& statuses, const Json& before, std::string_view policy) {
  if (policy == "Always") return;
  std::size_t index = 0;
  for (const Json& old : before.elements()) {
    const std::string path = at_index(statuses.path(), index++) + ".state";
    const Json& ended = old["state"]["terminated"];
    if (!ended.is_object() || (policy == "OnFailure" && ended["exitCode"].as_int() != 0)) continue;
    for (const Json& one : statuses.value().elements()) {
      if (one["name"] == old["name"] && !one["state"]["terminated"].is_object())
        statuses.errors().forbidden(path, "may not be transitioned to non-terminated state");
    }
  }
}

}  // namespace

void pod_status(const Subject& subject) {
  FieldErrors& errors = subject.object.errors();
  std::size_t index = 0;
  for (const FieldView& one : subject.object["status"]["conditions"].each()) {
    const std::string_view type = one["type"].text();
    const std::string path = at_index("metadata.conditions", index++) + ".Type";
    if (type == "PodScheduled" || type == "Ready" || type == "Initialized") continue;
    for (const std::string& message : check_qualified_name(type)) errors.invalid(path, type, message);
  }
  validate_pod_annotations(subject.object["metadata"]["annotations"], subject.spec());
  const FieldView status = subject.object["status"];
  if (!(subject.spec()["nodeName"].value() == subject.live["spec"]["nodeName"]))
    errors.forbidden("status.nodeName", "may not be changed directly");
  const FieldView nominated = status["nominatedNodeName"];
  if (nominated.given() && !(nominated.value() == subject.live["status"]["nominatedNodeName"]))
    status["nominatedNodeName"].dns_subdomain();
  const std::string_view policy = subject.live["spec"]["restartPolicy"].as_string();
  for (const std::string_view list : {"containerStatuses", "initContainerStatuses"})
    restarted_states(status[list], subject.live["status"][list], policy);
  validate_addresses(status["podIPs"]);
}

namespace {

// A token of no account.
void token_without_account(const FieldView& volumes) {
  for (const FieldView& volume : volumes.each()) {
    for (const FieldView& source : volume["projected"]["sources"].each()) {
      if (source["serviceAccountToken"].value().is_object())
        source["serviceAccountToken"].forbid("must not be specified when serviceAccountName is not set");
    }
  }
}

void ephemeral_update(const Subject& subject) {
  const FieldView now = subject.spec()["ephemeralContainers"];
  FieldErrors& errors = now.errors();
  for (const Json& old : subject.live["spec"]["ephemeralContainers"].elements()) {
    const Json* same = nullptr;
    for (const Json& one : now.value().elements()) {
      if (one["name"] == old["name"]) same = &one;
    }
    const std::string quoted = go_quote(old["name"].as_string());
    if (same == nullptr) {
      errors.forbidden(now.path(), "existing ephemeral containers " + quoted + " may not be removed\n");
    } else if (!(*same == old)) {
      errors.forbidden(now.path(), "existing ephemeral containers " + quoted + " may not be changed\n");
    }
  }
}

}  // namespace

void pod(const Subject& subject) {
  const FieldView spec = subject.spec(), annotations = subject.object["metadata"]["annotations"];
  validate_pod_annotations(annotations, spec);
  validate_pod_spec(spec, subject.object["metadata"]["name"].text());
  if (!spec["serviceAccountName"].given()) token_without_account(spec["volumes"]);
  for (const std::string_view list : {"containers", "initContainers"}) {
    for (const FieldView& one : spec[list].each()) validate_image_space(one["image"]);
  }
  if (subject.creates()) {
    if (spec["ephemeralContainers"].filled()) spec["ephemeralContainers"].forbid("cannot be set on create");
    if (spec["nodeName"].given() && spec["schedulingGates"].filled())
      spec["nodeName"].forbid("cannot be set until all schedulingGates have been cleared");
    return;
  }
  fixed_annotations(subject);
  if (subject.subresource.empty()) pod_update(subject);
  if (subject.subresource == "ephemeralcontainers") ephemeral_update(subject);
}

}  // namespace flotilla::api::validation
