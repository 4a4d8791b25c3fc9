// SPDX-License-Identifier: Apache-2.0
// RBAC, PodDisruptionBudget, PriorityClass, ControllerRevision, APIService.
#include <algorithm>

#include "core/api/validation/kinds.hpp"
#include "core/base/base64.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::int64_t kHighestUserPriority = 1000000000;
constexpr std::int64_t kNodeCritical = 2000001000, kClusterCritical = 2000000000;

void need_filled(const FieldView& list, std::string_view detail) {
  if (!list.filled()) list.errors().required(list.path(), detail);
}

void validate_rule(const FieldView& rule, bool namespaced) {
  need_filled(rule["verbs"], "verbs must contain at least one value");
  const FieldView urls = rule["nonResourceURLs"];
  const bool resources =
      rule["apiGroups"].filled() || rule["resources"].filled() || rule["resourceNames"].filled();
  if (urls.filled()) {
    const auto bad = [&](const std::string& detail) {
      urls.errors().add_literal("FieldValueInvalid", urls.path(),
                                "Invalid value: " + go_strings(urls.value()) + ": " + detail);
    };
    if (namespaced) bad("namespaced rules cannot apply to non-resource URLs");
    if (resources) bad("rules cannot apply to both regular resources and non-resource URLs");
    return;
  }
  need_filled(rule["apiGroups"], "resource rules must supply at least one api group");
  need_filled(rule["resources"], "resource rules must supply at least one resource");
}

void validate_subject(const FieldView& one, bool namespaced) {
  if (!one["name"].given()) one["name"].require();
  const std::string_view kind = one["kind"].text();
  const FieldView group = one["apiGroup"];
  if (kind == "ServiceAccount") {
    if (one["name"].given()) one["name"].dns_subdomain();
    if (group.given()) group.errors().not_supported(group.path(), group.value(), {""});
    if (!namespaced && !one["namespace"].given()) one["namespace"].require();
  } else if (kind == "User" || kind == "Group") {
    if (group.text() != "rbac.authorization.k8s.io")
      group.errors().not_supported(group.path(), group.value(), {"rbac.authorization.k8s.io"});
  } else {
    one["kind"].one_of({"ServiceAccount", "User", "Group"});
  }
}

void validate_binding(const Subject& subject, bool namespaced) {
  const FieldView ref = subject.object["roleRef"];
  ref["apiGroup"].one_of({"rbac.authorization.k8s.io"});
  if (namespaced) {
    ref["kind"].one_of({"Role", "ClusterRole"});
  } else {
    ref["kind"].one_of({"ClusterRole"});
  }
  if (ref["name"].require()) ref["name"].messages(check_path_segment(ref["name"].text()));
  for (const FieldView& one : subject.object["subjects"].each()) validate_subject(one, namespaced);
  if (!subject.creates() && !(ref.value() == subject.live["roleRef"])) {
    ref.errors().add_literal("FieldValueInvalid", ref.path(),
                             "Invalid value: rbac.RoleRef{APIGroup:" + go_quote(ref["apiGroup"].text()) +
                                 ", Kind:" + go_quote(ref["kind"].text()) +
                                 ", Name:" + go_quote(ref["name"].text()) + "}: cannot change roleRef");
  }
}

// Bytes as Go's %#v prints them.
std::string go_bytes(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += out.empty() ? "0x" : ", 0x";
    if (byte > 15) out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

// JSON with a space behind colons and commas, as scripts send it: what was sent is not kept.
std::string spaced(const Json& value) {
  std::string out;
  if (value.is_object()) {
    for (const auto& [key, member] : value.members()) {
      out += out.empty() ? "{" : ", ";
      out += Json(key).dump() + ": " + spaced(member);
    }
    return out.empty() ? "{}" : out + "}";
  }
  if (!value.is_array()) return value.dump();
  for (const Json& element : value.elements()) out += (out.empty() ? "[" : ", ") + spaced(element);
  return out.empty() ? "[]" : out + "]";
}

}  // namespace

void role(const Subject& subject) {
  for (const FieldView& rule : subject.object["rules"].each()) validate_rule(rule, true);
}

void cluster_role(const Subject& subject) {
  for (const FieldView& rule : subject.object["rules"].each()) validate_rule(rule, false);
  const FieldView aggregation = subject.object["aggregationRule"];
  if (!aggregation.value().is_object()) return;
  const FieldView selectors = aggregation["clusterRoleSelectors"];
  need_filled(selectors, "at least one clusterRoleSelector required if aggregationRule is non-nil");
  for (const FieldView& one : selectors.each()) {
    const std::size_t before = one.errors().size();
    validate_label_selector(one);
    if (one.errors().size() != before) one.invalid("invalid label selector.");
  }
}

void role_binding(const Subject& subject) {
  validate_binding(subject, true);
}
void cluster_role_binding(const Subject& subject) {
  validate_binding(subject, false);
}

void disruption_budget(const Subject& subject) {
  const FieldView spec = subject.spec();
  if (!spec["minAvailable"].value().is_null() && !spec["maxUnavailable"].value().is_null()) {
    spec.errors().add_literal(
        "FieldValueInvalid", spec.path(),
        "Invalid value: " + spec.value().dump() + ": minAvailable and maxUnavailable cannot be both set");
  }
  validate_percent(spec["minAvailable"]);
  validate_percent(spec["maxUnavailable"]);
  validate_label_selector(spec["selector"]);
  const FieldView unhealthy = spec["unhealthyPodEvictionPolicy"];
  if (!unhealthy.value().is_null()) unhealthy.one_of({"AlwaysAllow", "IfHealthyBudget"});
}

namespace {

// What a class of the system has to be; empty when it is.
std::string system_class_error(const Subject& subject) {
  const std::string name(subject.object["metadata"]["name"].text());
  const bool of_nodes = name == "system-node-critical";
  if (!of_nodes && name != "system-cluster-critical") return name + " is not a known system priority class";
  const std::int64_t value = of_nodes ? kNodeCritical : kClusterCritical;
  if (subject.object["value"].number() != value)
    return "value of " + name + " PriorityClass must be " + std::to_string(value);
  if (subject.object["globalDefault"].value().as_bool())
    return "globalDefault of " + name + " PriorityClass must be false";
  return {};
}

}  // namespace

void priority_class(const Subject& subject) {
  const FieldView value = subject.object["value"], name = subject.object["metadata"]["name"];
  const FieldView policy = subject.object["preemptionPolicy"];
  if (!subject.creates()) {
    if (!(value.value() == subject.live["value"])) value.forbid("may not be changed in an update.");
    policy.immutable(subject.live["preemptionPolicy"]);
    return;
  }
  if (name.text().starts_with("system-")) {
    const std::string wrong = system_class_error(subject);
    if (!wrong.empty()) {
      name.forbid("priority class names with 'system-' prefix are reserved for system use only. error: " +
                  wrong);
    }
  } else if (value.number() > kHighestUserPriority) {
    value.forbid("maximum allowed value of a user defined priority is " +
                 std::to_string(kHighestUserPriority));
  }
  if (!policy.value().is_null()) policy.required_one_of({"PreemptLowerPriority", "Never"});
}

void controller_revision(const Subject& subject) {
  const FieldView data = subject.object["data"];
  if (data.value().is_null()) data.errors().required(data.path(), "data is mandatory");
  subject.object["revision"].not_negative();
  if (subject.creates() || data.value() == subject.live["data"]) return;
  data.errors().add_literal(
      "FieldValueInvalid", data.path(),
      "Invalid value: runtime.Unknown{TypeMeta:runtime.TypeMeta{APIVersion:\"\", "
      "Kind:\"\"}, Raw:[]uint8{" +
          go_bytes(spaced(data.value())) +
          "}, ContentEncoding:\"\", ContentType:\"application/json\"}: field is immutable");
}

void api_service(const Subject& subject) {
  const FieldView spec = subject.spec(), name = subject.object["metadata"]["name"], service = spec["service"];
  const FieldView group = spec["group"], version = spec["version"], insecure = spec["insecureSkipTLSVerify"];
  const FieldView group_priority = spec["groupPriorityMinimum"], version_priority = spec["versionPriority"];
  const std::string wanted = std::string(version.text()) + "." + std::string(group.text());
  const bool segment = name.messages(check_path_segment(name.text()));
  if (segment && name.text() != wanted)
    name.invalid("must be `spec.version+\".\"+spec.group`: " + go_quote(wanted));
  if (!group.given() && version.text() != "v1")
    group.errors().required(group.path(), "only v1 may have an empty group and it better be legacy kube");
  if (group.given()) group.dns_subdomain();
  version.messages(check_dns1035_label(version.text()));
  if (group_priority.number() <= 0 || group_priority.number() > 20000)
    group_priority.errors().invalid(group_priority.path(), group_priority.number(),
                                    "must be positive and less than 20000");
  if (version_priority.number() <= 0 || version_priority.number() > 1000)
    version_priority.errors().invalid(version_priority.path(), version_priority.number(),
                                      "must be positive and less than 1000");
  const bool skips = insecure.value().as_bool(), has_bundle = spec["caBundle"].given();
  if (!service.value().is_object()) {
    if (has_bundle) {
      const std::string bytes = base64_decode(spec["caBundle"].text()).value_or("");
      spec.errors().invalid(spec["caBundle"].path(), std::to_string(bytes.size()) + " bytes",
                            "local APIServices may not have a caBundle");
    }
    if (skips) insecure.invalid("local APIServices may not have insecureSkipTLSVerify");
    return;
  }
  service["namespace"].require();
  service["name"].require();
  if (skips && has_bundle) insecure.invalid("may not be true if caBundle is present");
}

}  // namespace flotilla::api::validation
