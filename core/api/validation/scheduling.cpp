// SPDX-License-Identifier: Apache-2.0
// Where pods may run: affinity, tolerations, spreading; and how they find names.
#include <algorithm>
#include <set>

#include "core/api/validation/containers.hpp"
#include "core/api/validation/kinds.hpp"
#include "core/api/validation/network.hpp"

namespace flotilla::api::validation {
namespace {

constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

void bad_operator(const FieldView& one) {
  one["operator"].errors().invalid(one["operator"].path(), one["operator"].text(),
                                   "not a valid selector operator");
}

void validate_node_requirement(const FieldView& one) {
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
    bad_operator(one);
  }
  one["key"].messages(check_qualified_name(one["key"].text()));
}

void validate_field_requirement(const FieldView& one) {
  const std::string_view op = one["operator"].text();
  const FieldView values = one["values"], key = one["key"];
  if (op == "In" || op == "NotIn") {
    if (values.size() != 1)
      values.errors().required(
          values.path(), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
  } else {
    bad_operator(one);
  }
  if (key.text() != "metadata.name") {
    key.errors().invalid(key.path(), key.text(), "not a valid field selector key");
    return;
  }
  for (const FieldView& value : values.each()) value.dns_subdomain();
}

void validate_node_term(const FieldView& term) {
  for (const FieldView& one : term["matchExpressions"].each()) validate_node_requirement(one);
  for (const FieldView& one : term["matchFields"].each()) validate_field_requirement(one);
}

void validate_topology_key(const FieldView& key) {
  if (!key.given()) key.require("can not be empty");
  key.messages(check_qualified_name(key.text()));
}

void validate_pod_affinity_term(const FieldView& term) {
  validate_label_selector(term["labelSelector"]);
  validate_label_selector(term["namespaceSelector"]);
  for (const FieldView& one : term["namespaces"].each()) {
    for (const std::string& message : check_dns_label(one.text()))
      one.errors().invalid(at_field(term.path(), "namespace"), one.text(), message);
  }
  validate_topology_key(term["topologyKey"]);
}

void validate_weight(const FieldView& preferred) {
  const std::int64_t weight = preferred["weight"].number();
  if (weight < 1 || weight > 100)
    preferred.errors().invalid(preferred["weight"].path(), weight, "must be in the range 1-100");
}

void validate_toleration(const FieldView& one) {
  if (one["key"].given()) one["key"].messages(check_qualified_name(one["key"].text()));
  const FieldView how = one["operator"];
  const std::string_view op = how.text();
  if (!one["key"].given() && op != "Exists") {
    how.errors().invalid(
        how.path(), op,
        "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
  }
  if (!one["tolerationSeconds"].value().is_null() && one["effect"].text() != "NoExecute") {
    one.errors().invalid(one["effect"].path(), one["effect"].text(),
                         "effect must be 'NoExecute' when `tolerationSeconds` is set");
  }
  if (op == "Exists") {
    // The value is what stands in the error, with the operator's path.
    if (one["value"].given())
      how.errors().add_literal("FieldValueInvalid", how.path(),
                               "Invalid value: " + go_quote(one["value"].text()) +
                                   ": value must be empty when `operator` is 'Exists'");
  } else if (op.empty() || op == "Equal") {
    const auto found = check_label_value(one["value"].text());
    std::string joined;
    for (const std::string& message : found) joined += (joined.empty() ? "" : ";") + message;
    if (!found.empty()) how.errors().invalid(how.path(), one["value"].text(), joined);
  } else {
    how.one_of({"Equal", "Exists"});
  }
  if (one["effect"].given()) one["effect"].one_of({"NoSchedule", "PreferNoSchedule", "NoExecute"});
}

}  // namespace

void validate_node_selector(const FieldView& selector) {
  const FieldView terms = selector["nodeSelectorTerms"];
  if (!terms.filled())
    return terms.errors().required(terms.path(), "must have at least one node selector term");
  for (const FieldView& term : terms.each()) validate_node_term(term);
}

void validate_affinity(const FieldView& affinity) {
  const FieldView node = affinity["nodeAffinity"];
  if (node[kRequired].value().is_object()) validate_node_selector(node[kRequired]);
  for (const FieldView& one : node[kPreferred].each()) {
    validate_weight(one);
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

void validate_tolerations(const FieldView& tolerations) {
  for (const FieldView& one : tolerations.each()) validate_toleration(one);
}

void validate_topology_spread(const FieldView& constraints) {
  const std::vector<FieldView> all = constraints.each();
  for (const FieldView& one : all) {
    const FieldView skew = one["maxSkew"], when = one["whenUnsatisfiable"], domains = one["minDomains"];
    if (skew.number() <= 0) one.errors().invalid(skew.path(), skew.number(), "must be greater than zero");
    if (!one["topologyKey"].given()) one["topologyKey"].require("can not be empty");
    when.one_of({"DoNotSchedule", "ScheduleAnyway"});
    // The first of two equal ones is the bad one.
    const bool comes_again = std::any_of(&one + 1, all.data() + all.size(), [&](const FieldView& other) {
      return other["topologyKey"].value() == one["topologyKey"].value() &&
             other["whenUnsatisfiable"].value() == when.value();
    });
    if (comes_again) {
      one.errors().duplicate(
          at_field(one.path(), "{topologyKey, whenUnsatisfiable}"),
          "{" + std::string(one["topologyKey"].text()) + ", " + std::string(when.text()) + "}");
    }
    if (!domains.value().is_null()) {
      if (domains.number() <= 0) domains.invalid("must be greater than zero");
      if (when.text() != "DoNotSchedule") {
        domains.invalid("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not " +
                        std::string(when.text()));
      }
    }
    for (const std::string_view policy : {"nodeAffinityPolicy", "nodeTaintsPolicy"}) {
      if (!one[policy].value().is_null()) one[policy].one_of({"Honor", "Ignore"});
    }
    validate_label_selector(one["labelSelector"]);
  }
}

void validate_dns(const FieldView& spec) {
  const FieldView config = spec["dnsConfig"], servers = config["nameservers"], searches = config["searches"];
  FieldErrors& errors = spec.errors();
  if (spec["dnsPolicy"].text() == "None") {
    if (!config.value().is_object())
      return errors.required(config.path(), "must provide `dnsConfig` when `dnsPolicy` is None");
    if (!servers.filled()) {
      return errors.required(servers.path(),
                             "must provide at least one DNS nameserver when `dnsPolicy` is None");
    }
  }
  if (servers.size() > 3) servers.invalid("must not have more than 3 nameservers");
  for (const FieldView& one : servers.each()) {
    if (!is_ip(one.text())) one.invalid("must be valid IP address");
  }
  if (searches.size() > 32) searches.invalid("must not have more than 32 search paths");
  std::size_t total = searches.size() > 0 ? searches.size() - 1 : 0;
  for (const FieldView& one : searches.each()) {
    total += one.text().size();
    std::string_view name = one.text();
    if (name.ends_with('.')) name.remove_suffix(1);
    for (const std::string& message : check_dns_subdomain(name))
      errors.invalid(one.path(), one.text(), message);
  }
  if (total > 2048)
    searches.invalid("must not have more than 2048 characters (including spaces) in the search list");
  for (const FieldView& one : config["options"].each()) {
    if (!one["name"].given()) errors.required(one.path(), "must not be empty");
  }
}

}  // namespace flotilla::api::validation
