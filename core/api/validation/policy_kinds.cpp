// SPDX-License-Identifier: Apache-2.0
// RBAC, HorizontalPodAutoscaler, PodDisruptionBudget, PriorityClass, ControllerRevision, LimitRange,
// ResourceQuota, APIService, flow control.
#include <set>

#include "core/api/quantity.hpp"
#include "core/api/validation/kinds.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::int64_t kHighestUserPriority = 1000000000;

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

void validate_metric_target(const FieldView& target) {
  if (target["type"].require()) target["type"].one_of({"AverageValue", "Utilization", "Value"});
  for (const std::string_view name : {"value", "averageValue"}) {
    auto quantity = Quantity::from_json(target[name].value());
    if (!target[name].value().is_null() && quantity && quantity->sign() <= 0)
      target[name].invalid("must be positive");
  }
  const FieldView utilization = target["averageUtilization"];
  if (!utilization.value().is_null() && utilization.number() < 1)
    utilization.invalid("must be greater than 0");
}

// Metrics of pods, of an object, from outside.
void validate_custom_metric(std::string_view own, const FieldView& source) {
  const FieldView target = source["target"], name = source["metric"]["name"];
  const FieldView value = target["value"], average = target["averageValue"];
  if (own == "object") {
    for (const std::string_view part : {"kind", "name"}) {
      const FieldView described = source["describedObject"][part];
      if (described.require()) described.messages(check_path_segment(described.text()));
    }
  }
  if (name.require("must specify a metric name")) name.messages(check_path_segment(name.text()));
  if (source["metric"]["selector"].value().is_object()) validate_label_selector(source["metric"]["selector"]);
  validate_metric_target(target);
  const bool has_value = !value.value().is_null(), has_average = !average.value().is_null();
  if (own == "pods") {
    auto quantity = Quantity::from_json(average.value());
    if (!has_average || (quantity.ok() && quantity->sign() <= 0))
      average.errors().required(average.path(), "must specify a positive target averageValue");
  } else if (!has_value && !has_average) {
    average.errors().required(average.path(),
                              "must set either a target value for metric or a per-pod target");
  } else if (own == "external" && has_value && has_average) {
    value.forbid("may not set both a target value for metric and a per-pod target");
  }
}

void validate_metric(const FieldView& metric) {
  if (!metric["type"].require("must specify a metric source type")) return;
  const std::string_view type = metric["type"].text();
  if (!metric["type"].one_of({"ContainerResource", "External", "Object", "Pods", "Resource"})) return;
  std::string own(type);
  own[0] = static_cast<char>(own[0] - 'A' + 'a');
  const FieldView source = metric[own];
  if (!source.value().is_object()) {
    source.errors().required(source.path(), "must populate information for the given metric source");
    return;
  }
  const FieldView target = source["target"];
  if (own == "resource" || own == "containerResource") {
    source["name"].require("must specify a resource name");
    validate_metric_target(target);
    const bool utilization = !target["averageUtilization"].value().is_null(),
               value = !target["averageValue"].value().is_null();
    if (!utilization && !value)
      target["averageUtilization"].errors().required(
          target["averageUtilization"].path(), "must set either a target raw value or a target utilization");
    if (utilization && value)
      target["averageValue"].forbid("may not set both a target raw value and a target utilization");
  } else {
    validate_custom_metric(own, source);
  }
}

void validate_scaling_rules(const FieldView& rules) {
  if (!rules.value().is_object()) return;
  const FieldView window = rules["stabilizationWindowSeconds"];
  if (window.number() < 0) window.invalid("must be greater than or equal to zero");
  if (window.number() > 3600) window.invalid("must be less than or equal to 3600");
  if (rules["selectPolicy"].given()) rules["selectPolicy"].one_of({"Disabled", "Max", "Min"});
  if (!rules["policies"].filled())
    rules["policies"].errors().required(rules["policies"].path(), "must specify at least one Policy");
  for (const FieldView& one : rules["policies"].each()) {
    if (one["type"].text() != "Pods" && one["type"].text() != "Percent")
      one["type"].one_of({"Percent", "Pods"});
    if (one["value"].number() <= 0) one["value"].invalid("must be greater than zero");
    if (one["periodSeconds"].number() <= 0) one["periodSeconds"].invalid("must be greater than zero");
    if (one["periodSeconds"].number() > 1800)
      one["periodSeconds"].invalid("must be less than or equal to 1800");
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

void compare_limits(const FieldView& item, std::string_view small, std::string_view large,
                    const std::string& path, std::string_view name) {
  const Json *a = item[small].value().find(name), *b = item[large].value().find(name);
  if (!a || !b) return;
  auto left = Quantity::from_json(*a), right = Quantity::from_json(*b);
  if (!left || !right || !(*left > *right)) return;
  // The value shown is the one that the path names, but for a minimum above the default.
  const bool shows_small = path == at_key(item[small].path(), name) || large == "default";
  const auto words = [](std::string_view which) {
    return which == "default"          ? std::string("default")
           : which == "defaultRequest" ? std::string("default request")
                                       : std::string(which);
  };
  item.errors().add_literal("FieldValueInvalid", path,
                            "Invalid value: " + go_quantity(shows_small ? *a : *b) + ": " + words(small) +
                                " value " + std::string(a->as_string()) + " is greater than " + words(large) +
                                " value " + std::string(b->as_string()));
}

bool standard_quota(std::string_view name) {
  static const std::set<std::string_view> kNames = {"cpu",
                                                    "memory",
                                                    "ephemeral-storage",
                                                    "requests.cpu",
                                                    "requests.memory",
                                                    "requests.storage",
                                                    "requests.ephemeral-storage",
                                                    "limits.cpu",
                                                    "limits.memory",
                                                    "limits.ephemeral-storage",
                                                    "pods",
                                                    "resourcequotas",
                                                    "services",
                                                    "replicationcontrollers",
                                                    "secrets",
                                                    "persistentvolumeclaims",
                                                    "configmaps",
                                                    "services.nodeports",
                                                    "services.loadbalancers"};
  return kNames.contains(name) || name.starts_with("hugepages-") || name.starts_with("requests.hugepages-");
}

void need_positive(const FieldView& number) {
  if (number.number() <= 0) number.errors().invalid(number.path(), number.number(), "must be positive");
}

void validate_queuing(const FieldView& queuing) {
  constexpr std::int64_t kMostQueues = 10'000'000;
  const FieldView queues = queuing["queues"], hand = queuing["handSize"];
  need_positive(queuing["queueLengthLimit"]);
  need_positive(queues);
  if (queues.number() > kMostQueues)
    queues.invalid("must not be greater than " + std::to_string(kMostQueues));
  need_positive(hand);
  if (hand.number() > queues.number())
    hand.invalid("should not be greater than queues (" + std::to_string(queues.number()) + ")");
}

void validate_limited(const FieldView& limited) {
  const FieldView response = limited["limitResponse"], queuing = response["queuing"];
  need_positive(limited["nominalConcurrencyShares"]);
  const std::string_view type = response["type"].text();
  if (type == "Reject") {
    if (!queuing.value().is_null())
      queuing.forbid("must be nil if limited.limitResponse.type is not Limited");
  } else if (type == "Queue") {
    if (queuing.value().is_null()) {
      queuing.errors().required(queuing.path(), "must not be empty if limited.limitResponse.type is Limited");
    } else {
      validate_queuing(queuing);
    }
  } else {
    response["type"].errors().not_supported(response["type"].path(), type, {"Queue", "Reject"});
  }
  const FieldView lendable = limited["lendablePercent"];
  if (!lendable.value().is_null() && (lendable.number() < 0 || lendable.number() > 100))
    lendable.invalid("must be between 0 and 100, inclusive");
}

bool quota_scope(std::string_view scope) {
  return scope == "Terminating" || scope == "NotTerminating" || scope == "BestEffort" ||
         scope == "NotBestEffort" || scope == "PriorityClass" || scope == "CrossNamespacePodAffinity";
}

// A scope of pods cannot count what is no pod.
bool scope_counts(std::string_view scope, std::string_view name) {
  const bool pods = name == "pods", compute = name == "cpu" || name == "memory" ||
                                              name.starts_with("requests.") || name.starts_with("limits.") ||
                                              name == "ephemeral-storage";
  if (scope == "BestEffort") return pods;
  return pods || compute;
}

void validate_scopes(const FieldView& spec) {
  const FieldView scopes = spec["scopes"];
  std::set<std::string_view> seen;
  const auto bad = [&](const char* why) { scopes.errors().invalid(scopes.path(), scopes.value(), why); };
  for (const FieldView& one : scopes.each()) {
    seen.insert(one.text());
    if (!quota_scope(one.text())) bad("unsupported scope");
    for (const auto& [name, value] : spec["hard"].value().members()) {
      if (standard_quota(name) && quota_scope(one.text()) && !scope_counts(one.text(), name))
        bad("unsupported scope applied to resource");
    }
  }
  for (const auto& [a, b] :
       {std::pair("BestEffort", "NotBestEffort"), std::pair("Terminating", "NotTerminating")}) {
    if (seen.contains(a) && seen.contains(b)) bad("conflicting scopes");
  }
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
  for (const FieldView& one : selectors.each()) validate_label_selector(one);
}

void role_binding(const Subject& subject) {
  validate_binding(subject, true);
}
void cluster_role_binding(const Subject& subject) {
  validate_binding(subject, false);
}

void autoscaler(const Subject& subject) {
  const FieldView spec = subject.spec();
  const FieldView least = spec["minReplicas"], most = spec["maxReplicas"];
  if (!least.value().is_null() && least.number() < 1) least.invalid("must be greater than or equal to 1");
  if (most.number() < 1) most.invalid("must be greater than 0");
  if (!least.value().is_null() && most.number() < least.number())
    most.invalid("must be greater than or equal to `minReplicas`");
  const FieldView target = spec["scaleTargetRef"];
  for (const std::string_view name : {"kind", "name"}) {
    if (target[name].require()) target[name].messages(check_path_segment(target[name].text()));
  }
  bool scales_to_zero = false;
  for (const FieldView& metric : spec["metrics"].each()) {
    validate_metric(metric);
    scales_to_zero =
        scales_to_zero || metric["type"].text() == "Object" || metric["type"].text() == "External";
  }
  if (!least.value().is_null() && least.number() == 0 && !scales_to_zero) {
    spec["metrics"].forbid(
        "must specify at least one Object or External metric to support scaling to zero replicas");
  }
  const FieldView cpu = spec["targetCPUUtilizationPercentage"];
  if (!cpu.value().is_null() && cpu.number() < 1) cpu.invalid("must be greater than 0");
  validate_scaling_rules(spec["behavior"]["scaleUp"]);
  validate_scaling_rules(spec["behavior"]["scaleDown"]);
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

void priority_class(const Subject& subject) {
  const FieldView value = subject.object["value"];
  const std::string_view name = subject.object["metadata"]["name"].text();
  if (name.starts_with("system-")) {
    if (name != "system-node-critical" && name != "system-cluster-critical") {
      subject.object["metadata"]["name"].forbid(
          "priority class names with 'system-' prefix are reserved for system use only. error: " +
          std::string(name) + " is not a known system priority class");
    }
  } else if (value.number() > kHighestUserPriority) {
    value.forbid("maximum allowed value of a user defined priority is " +
                 std::to_string(kHighestUserPriority));
  }
  const FieldView policy = subject.object["preemptionPolicy"];
  if (policy.given()) policy.one_of({"PreemptLowerPriority", "Never"});
  if (subject.creates()) return;
  if (!(value.value() == subject.live["value"])) value.forbid("may not be changed in an update.");
  if (!(policy.value() == subject.live["preemptionPolicy"]))
    policy.immutable(subject.live["preemptionPolicy"]);
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

void limit_range(const Subject& subject) {
  std::set<std::string> types;
  for (const FieldView& item : subject.spec()["limits"].each()) {
    const FieldView type = item["type"];
    if (!types.insert(std::string(type.text())).second) type.errors().duplicate(type.path(), type.value());
    std::set<std::string> names;
    for (const std::string_view list : {"max", "min", "default", "defaultRequest", "maxLimitRequestRatio"}) {
      for (const auto& [name, value] : item[list].value().members()) names.insert(std::string(name));
    }
    if (type.text() == "Pod") {
      for (const std::string_view list : {"default", "defaultRequest"}) {
        if (item[list].filled()) item[list].forbid("may not be specified when `type` is 'Pod'");
      }
    }
    if (type.text() == "PersistentVolumeClaim" && !item["min"].value().contains("storage") &&
        !item["max"].value().contains("storage")) {
      item.errors().required(item.path() + ".limits",
                             "either minimum or maximum storage value is required, but neither was provided");
    }
    for (const std::string& name : names) {
      const auto at = [&](std::string_view list) { return at_key(item[list].path(), name); };
      compare_limits(item, "min", "max", at("min"), name);
      compare_limits(item, "min", "defaultRequest", at("defaultRequest"), name);
      compare_limits(item, "defaultRequest", "max", at("defaultRequest"), name);
      compare_limits(item, "defaultRequest", "default", at("defaultRequest"), name);
      compare_limits(item, "min", "default", at("default"), name);
      compare_limits(item, "default", "max", at("default"), name);
    }
  }
}

void resource_quota(const Subject& subject) {
  const FieldView hard = subject.spec()["hard"];
  for (const auto& [name, value] : hard.value().members()) {
    const std::string path = at_key(hard.path(), name);
    for (const std::string& one : check_qualified_name(name)) hard.errors().invalid(path, name, one);
    if (name.find('/') == name.npos && !standard_quota(name)) {
      hard.errors().invalid(path, name, "must be a standard resource type or fully qualified");
      hard.errors().invalid(path, name, "must be a standard resource for quota");
    }
    auto quantity = Quantity::from_json(value);
    if (quantity && quantity->sign() < 0)
      hard.errors().invalid(path, value, "must be greater than or equal to 0");
  }
  validate_scopes(subject.spec());
  if (!subject.creates()) subject.spec()["scopes"].immutable(subject.live["spec"]["scopes"]);
}

void api_service(const Subject& subject) {
  const FieldView spec = subject.spec();
  const FieldView group_priority = spec["groupPriorityMinimum"], version_priority = spec["versionPriority"];
  const std::string wanted = std::string(spec["version"].text()) + "." + std::string(spec["group"].text());
  const FieldView name = subject.object["metadata"]["name"];
  if (name.text() != wanted && wanted != "v1.")
    name.invalid("must be `spec.version+\".\"+spec.group`: \"" + wanted + "\"");
  if (group_priority.number() <= 0 || group_priority.number() > 20000)
    group_priority.invalid("must be positive and less than 20000");
  if (version_priority.number() <= 0 || version_priority.number() > 1000)
    version_priority.invalid("must be positive and less than 1000");
  const FieldView service = spec["service"];
  if (service.value().is_object()) {
    service["namespace"].require();
    service["name"].require();
    if (spec["insecureSkipTLSVerify"].value().as_bool() && spec["caBundle"].given()) {
      spec["insecureSkipTLSVerify"].invalid("may not be true if caBundle is present");
    }
  }
}

void flow_schema(const Subject& subject) {
  const FieldView spec = subject.spec();
  if (spec["matchingPrecedence"].number() <= 0)
    spec["matchingPrecedence"].invalid("must be a positive value");
  if (spec["matchingPrecedence"].number() > 10000)
    spec["matchingPrecedence"].invalid("must not be greater than 10000");
  const FieldView method = spec["distinguisherMethod"];
  if (method.value().is_object()) method["type"].one_of({"ByNamespace", "ByUser"});
  const FieldView level = spec["priorityLevelConfiguration"]["name"];
  if (!level.given()) {
    level.errors().required(level.path(), "must reference a priority level");
  } else {
    level.dns_subdomain();
  }
}

void priority_level(const Subject& subject) {
  const FieldView spec = subject.spec();
  const bool exempt_name = subject.object["metadata"]["name"].text() == "exempt";
  const FieldView type = spec["type"], limited = spec["limited"];
  if ((type.text() == "Exempt") != exempt_name)
    type.invalid("type must be 'Exempt' if and only if name is 'exempt'");
  if (type.text() == "Exempt") {
    if (!limited.value().is_null()) limited.forbid("must be nil if the type is not Limited");
  } else if (type.text() == "Limited") {
    if (limited.value().is_null()) {
      limited.errors().required(limited.path(), "must not be empty when type is Limited");
    } else {
      validate_limited(limited);
    }
  } else {
    type.one_of({"Exempt", "Limited"});
  }
}

}  // namespace flotilla::api::validation
