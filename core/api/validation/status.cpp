// SPDX-License-Identifier: Apache-2.0
// Statuses: counts that are not negative and fit together, addresses that are some, phases that follow.
#include <initializer_list>
#include <set>

#include "core/api/quantity.hpp"
#include "core/api/validation/containers.hpp"
#include "core/api/validation/kinds.hpp"
#include "core/api/validation/network.hpp"

namespace flotilla::api::validation {
namespace {

FieldView status_of(const Subject& subject) {
  return subject.object["status"];
}

void counts(const FieldView& status, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) status[name].not_negative();
}

// Zero counts that are not written count too.
void not_above(const FieldView& status, std::string_view name, std::string_view bound,
               std::string_view words) {
  const std::int64_t count = status[name].number();
  if (count > status[bound].number())
    status.errors().invalid(status[name].path(), count, "cannot be greater than " + std::string(words));
}

void not_decremented(const Subject& subject, std::string_view name) {
  const FieldView now = status_of(subject)[name];
  const Json& before = subject.live["status"][name];
  if (before.is_int() && now.number() < before.as_int()) now.invalid("cannot be decremented");
}

void load_balancer(const FieldView& balancer) {
  for (const FieldView& one : balancer["ingress"].each()) {
    const FieldView ip = one["ip"], host = one["hostname"];
    if (ip.given() && !is_ip(ip.text()))
      ip.invalid("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    if (!host.given()) continue;
    host.dns_subdomain();
    if (is_ip(host.text())) host.invalid("must be a DNS name, not an IP address");
  }
}

}  // namespace

void load_balancer_status(const Subject& subject) {
  load_balancer(status_of(subject)["loadBalancer"]);
}

void deployment_status(const Subject& subject) {
  const FieldView status = status_of(subject);
  counts(status, {"observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
                  "unavailableReplicas", "collisionCount"});
  for (const std::string_view name : {"updatedReplicas", "readyReplicas", "availableReplicas"})
    not_above(status, name, "replicas", "status.replicas");
  not_above(status, "availableReplicas", "readyReplicas", "readyReplicas");
  not_decremented(subject, "collisionCount");
}

void replica_set_status(const Subject& subject) {
  const FieldView status = status_of(subject);
  counts(status,
         {"replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"});
  for (const std::string_view name : {"fullyLabeledReplicas", "readyReplicas", "availableReplicas"})
    not_above(status, name, "replicas", "status.replicas");
  not_above(status, "availableReplicas", "readyReplicas", "readyReplicas");
}

void stateful_set_status(const Subject& subject) {
  const FieldView status = status_of(subject);
  counts(status, {"replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas",
                  "observedGeneration", "collisionCount"});
  for (const std::string_view name :
       {"readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"})
    not_above(status, name, "replicas", "status.replicas");
  not_above(status, "availableReplicas", "readyReplicas", "status.readyReplicas");
  not_decremented(subject, "collisionCount");
}

void daemon_set_status(const Subject& subject) {
  counts(status_of(subject), {"currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled",
                              "numberReady", "observedGeneration", "updatedNumberScheduled",
                              "numberAvailable", "numberUnavailable", "collisionCount"});
  not_decremented(subject, "collisionCount");
}

void job_status(const Subject& subject) {
  const FieldView status = status_of(subject);
  counts(status, {"active", "succeeded", "failed", "ready", "terminating"});
  const FieldView uncounted = status["uncountedTerminatedPods"];
  std::set<std::string> uids;
  for (const std::string_view list : {"succeeded", "failed"}) {
    for (const FieldView& uid : uncounted[list].each()) {
      if (!uid.given()) {
        uid.invalid("must not be empty");
      } else if (!uids.insert(std::string(uid.text())).second) {
        uid.errors().duplicate(uid.path(), uid.value());
      }
    }
  }
}

void autoscaler_status(const Subject& subject) {
  counts(status_of(subject), {"currentReplicas", "desiredReplicas"});
}

namespace {

void validate_reason(const FieldView& reason) {
  constexpr std::int64_t kLongest = 1024;
  const std::string_view text = reason.text();
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto inner = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == ',' || c == ':';
  };
  if (!reason.require("must be set")) return;
  bool good = letter(text.front()) && text.back() != ',' && text.back() != ':';
  for (const char c : text) good = good && inner(c);
  if (!good) {
    reason.invalid(
        "a condition reason must start with alphabetic character, optionally followed by a string of "
        "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. "
        "'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used "
        "for "
        "validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')");
  }
  if (static_cast<std::int64_t>(text.size()) > kLongest) reason.errors().too_long(reason.path(), kLongest);
}

// metav1.Condition.
void validate_standard_conditions(const FieldView& conditions) {
  constexpr std::int64_t kLongest = 32768;
  std::set<std::string_view> types;
  for (const FieldView& one : conditions.each()) {
    const FieldView type = one["type"], generation = one["observedGeneration"], message = one["message"];
    if (!types.insert(type.text()).second) type.errors().duplicate(type.path(), type.text());
    for (const std::string& text : check_qualified_name(type.text()))
      type.errors().invalid(type.path(), type.text(), text);
    one["status"].one_of({"False", "True", "Unknown"});
    if (generation.number() < 0) generation.invalid("must be greater than or equal to zero");
    one["lastTransitionTime"].require("must be set");
    validate_reason(one["reason"]);
    if (static_cast<std::int64_t>(message.text().size()) > kLongest)
      message.errors().too_long(message.path(), kLongest);
  }
}

}  // namespace

void disruption_budget_status(const Subject& subject) {
  validate_standard_conditions(status_of(subject)["conditions"]);
  counts(status_of(subject), {"disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"});
}

void namespace_status(const Subject& subject) {
  const FieldView phase = status_of(subject)["phase"];
  const bool ends = subject.live["metadata"]["deletionTimestamp"].is_string();
  const std::string_view wanted = ends ? "Terminating" : "Active";
  if (phase.text() == wanted) return;
  phase.errors().invalid("status.Phase", phase.text(),
                         ends ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
                              : "may only be 'Active' if `deletionTimestamp` is empty");
}

void node_status(const Subject& subject) {
  const FieldView status = status_of(subject);
  for (const std::string_view list : {"capacity", "allocatable"}) {
    for (const auto& [name, value] : status[list].value().members())
      validate_resource_amount(status.errors(), name, value, at_field(status[list].path(), name));
  }
  std::set<std::string> addresses;
  for (const FieldView& one : status["addresses"].each()) {
    const std::string key = one.value().dump();
    if (!addresses.insert(key).second) one.errors().duplicate(one.path(), one.value());
  }
}

void volume_claim_status(const Subject& subject) {
  const FieldView status = status_of(subject);
  for (const auto& [name, value] : status["capacity"].value().members()) {
    auto quantity = Quantity::from_json(value);
    if (quantity.ok() && quantity->sign() < 0)
      status.errors().invalid(at_key(status["capacity"].path(), name), quantity->value(),
                              "must be a valid resource quantity");
  }
}

void api_service_status(const Subject& subject) {
  for (const FieldView& one : status_of(subject)["conditions"].each())
    one["status"].one_of({"False", "True", "Unknown"});
}

void conditions_status(const Subject& subject) {
  std::set<std::string> types;
  for (const FieldView& one : status_of(subject)["conditions"].each()) {
    const FieldView type = one["type"];
    if (!types.insert(std::string(type.text())).second) type.errors().duplicate(type.path(), type.value());
    one["status"].required_one_of({"False", "True", "Unknown"});
    one["reason"].require("must not be empty");
  }
}

}  // namespace flotilla::api::validation
