// SPDX-License-Identifier: Apache-2.0
// Deployment, ReplicaSet, ReplicationController, StatefulSet, DaemonSet.
#include "core/api/selector.hpp"
#include "core/api/validation/containers.hpp"
#include "core/api/validation/kinds.hpp"

namespace flotilla::api::validation {
namespace {

std::string printed_int_or_string(const Json& value) {
  if (value.is_string())
    return "intstr.IntOrString{Type:1, IntVal:0, StrVal:" + go_quote(value.as_string()) + "}";
  return "intstr.IntOrString{Type:0, IntVal:" + std::to_string(value.as_int()) + ", StrVal:\"\"}";
}

void bad_int_or_string(const FieldView& value, const std::string& detail) {
  value.errors().add_literal("FieldValueInvalid", value.path(),
                             "Invalid value: " + printed_int_or_string(value.value()) + ": " + detail);
}

enum class SelectorOrder { EmptyFirst, EmptyLast };

// The selector of a workload and the labels of its pods. False when the selector is none, and then
// Kubernetes does not look at the pods.
bool validate_selected_template(const FieldView& spec, std::string_view what, SelectorOrder order) {
  const FieldView selector = spec["selector"], pod_template = spec["template"];
  const bool required = order == SelectorOrder::EmptyFirst;
  FieldErrors& errors = selector.errors();
  const std::size_t before = errors.size();
  if (!selector.value().is_null()) {
    validate_label_selector(selector);
  } else if (required) {
    errors.required(selector.path());
  }
  auto compiled = LabelSelector::from_json(selector.value());
  const bool sound = compiled.ok() && (selector.value().is_null() || errors.size() == before);
  const auto empty = [&] {
    if (!selector.value().is_null() && selector.value().empty())
      errors.invalid(selector.path(), selector.value(), "empty selector is invalid for " + std::string(what));
  };
  if (required) empty();
  if (!sound && required) errors.invalid(selector.path(), selector.value(), "");
  const Json& labels = pod_template.value()["metadata"]["labels"];
  if (sound && !compiled->matches(labels)) {
    errors.invalid(at_field(pod_template.path(), "metadata.labels"),
                   labels.is_null() ? Json::object() : labels, "`selector` does not match template `labels`");
  }
  if (!required) empty();
  return sound;
}

void validate_restart_always(const FieldView& pod_template, std::string_view kind) {
  const FieldView policy = pod_template["spec"]["restartPolicy"];
  if (policy.text() != "Always") policy.errors().not_supported(policy.path(), policy.value(), {"Always"});
  const FieldView deadline = pod_template["spec"]["activeDeadlineSeconds"];
  if (!deadline.value().is_null())
    deadline.forbid("activeDeadlineSeconds in " + std::string(kind) + " is not Supported");
}

int as_percent_or_number(const Json& value) {
  if (!value.is_string()) return static_cast<int>(value.as_int());
  int number = 0;
  for (const char c : value.as_string()) number = c >= '0' && c <= '9' ? number * 10 + (c - '0') : number;
  return number;
}

bool rolling_value(const FieldView& value) {
  const Json& json = value.value();
  if (json.is_string()) {
    const std::string_view text = json.as_string();
    bool good = text.size() > 1 && text.ends_with('%');
    for (const char c : text.substr(0, text.size() - 1)) good = good && c >= '0' && c <= '9';
    if (good) return true;
    bad_int_or_string(value,
                      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%', "
                      " or '93%', regex "
                      "used for validation is '[0-9]+%')");
    return false;
  }
  return value.not_negative();
}

void not_above_hundred(const FieldView& value) {
  const Json& json = value.value();
  if (json.is_string() && json.as_string().ends_with('%') && as_percent_or_number(json) > 100)
    bad_int_or_string(value, "must not be greater than 100%");
}

void selector_immutable(const Subject& subject) {
  if (!subject.creates()) subject.spec()["selector"].immutable(subject.live["spec"]["selector"]);
}

}  // namespace

void validate_percent(const FieldView& value) {
  if (value.value().is_null()) return;
  if (rolling_value(value)) not_above_hundred(value);
}

void deployment(const Subject& subject) {
  const FieldView spec = subject.spec();
  spec["replicas"].not_negative();
  if (validate_selected_template(spec, "deployment", SelectorOrder::EmptyFirst)) {
    validate_pod_template(spec["template"]);
    validate_restart_always(spec["template"], "ReplicaSet");
  }
  const FieldView strategy = spec["strategy"];
  const std::string_view type = strategy["type"].text();
  const FieldView rolling = strategy["rollingUpdate"];
  if (type == "Recreate") {
    if (!rolling.value().is_null()) rolling.forbid("may not be specified when strategy `type` is 'Recreate'");
  } else if (type == "RollingUpdate") {
    const FieldView unavailable = rolling["maxUnavailable"], surge = rolling["maxSurge"];
    rolling_value(unavailable);
    rolling_value(surge);
    if (as_percent_or_number(unavailable.value()) == 0 && as_percent_or_number(surge.value()) == 0) {
      bad_int_or_string(unavailable, "may not be 0 when `maxSurge` is 0");
    }
    not_above_hundred(unavailable);
  } else {
    strategy.errors().add_literal("FieldValueNotSupported", strategy.path(),
                                  "Unsupported value: apps.DeploymentStrategy{Type:" + go_quote(type) +
                                      ", RollingUpdate:(*apps.RollingUpdateDeployment)(nil)}: supported "
                                      "values: \"Recreate\", \"RollingUpdate\"");
  }
  spec["minReadySeconds"].not_negative();
  spec["revisionHistoryLimit"].not_negative();
  const FieldView deadline = spec["progressDeadlineSeconds"];
  if (deadline.not_negative() && !deadline.value().is_null() &&
      deadline.number() <= spec["minReadySeconds"].number()) {
    deadline.invalid("must be greater than minReadySeconds");
  }
  selector_immutable(subject);
}

void replica_set(const Subject& subject) {
  const FieldView spec = subject.spec();
  spec["replicas"].not_negative();
  spec["minReadySeconds"].not_negative();
  if (validate_selected_template(spec, "deployment", SelectorOrder::EmptyFirst)) {
    validate_pod_template(spec["template"]);
    validate_restart_always(spec["template"], "ReplicaSet");
  }
  selector_immutable(subject);
}

void replication_controller(const Subject& subject) {
  const FieldView spec = subject.spec();
  spec["minReadySeconds"].not_negative();
  const FieldView selector = spec["selector"];
  if (!selector.filled()) selector.errors().required(selector.path());
  spec["replicas"].not_negative();
  if (!spec["template"].value().is_object()) {
    spec["template"].require();
    return;
  }
  const Json& labels = spec["template"].value()["metadata"]["labels"];
  for (const auto& [key, value] : selector.value().members()) {
    if (labels[key] == value) continue;
    selector.errors().invalid(at_field(spec["template"].path(), "metadata.labels"), labels,
                              "`selector` does not match template `labels`");
    break;
  }
  validate_pod_template(spec["template"]);
  validate_restart_always(spec["template"], "ReplicationController");
}

namespace {

void validate_stateful_strategy(const FieldView& strategy) {
  const FieldView type = strategy["type"], rolling = strategy["rollingUpdate"];
  FieldErrors& errors = strategy.errors();
  if (!type.given()) {
    errors.required(strategy.path());
  } else if (type.text() == "OnDelete") {
    if (!rolling.value().is_null()) rolling.invalid("only allowed for updateStrategy 'RollingUpdate'");
  } else if (type.text() == "RollingUpdate") {
    rolling["partition"].not_negative();
  } else {
    errors.add_literal("FieldValueInvalid", strategy.path(),
                       "Invalid value: apps.StatefulSetUpdateStrategy{Type:" + go_quote(type.text()) +
                           ", RollingUpdate:(*apps.RollingUpdateStatefulSetStrategy)(nil)}: must be "
                           "'RollingUpdate' or 'OnDelete'");
  }
}

// What the update of a stateful set leaves as it is.
void stateful_set_update(const Subject& subject) {
  const FieldView spec = subject.spec();
  Json now = spec.value(), before = subject.live["spec"];
  for (const char* name : {"replicas", "template", "updateStrategy", "minReadySeconds", "ordinals",
                           "persistentVolumeClaimRetentionPolicy"}) {
    now.erase(name);
    before.erase(name);
  }
  if (!(now == before)) {
    spec.forbid(
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        "'updateStrategy', "
        "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
  }
  spec["replicas"].not_negative();
  spec["minReadySeconds"].not_negative();
}

void validate_daemon_strategy(const FieldView& strategy) {
  const std::string_view type = strategy["type"].text();
  if (type == "OnDelete") return;
  if (type != "RollingUpdate") {
    strategy.errors().add_literal("FieldValueNotSupported", strategy.path(),
                                  "Unsupported value: apps.DaemonSetUpdateStrategy{Type:" + go_quote(type) +
                                      ", RollingUpdate:(*apps.RollingUpdateDaemonSet)(nil)}: supported "
                                      "values: \"RollingUpdate\", \"OnDelete\"");
    return;
  }
  const FieldView unavailable = strategy["rollingUpdate"]["maxUnavailable"],
                  surge = strategy["rollingUpdate"]["maxSurge"];
  rolling_value(unavailable);
  rolling_value(surge);
  not_above_hundred(unavailable);
  not_above_hundred(surge);
  const bool has_unavailable = as_percent_or_number(unavailable.value()) != 0,
             has_surge = as_percent_or_number(surge.value()) != 0;
  if (has_unavailable && has_surge)
    bad_int_or_string(surge, "may not be set when maxUnavailable is non-zero");
  if (!has_unavailable && !has_surge)
    unavailable.errors().required(unavailable.path(), "cannot be 0 when maxSurge is 0");
}

}  // namespace

void stateful_set(const Subject& subject) {
  const FieldView spec = subject.spec(), management = spec["podManagementPolicy"];
  const FieldView pod_template = spec["template"];
  if (!management.given()) {
    management.require();
  } else if (management.text() != "OrderedReady" && management.text() != "Parallel") {
    management.invalid("must be 'OrderedReady' or 'Parallel'");
  }
  validate_stateful_strategy(spec["updateStrategy"]);
  const FieldView retention = spec["persistentVolumeClaimRetentionPolicy"];
  for (const std::string_view when : {"whenDeleted", "whenScaled"}) {
    if (retention.value().is_object()) retention[when].one_of({"Delete", "Retain"});
  }
  spec["replicas"].not_negative();
  spec["minReadySeconds"].not_negative();
  FieldView(spec["ordinals"]["start"].value(), "spec.ordinals.start", spec.errors()).not_negative();
  // Kubernetes does not look at these pods: volumes come from claims that the template does not know.
  if (validate_selected_template(spec, "statefulset", SelectorOrder::EmptyFirst))
    validate_template_metadata(pod_template);
  validate_restart_always(pod_template, "StatefulSet");
  if (!subject.creates()) stateful_set_update(subject);
}

void daemon_set(const Subject& subject) {
  const FieldView spec = subject.spec();
  validate_selected_template(spec, "daemonset", SelectorOrder::EmptyLast);
  validate_pod_template(spec["template"]);
  validate_restart_always(spec["template"], "DaemonSet");
  spec["minReadySeconds"].not_negative();
  validate_daemon_strategy(spec["updateStrategy"]);
  spec["revisionHistoryLimit"].not_negative();
  selector_immutable(subject);
}

}  // namespace flotilla::api::validation
